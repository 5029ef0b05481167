package balance_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/discovery"
)

// BenchmarkCall is what a call costs beside the call: a pick and its end.
func BenchmarkCall(b *testing.B) {
	for _, policy := range []balance.Policy{balance.LeastLoaded, balance.RoundRobin} {
		for _, n := range []int{1, 2, 5, 100} {
			o := balance.DefaultOptions()
			o.Policy = policy
			b.Run(fmt.Sprintf("%s/%d", policy, n), func(b *testing.B) { benchmarkCall(b, o, n) })
		}
	}
}

func benchmarkCall(b *testing.B, o balance.Options, n int) {
	p, err := balance.New(o, func(discovery.Instance) (int, error) { return 0, nil }, func(int) {})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	if err := p.Update(addresses(n)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	took := time.Millisecond
	for b.Loop() {
		m, err := p.Pick(nil)
		if err != nil {
			b.Fatal(err)
		}
		took = (took*7 + 13) % (10 * time.Millisecond)
		m.Done(balance.Success, took)
	}
}

// addresses are n instances on ports from 1 on.
func addresses(n int) []discovery.Instance {
	all := make([]discovery.Instance, n)
	for i := range all {
		all[i].Address = fmt.Sprintf("127.0.0.1:%d", i+1)
	}
	return all
}

// BenchmarkCalls are calls from all processors at once.
func BenchmarkCalls(b *testing.B) {
	p, err := balance.New(balance.DefaultOptions(), func(discovery.Instance) (int, error) { return 0, nil }, func(int) {})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	if err := p.Update(addresses(5)); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m, err := p.Pick(nil)
			if err != nil {
				b.Error(err)
				return
			}
			m.Done(balance.Success, time.Millisecond)
		}
	})
}
