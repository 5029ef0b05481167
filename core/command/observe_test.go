package command_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/report"
)

func watching(p *command.Policy) { p.Mode = command.Observe }

func TestObservedBulkheadRefusesNothing(t *testing.T) {
	b, c := newBackend(t, func(p *command.Policy) { watching(p); p.MaxConcurrent = 2 })
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			if got := outcome(t.Context(), c, -1); got != report.Success {
				t.Error(got)
			}
		})
	}
	eventually(t, "five calls are in flight", func() bool { return c.Stats().InFlight == 5 })
	close(b.hang)
	all.Wait()
	if s := c.Stats(); s.Would["rejected"] != 3 || s.Outcomes["rejected"] != 0 || s.InFlight != 0 || s.Mode != "observe" {
		t.Errorf("%+v", s)
	}
}

func TestObservedTimeoutEndsNothing(t *testing.T) {
	slow := func(context.Context, int) (int, error) {
		time.Sleep(3 * time.Millisecond) // longer than it may take
		return 1, nil
	}
	c := command.New("test.observed", slow)
	configure(t, c.Control, func(p *command.Policy) {
		watching(p)
		p.Timeout, p.Circuit.Consecutive, p.Circuit.Sleep = time.Millisecond, 3, time.Hour
	})
	repeat(t, c, 5, report.Success)
	if s := c.Stats(); s.Would["timeout"] != 3 || s.Circuit != "open" || s.Would["short_circuited"] != 2 {
		t.Errorf("%+v", s) // the last two would not have been let through
	}
}

// TestObservedAttemptIsCounted, once: if the run would have been ended as well, that is.
func TestObservedAttemptIsCounted(t *testing.T) {
	c := command.New("test.observed", func(context.Context, int) (int, error) { time.Sleep(5 * time.Millisecond); return 1, nil })
	configure(t, c.Control, func(p *command.Policy) { watching(p); p.Timeout, p.AttemptTimeout = time.Minute, time.Millisecond })
	repeat(t, c, 3, report.Success)
	if s := c.Stats(); s.Would["timeout"] != 3 || s.Outcomes["timeout"] != 0 {
		t.Errorf("%+v", s)
	}
	configure(t, c.Control, func(p *command.Policy) { p.Timeout = time.Millisecond })
	repeat(t, c, 2, report.Success)
	if s := c.Stats(); s.Would["timeout"] != 5 {
		t.Errorf("%+v", s)
	}
}

// TestObservedCircuitMovesAsIfItRefused: it opens, waits, probes and closes, and
// every call is made.
func TestObservedCircuitMovesAsIfItRefused(t *testing.T) {
	b, c := newBackend(t, func(p *command.Policy) { watching(p); p.Circuit.Consecutive = 5 })
	b.down.Store(true)
	repeat(t, c, 10, report.Failure)
	if s := c.Stats(); s.Circuit != "open" || s.Would["short_circuited"] != 5 || b.calls.Load() != 10 {
		t.Fatalf("%+v", s)
	}
	b.down.Store(false)
	repeat(t, c, 10, report.Success) // none of them is a probe
	if s := c.Stats(); s.Circuit != "open" || s.Would["short_circuited"] != 15 {
		t.Fatalf("%+v", s)
	}
	configure(t, c.Control, func(p *command.Policy) { p.Mode = command.Enforce })
	if got := outcome(t.Context(), c, 1); got != report.ShortCircuited {
		t.Errorf("%v once it is enforced", got)
	}
}

func TestObservedProbeCloses(t *testing.T) {
	b, c := newBackend(t, func(p *command.Policy) { watching(p); p.Circuit.Consecutive, p.Circuit.Sleep = 2, 20*time.Millisecond })
	b.down.Store(true)
	repeat(t, c, 2, report.Failure)
	b.down.Store(false)
	eventually(t, "the probe closes it", func() bool {
		repeat(t, c, 1, report.Success)
		return state(c.Control) == "closed"
	})
	if c.Stats().Outcomes["short_circuited"] != 0 {
		t.Errorf("%+v", c.Stats())
	}
}

func TestNoCallWithoutTheTimeForIt(t *testing.T) {
	b, c := newBackend(t, asIs)
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	repeatIn := func(ctx context.Context, want report.Outcome) {
		t.Helper()
		if got := outcome(ctx, c, 1); got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
	repeatIn(ctx, report.Success)
	short, end := context.WithTimeout(t.Context(), 900*time.Microsecond)
	defer end()
	repeatIn(short, report.OutOfBudget)
	if s := c.Stats(); b.calls.Load() != 1 || s.Outcomes["out_of_budget"] != 1 || s.Circuit != "closed" {
		t.Errorf("%d calls, %+v", b.calls.Load(), s)
	}
}
