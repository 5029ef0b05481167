//go:build !production

package main

import (
	"flag"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/facet-gateway/facet/bench/openloop"
)

var flood = flag.Duration("flood", 0, "how long the whole flood of TestFlood lasts, such as 60s; 0: half of it for 5s")

// TestFlood offers ten times what the backend can do, open loop, a twenty-fifth of
// it by persons: they are served, the backend is kept at work, refusals come at
// once, and all is well afterwards. It passes without a copy of a page: only whole
// pages count as the backend's work.
func TestFlood(t *testing.T) {
	capacity, lasting := 100.0, 5*time.Second
	if *flood > 0 {
		capacity, lasting = 200, *flood
	}
	s := newStage(t, "")
	s.fault("catalog", fmt.Sprintf("latency=100ms,capacity=%d,queue=10000", int(capacity/10))) // each slot makes ten a second
	s.client = openloop.NewClient(10 * time.Second)
	kind := func(name string, perSecond float64, header ...string) openloop.Kind {
		return openloop.Kind{Name: name, PerSecond: perSecond, Request: func(n int) (*http.Request, error) {
			r, err := http.NewRequest(http.MethodGet, fmt.Sprintf("%s/productdetails?productid=p-%d", s.gateway, 1001+n%300), http.NoBody)
			if err != nil {
				return nil, err
			}
			r.Header.Set("X-Device-Type", "phone")
			r.Header.Set("X-User-Id", "u-7")
			for i := 0; i < len(header); i += 2 {
				r.Header.Set(header[i], header[i+1])
			}
			return r, nil
		}}
	}
	run := func(lasting time.Duration, kinds ...openloop.Kind) []openloop.Result {
		results, err := openloop.Run(t.Context(), s.client, lasting, kinds...)
		if err != nil {
			t.Fatal(err)
		}
		return results
	}
	persons, prefetches := kind("persons", 0.4*capacity), kind("prefetches", 9.6*capacity, "Sec-Purpose", "prefetch")
	run(2*time.Second, persons)
	lag := watchLag()
	during := run(lasting, persons, prefetches)
	allowed := 50*time.Millisecond + 5*lag() // on the way out and back so many goroutines are woken
	after := run(5*time.Second, persons)[0]

	pages := during[0].Count(openloop.Whole) + during[1].Count(openloop.Whole)
	goodput := float64(pages) / lasting.Seconds()
	refusal := during[1].Percentile(99, openloop.Refused)
	t.Logf("persons: %.2f %% served, %.2f %% whole, p50 %v, p99 %v; %.0f whole pages/s of %.0f; refusals p50 %v, p99 %v",
		100*during[0].Share(openloop.Served), 100*during[0].Share(openloop.Whole), during[0].Percentile(50, openloop.Served),
		during[0].Percentile(99, openloop.Served), goodput, capacity, during[1].Percentile(50, openloop.Refused), refusal)
	t.Logf("afterwards: persons p50 %v, p99 %v; %+v",
		after.Percentile(50, openloop.Served), after.Percentile(99, openloop.Served), s.admission.Stats())
	if share := during[0].Share(openloop.Served); share < 0.99 {
		t.Errorf("%.2f %% of the persons were served", 100*share)
	}
	if goodput < 0.8*capacity {
		t.Errorf("%.0f whole pages/s of %.0f", goodput, capacity)
	}
	if refusal == 0 || refusal > allowed {
		t.Errorf("99 %% of the refusals took up to %v, more than %v", refusal, allowed)
	}
	if share := after.Between(time.Second, 5*time.Second).Share(openloop.Whole); share < 1 {
		t.Errorf("a second afterwards %.2f %% of the pages are whole", 100*share)
	}
}

// watchLag measures how much later than asked this machine wakes a goroutine, until
// the function that it returns is called, which returns the 99th percentile: on a
// machine with other work no answer can be quicker.
func watchLag() func() time.Duration {
	stop, ended := make(chan struct{}), make(chan openloop.Result)
	go func() {
		const each = 5 * time.Millisecond
		var r openloop.Result
		for {
			began := time.Now()
			select {
			case <-stop:
				ended <- r
				return
			case <-time.After(each):
				r.Answers = append(r.Answers, openloop.Answer{Took: time.Since(began) - each})
			}
		}
	}()
	return func() time.Duration {
		close(stop)
		return (<-ended).Percentile(99, func(openloop.Answer) bool { return true })
	}
}
