package command_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// hedging is a command that knows how long its runs take: some 2 ms.
func hedging(t *testing.T, u *unsteady, change func(*command.Policy)) *command.Command[int, int] {
	t.Helper()
	answer := u.answer
	u.answer = func(context.Context, int) (int, error) { time.Sleep(2 * time.Millisecond); return 0, nil }
	c := u.command(t, func(p *command.Policy) {
		p.Retry, p.Hedge = command.Retry{Attempts: 1}, true
		p.Circuit.Consecutive, p.Circuit.Volume = never, never
		change(p)
	})
	t.Cleanup(c.Close)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			for range 12 {
				outcome(t.Context(), c, 1)
			}
		})
	}
	all.Wait()
	eventually(t, "it is known how long a run takes", func() bool {
		_, known := command.LatencyQuantile(c.Control, 0.95)
		return known
	})
	u.answer = answer
	u.calls.Store(0)
	return c
}

// slowFirst has the first attempt wait until it is ended, and the second answer.
func slowFirst(ended chan<- error) func(context.Context, int) (int, error) {
	return func(ctx context.Context, attempt int) (int, error) {
		if attempt > 1 {
			return attempt, nil
		}
		<-ctx.Done()
		ended <- context.Cause(ctx)
		return 0, ctx.Err()
	}
}

func TestHedgeOvertakesASlowAttempt(t *testing.T) {
	ended := make(chan error, 1)
	u := &unsteady{instances: 2, answer: slowFirst(ended)}
	c := hedging(t, u, asIs)
	before := c.Stats()
	value, r, err := runWith(t.Context(), report.New("", report.Trace{}), c.Observe(1))
	if err != nil || value != 2 || r.Parts[0].Mark.Rung != report.Live {
		t.Fatal(value, err)
	}
	if cause := <-ended; fault.ReasonOf(cause) != fault.ReasonCanceled {
		t.Errorf("the slow attempt was ended by %v", cause)
	}
	eventually(t, "its ticket is back", func() bool { return c.Stats().InFlight == 0 })
	s := c.Stats()
	if s.Hedges != before.Hedges+1 || s.HedgesWon != before.HedgesWon+1 || s.Outcomes["success"] != before.Outcomes["success"]+1 {
		t.Errorf("%+v", s)
	}
}

func TestNoHedge(t *testing.T) {
	for _, tc := range []struct {
		name      string
		instances int
		change    func(*command.Control)
	}{
		{"without another instance", 1, func(*command.Control) {}},
		{"without a budget", 2, func(c *command.Control) { c.Under(nil) }},
		{"without a ticket", 2, func(c *command.Control) { configure(t, c, func(p *command.Policy) { p.MaxConcurrent = 1 }) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			release := make(chan struct{})
			u := &unsteady{instances: tc.instances, answer: func(context.Context, int) (int, error) { <-release; return 7, nil }}
			c := hedging(t, u, asIs)
			tc.change(c.Control)
			before := c.Stats().Hedges
			done := make(chan int)
			go func() { value, _, _ := run(t.Context(), c.Observe(1)); done <- value }()
			eventually(t, "the attempt is made", func() bool { return u.calls.Load() == 1 })
			patience, _ := command.LatencyQuantile(c.Control, 0.95)
			time.Sleep(2 * patience) // in which a second attempt would have been made
			close(release)
			if value := <-done; value != 7 || u.calls.Load() != 1 {
				t.Errorf("%d after %d calls", value, u.calls.Load())
			}
			eventually(t, "the tickets are back", func() bool { return c.Stats().InFlight == 0 })
			if n := c.Stats().Hedges - before; n != 0 {
				t.Errorf("%d hedges are counted", n)
			}
		})
	}
}

// TestObservedHedgeGoesOverTheBulkhead: it is made, and counted as one that would not have been.
func TestObservedHedgeGoesOverTheBulkhead(t *testing.T) {
	ended := make(chan error, 1)
	u := &unsteady{instances: 2, answer: slowFirst(ended)}
	c := hedging(t, u, asIs)
	configure(t, c.Control, func(p *command.Policy) { watching(p); p.MaxConcurrent = 1 })
	before := c.Stats()
	if value, _, err := run(t.Context(), c.Observe(1)); err != nil || value != 2 {
		t.Fatal(value, err)
	}
	if err := <-ended; fault.ReasonOf(err) != fault.ReasonCanceled {
		t.Errorf("the slow attempt was ended by %v", err)
	}
	eventually(t, "the tickets are back", func() bool { return c.Stats().InFlight == 0 })
	if s := c.Stats(); s.Hedges != before.Hedges+1 || s.Would["rejected"] != before.Would["rejected"]+1 || s.Outcomes["rejected"] != 0 {
		t.Errorf("%+v", s)
	}
}

func TestBothAttemptsFail(t *testing.T) {
	var second atomic.Bool
	u := &unsteady{instances: 2, answer: func(_ context.Context, attempt int) (int, error) {
		if attempt == 1 {
			for !second.Load() {
				time.Sleep(time.Millisecond)
			}
			return 0, fault.New(fault.BadAnswer, "")
		}
		second.Store(true)
		return 0, errPlain
	}}
	c := hedging(t, u, asIs)
	_, _, err := run(t.Context(), c.Observe(1))
	if !errors.Is(err, errPlain) && fault.CodeOf(err) != fault.BadAnswer || u.calls.Load() != 2 {
		t.Errorf("%v after %d calls", err, u.calls.Load())
	}
	if s := c.Stats(); s.Outcomes["failure"] != 1 || s.InFlight != 0 {
		t.Errorf("%+v", s)
	}
}

// TestHedgesAreFew under load, with panics and clients that leave: for the race
// detector. One run in twenty is hedged, or what the budget allows, and no ticket is lost.
func TestHedgesAreFew(t *testing.T) {
	var n atomic.Int64
	u := &unsteady{instances: 3, answer: func(ctx context.Context, _ int) (int, error) {
		switch i := n.Add(1); {
		case i%97 == 0:
			panic("an attempt")
		case i%5 == 0:
			select {
			case <-ctx.Done():
				return 0, ctx.Err()
			case <-time.After(20 * time.Millisecond):
			}
		}
		return 1, nil
	}}
	c := hedging(t, u, func(p *command.Policy) { p.MaxConcurrent = 1000 })
	const runs = 1600
	var all sync.WaitGroup
	for g := range 16 {
		all.Go(func() {
			for range runs / 16 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				if g == 0 {
					cancel()
				}
				outcome(ctx, c, g)
				cancel()
			}
		})
	}
	all.Wait()
	c.Close()
	s, made := c.Stats(), uint64(0) // with those of the beginning
	for _, n := range s.Outcomes {
		made += n
	}
	const floor = 10 // of 10 s, which the test does not take
	if allowed := made*command.DefaultRetryPercent/100 + floor; s.InFlight != 0 || s.Hedges == 0 || s.Hedges > allowed {
		t.Errorf("%d are allowed: %+v", allowed, s)
	}
}

// TestNoCallThatCannotEndInTime: the page has less left than the quickest calls take.
func TestNoCallThatCannotEndInTime(t *testing.T) {
	u := &unsteady{instances: 1, answer: failing(1, nil)}
	c := hedging(t, u, func(p *command.Policy) { p.Hedge = false })
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Microsecond) // and each took 2 ms
	defer cancel()
	if got := outcome(ctx, c, 1); got != report.OutOfBudget || u.calls.Load() != 0 {
		t.Errorf("%v after %d calls", got, u.calls.Load())
	}
	if got := outcome(t.Context(), c, 1); got != report.Success {
		t.Error(got)
	}
}
