package etcd_test

import (
	"testing"

	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/etcd/etcdtest"
	"github.com/facet-gateway/facet/core/rollout/storetest"
)

// BenchmarkSwap is a change until another replica knows it, etcd's disk included.
func BenchmarkSwap(b *testing.B) {
	server := etcdtest.Start(b)
	s, other := opened(b, at(server.URL)), opened(b, at(server.URL))
	heard := make(chan uint64, 1)
	go func() {
		_ = other.Watch(b.Context(), func(s *rollout.State) { heard <- s.Revision }, func(error) {})
	}()
	<-heard
	b.ReportAllocs()
	for revision := uint64(1); b.Loop(); revision++ {
		if err := s.Swap(b.Context(), storetest.At(revision, "ada")); err != nil {
			b.Fatal(err)
		}
		for known := <-heard; known < revision; known = <-heard {
		}
	}
}

// BenchmarkReplicas reads what a hundred tell, 2 KiB each.
func BenchmarkReplicas(b *testing.B) {
	server := etcdtest.Start(b)
	var s rollout.Store
	for i := range 100 {
		s = opened(b, at(server.URL))
		r := rollout.Replica{ID: string(rune('a'+i/26)) + string(rune('a'+i%26)), Observed: make([]byte, 0, 2<<10)}
		r.Observed = append(r.Observed, '"')
		for range 2 << 10 {
			r.Observed = append(r.Observed, 'x')
		}
		r.Observed = append(r.Observed, '"')
		if err := s.Report(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Replicas(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
