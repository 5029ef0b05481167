package command_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

func TestFullBulkhead(t *testing.T) {
	var inside atomic.Int64
	release, late := make(chan struct{}), make(chan struct{}, 500)
	c := command.New("test.bulkhead", func(ctx context.Context, _ int) (int, error) {
		inside.Add(1)
		<-ctx.Done()
		late <- struct{}{}
		<-release // as a client does that ignores its context
		return 0, ctx.Err()
	})
	configure(t, c.Control, func(p *command.Policy) {
		p.Timeout, p.MaxConcurrent, p.Circuit.Consecutive, p.Circuit.Volume = 5*time.Millisecond, 10, 1000, 1000
	})
	var pages sync.WaitGroup
	defer pages.Wait()
	for range 10 {
		pages.Go(func() { outcome(t.Context(), c, 1) })
	}
	for range 10 {
		<-late // each has had its time, and still holds its ticket
	}
	for range 490 {
		_, r, err := runWith(t.Context(), report.New("", report.Trace{}), c.Observe(1))
		if got := r.Calls()[0].Outcome; got != report.Rejected || fault.ReasonOf(err) != fault.ReasonFull {
			t.Fatalf("%v %v, want rejected", got, err)
		}
	}
	if s := c.Stats(); s.InFlight != 10 || inside.Load() != 10 || s.Outcomes["rejected"] != 490 || s.MaxConcurrent != 10 {
		t.Errorf("%+v, %d inside", s, inside.Load())
	}
	close(release)
	eventually(t, "the tickets come back", func() bool { return c.Stats().InFlight == 0 })
	if s := c.Stats(); s.Outcomes["timeout"] != 10 || inside.Load() != 10 {
		t.Errorf("%+v, %d calls", s, inside.Load())
	}
}

func TestBulkheadUnderLoad(t *testing.T) {
	var inside, over atomic.Int64
	c := command.New("test.load", func(context.Context, int) (int, error) {
		if inside.Add(1) > 3 {
			over.Add(1)
		}
		defer inside.Add(-1)
		return 1, nil
	})
	configure(t, c.Control, func(p *command.Policy) { p.MaxConcurrent = 3 })
	var pages sync.WaitGroup
	for range 50 {
		pages.Go(func() {
			for range 40 {
				outcome(t.Context(), c, 1)
			}
		})
	}
	pages.Wait()
	s := c.Stats()
	if over.Load() != 0 || s.InFlight != 0 || s.Outcomes["success"]+s.Outcomes["rejected"] != 2000 {
		t.Errorf("%d runs over the limit; %+v", over.Load(), s)
	}
}
