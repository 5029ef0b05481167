package command_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/report"
)

// TestShrunkenLimitUnderLoad: the runs in progress go on, new ones are refused
// until there is room below the new limit, and from then on it holds.
func TestShrunkenLimitUnderLoad(t *testing.T) {
	const before, after = 50, 5
	b, c := newBackend(t, func(p *command.Policy) { p.MaxConcurrent = before })
	var pages sync.WaitGroup
	for i := range before {
		pages.Go(func() {
			if got := outcome(t.Context(), c, -1-i); got != report.Success {
				t.Errorf("a run in progress ended with %v", got)
			}
		})
	}
	eventually(t, "all run", func() bool { return c.Stats().InFlight == before })
	configure(t, c.Control, func(p *command.Policy) { p.MaxConcurrent = after })
	for i := range 100 {
		if got := outcome(t.Context(), c, i); got != report.Rejected {
			t.Fatalf("a new run over the limit: %v", got)
		}
	}
	for range before - after {
		b.hang <- struct{}{}
	}
	eventually(t, "the limit is reached from above", func() bool { return c.Stats().InFlight == after })
	if got := outcome(t.Context(), c, 1); got != report.Rejected {
		t.Errorf("a run over the limit: %v", got)
	}
	b.hang <- struct{}{}
	eventually(t, "there is room", func() bool { return c.Stats().InFlight == after-1 })
	if got := outcome(t.Context(), c, 1); got != report.Success {
		t.Errorf("a run with room: %v", got)
	}
	close(b.hang)
	pages.Wait()
}

// TestLimitThatChangesUnderLoad: however the limit moves, what runs at once is
// never more than the widest one, and no ticket is lost.
func TestLimitThatChangesUnderLoad(t *testing.T) {
	const widest = 12
	var inside, over, succeeded atomic.Int64
	c := command.New("test.moving", func(context.Context, int) (int, error) {
		if inside.Add(1) > widest {
			over.Add(1)
		}
		defer inside.Add(-1)
		return 1, nil
	})
	var pages sync.WaitGroup
	for range 16 {
		pages.Go(func() {
			for i := range 300 {
				if outcome(t.Context(), c, i) == report.Success {
					succeeded.Add(1)
				}
			}
		})
	}
	for i := range 300 {
		configure(t, c.Control, func(p *command.Policy) { p.MaxConcurrent = 1 + i%widest })
	}
	pages.Wait()
	s := c.Stats()
	if over.Load() != 0 || s.InFlight != 0 || int64(s.Outcomes["success"]) != succeeded.Load() ||
		s.Outcomes["success"]+s.Outcomes["rejected"] != 16*300 {
		t.Errorf("%d over, %d succeeded, %+v", over.Load(), succeeded.Load(), s)
	}
}

// TestShorterSleepWakesAnOpenCircuit: an operator who shortens the sleep does not
// wait for the end of the long one.
func TestShorterSleepWakesAnOpenCircuit(t *testing.T) {
	b, c := newBackend(t, func(p *command.Policy) { p.Circuit.Consecutive = 1 })
	b.down.Store(true)
	repeat(t, c, 1, report.Failure)
	repeat(t, c, 5, report.ShortCircuited)
	b.down.Store(false)
	setSleep(t, c.Control, 30*time.Minute)
	repeat(t, c, 5, report.ShortCircuited)
	setSleep(t, c.Control, time.Millisecond)
	eventually(t, "a probe closes it", func() bool { return outcome(t.Context(), c, 1) == report.Success })
	if got := c.Stats().Circuit; got != "closed" {
		t.Error(got)
	}
}

// TestLongerSleepBeginsWithTheNextWindow: nothing that has begun becomes longer.
func TestLongerSleepBeginsWithTheNextWindow(t *testing.T) {
	b, c := newBackend(t, func(p *command.Policy) { p.Circuit.Consecutive, p.Circuit.Sleep = 1, time.Nanosecond })
	b.down.Store(true)
	repeat(t, c, 1, report.Failure)
	setSleep(t, c.Control, time.Hour)
	repeat(t, c, 1, report.Failure) // the probe of the short window
	repeat(t, c, 5, report.ShortCircuited)
}

// TestCircuitTakesItsNewLimits: faults that were too few before count towards
// limits that have become narrower, and opened by none they open no more.
func TestCircuitTakesItsNewLimits(t *testing.T) {
	t.Run("consecutive", func(t *testing.T) {
		b, c := newBackend(t, asIs)
		b.down.Store(true)
		repeat(t, c, 10, report.Failure)
		configure(t, c.Control, func(p *command.Policy) { p.Circuit.Consecutive = 11 })
		repeat(t, c, 1, report.Failure)
		repeat(t, c, 1, report.ShortCircuited)
	})
	t.Run("percent", func(t *testing.T) {
		b, c := newBackend(t, func(p *command.Policy) { p.Circuit.Consecutive = never })
		b.down.Store(true)
		repeat(t, c, 30, report.Failure)
		if got := c.Stats().Circuit; got != "closed" {
			t.Fatalf("%s before the change", got)
		}
		configure(t, c.Control, func(p *command.Policy) { p.Circuit.Volume = 20 })
		eventually(t, "the share of faults opens it", func() bool { return outcome(t.Context(), c, 1) == report.ShortCircuited })
	})
	t.Run("wider", func(t *testing.T) {
		b, c := newBackend(t, func(p *command.Policy) { p.Circuit.Consecutive = 5 })
		b.down.Store(true)
		repeat(t, c, 4, report.Failure)
		configure(t, c.Control, func(p *command.Policy) { p.Circuit.Consecutive = 50 })
		repeat(t, c, 45, report.Failure)
		if got := c.Stats().Circuit; got != "closed" {
			t.Errorf("%s after fewer faults than it now takes", got)
		}
	})
}

// TestChangedCacheKeepsItsAnswers: a reload loses no stale copy that its bounds
// have room for, and ages are judged by the policy in force.
func TestChangedCacheKeepsItsAnswers(t *testing.T) {
	_, c := newScript(t, command.Cache{Fresh: forever, Stale: forever, Entries: 10})
	rung := func(query string) report.Rung {
		r := report.New("", report.Trace{})
		_, _, _ = runWith(t.Context(), r, c.Observe(query)) // the rung tells
		return r.Parts[0].Mark.Rung
	}
	change := func(cache command.Cache) {
		t.Helper()
		configure(t, c.Control, func(p *command.Policy) { p.Cache = cache })
	}
	for _, query := range []string{"a", "b", "c"} {
		if got := rung(query); got != report.Live {
			t.Fatalf("%s: %v", query, got)
		}
	}
	change(command.Cache{Fresh: forever, Stale: forever, Entries: 500, Bytes: 1 << 20})
	for _, query := range []string{"a", "b", "c"} {
		if got := rung(query); got != report.Cached {
			t.Errorf("%s in a larger cache: %v", query, got)
		}
	}
	change(command.Cache{Fresh: forever, Stale: forever, Entries: 2})
	if got := []report.Rung{rung("c"), rung("b")}; got[0] != report.Cached || got[1] != report.Cached {
		t.Errorf("the newest in a smaller cache: %v", got)
	}
	if got := rung("a"); got != report.Live {
		t.Errorf("the oldest in a smaller cache: %v", got)
	}
	change(command.Cache{Fresh: old, Stale: forever, Entries: 2})
	if got := rung("a"); got != report.Live {
		t.Errorf("an answer older than is fresh now: %v", got)
	}
	change(command.Cache{})
	change(command.Cache{Fresh: forever, Entries: 2})
	if got := rung("a"); got != report.Live {
		t.Errorf("what was turned off remembered: %v", got)
	}
}

// TestChangedCacheUnderLoad: for the race detector, and that each answer is of
// its own query whatever becomes of the cache.
func TestChangedCacheUnderLoad(t *testing.T) {
	b, c := newBackend(t, asIs)
	var pages sync.WaitGroup
	for range 6 {
		pages.Go(func() {
			for i := range 400 {
				query := i % 40
				got, _, err := runWith(t.Context(), report.New("", report.Trace{}), c.Observe(query))
				if err != nil || got != query {
					t.Errorf("%d for %d: %v", got, query, err)
				}
			}
		})
	}
	var over atomic.Bool
	go func() { pages.Wait(); over.Store(true) }()
	for i := 1; !over.Load(); i++ {
		configure(t, c.Control, func(p *command.Policy) {
			p.Cache = command.Cache{Fresh: time.Duration(i%10) * time.Hour, Entries: 1 + i%60, Bytes: int64(1000 + i%7*4000)}
		})
	}
	if calls := b.calls.Load(); calls == 0 || calls >= 6*400 {
		t.Errorf("%d calls for 2400 questions: nothing was remembered, or nothing asked", calls)
	}
}
