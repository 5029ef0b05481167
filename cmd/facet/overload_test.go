//go:build !production

package main

import (
	"flag"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/facet-gateway/facet/bench/openloop"
	"github.com/facet-gateway/facet/core/edge"
)

var flood = flag.Duration("flood", 0, "how long the whole flood of TestFlood lasts, such as 60s; 0: a quarter of it for 6s")

// TestFlood offers ten times what the backend can do, open loop, a twenty-fifth of
// it by persons: they are served, the backend is kept at work, refusals come at
// once, and all is well afterwards. Only whole pages count as the backend's work.
// A run that the machine held up shows what the machine does, so there is another.
func TestFlood(t *testing.T) {
	const attempts = 3
	f := newCrowd(t)
	for attempt := 1; ; attempt++ {
		f.waitForCalm()
		f.run()
		if f.lag <= 20*time.Millisecond || attempt == attempts {
			break
		}
		t.Logf("once more: goroutines were woken up to %v late", f.lag)
	}
	f.judge()
}

// crowd is a flood and what became of it.
type crowd struct {
	*stage
	capacity float64 // of the backend, in pages a second
	lasting  time.Duration

	persons, prefetches, after openloop.Result
	lag                        time.Duration // of the machine
}

func newCrowd(t *testing.T) *crowd {
	// A quarter of the capacity makes a quarter of the pages within a call's time limit.
	f := &crowd{stage: newStage(t, "admission: {min: 4}\n"), capacity: 50, lasting: 6 * time.Second}
	if *flood > 0 {
		f.capacity, f.lasting = 200, *flood
		if err := f.admission.Configure(edge.DefaultOptions()); err != nil {
			t.Fatal(err)
		}
	}
	f.fault("catalog", fmt.Sprintf("latency=100ms,capacity=%d,queue=10000", int(f.capacity/10))) // each slot makes ten a second
	f.client = openloop.NewClient(10 * time.Second)
	return f
}

// ask returns pages of many products, at a rate, as a kind of request.
func (f *crowd) ask(perSecond float64, header http.Header) openloop.Kind {
	return openloop.Kind{PerSecond: perSecond, Request: func(n int) (*http.Request, error) {
		url := fmt.Sprintf("%s/productdetails?productid=p-%d", f.gateway, 1001+n%300)
		r, err := http.NewRequest(http.MethodGet, url, http.NoBody)
		if err != nil {
			return nil, err
		}
		r.Header = header.Clone()
		return r, nil
	}}
}

// waitForCalm waits for a second in which the machine keeps its times, a minute at
// most: tests of other packages may be running.
func (f *crowd) waitForCalm() {
	within(time.Minute, func() bool {
		lag := openloop.WatchLateness()
		<-time.After(time.Second)
		return lag().P99 <= 10*time.Millisecond
	})
}

// run has a quiet time, the flood, and a quiet time.
func (f *crowd) run() {
	f.t.Helper()
	asks := func(lasting time.Duration, kinds ...openloop.Kind) []openloop.Result {
		results, err := openloop.Run(f.t.Context(), f.client, lasting, kinds...)
		if err != nil {
			f.t.Fatal(err)
		}
		return results
	}
	header := http.Header{"X-Device-Type": {"phone"}, "X-User-Id": {"u-7"}}
	persons := f.ask(0.4*f.capacity, header)
	header = header.Clone()
	header.Set("Sec-Purpose", "prefetch")
	asks(2*time.Second, persons)
	lag := openloop.WatchLateness()
	during := asks(f.lasting, persons, f.ask(9.6*f.capacity, header))
	f.persons, f.prefetches, f.lag = during[0], during[1], lag().P99
	f.after = asks(6*time.Second, persons)[0] // a circuit that opened closes within it, and the next run begins anew
}

func (f *crowd) judge() {
	f.t.Helper()
	goodput := float64(f.persons.Count(openloop.Whole)+f.prefetches.Count(openloop.Whole)) / f.lasting.Seconds()
	refusal := f.prefetches.Percentile(99, openloop.Refused)
	f.t.Logf("persons: %.2f %% served, %.2f %% whole, p50 %v, p99 %v; %.0f whole pages/s of %.0f; refusals p50 %v, p99 %v",
		100*f.persons.Share(openloop.Served), 100*f.persons.Share(openloop.Whole), f.persons.Percentile(50, openloop.Served),
		f.persons.Percentile(99, openloop.Served), goodput, f.capacity, f.prefetches.Percentile(50, openloop.Refused), refusal)
	f.t.Logf("afterwards: persons p50 %v, p99 %v; the machine was up to %v late; %+v",
		f.after.Percentile(50, openloop.Served), f.after.Percentile(99, openloop.Served), f.lag, f.admission.Stats())
	if share := f.persons.Share(openloop.Served); share < 0.99 {
		f.t.Errorf("%.2f %% of the persons were served", 100*share)
	}
	if goodput < 0.8*f.capacity {
		f.t.Errorf("%.0f whole pages/s of %.0f", goodput, f.capacity)
	}
	// On the way out and back about five goroutines are woken.
	if allowed := 50*time.Millisecond + 5*f.lag; refusal == 0 || refusal > allowed {
		f.t.Errorf("99 %% of the refusals took up to %v, more than %v", refusal, allowed)
	}
	if share := f.after.Between(time.Second, time.Minute).Share(openloop.Whole); share < 1 {
		f.t.Errorf("a second afterwards %.2f %% of the pages are whole", 100*share)
	}
}
