package command_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/report"
)

func force(t *testing.T, c *command.Control, state command.Forced, limit time.Duration) {
	t.Helper()
	if err := c.Force(state, limit); err != nil {
		t.Fatal(err)
	}
}

func TestForcedOpenAsksNothing(t *testing.T) {
	b, c := newBackend(t, asIs)
	repeat(t, c, 3, report.Success)
	force(t, c.Control, command.ForcedOpen, 0)
	repeat(t, c, 50, report.ShortCircuited)
	if s := c.Stats(); b.calls.Load() != 3 || s.Circuit != "forced_open" || !s.ForcedUntil.IsZero() || s.Opened != 0 {
		t.Errorf("%d calls, %+v", b.calls.Load(), s)
	}
	if !c.Release() || c.Release() {
		t.Error("it is released once")
	}
	repeat(t, c, 3, report.Success)
	if s := c.Stats(); s.Circuit != "closed" {
		t.Errorf("%+v", s)
	}
}

// The reason of the page is that of a circuit that opened by itself.
func TestForcedOpenIsOpen(t *testing.T) {
	_, c := newBackend(t, asIs)
	force(t, c.Control, command.ForcedOpen, time.Hour)
	if _, _, err := run(t.Context(), c.Observe(1)); !errors.Is(err, command.ErrOpen) {
		t.Errorf("%v, want %v", err, command.ErrOpen)
	}
	state, until := c.Forced()
	if left := time.Until(until); state != command.ForcedOpen || left > time.Hour || left < 59*time.Minute {
		t.Errorf("%v until %v", state, until)
	}
}

// TestForcedOpenIsNotOnlyObserved: a person decided, no limit.
func TestForcedOpenIsNotOnlyObserved(t *testing.T) {
	b, c := newBackend(t, func(p *command.Policy) { p.Mode = command.Observe })
	force(t, c.Control, command.ForcedOpen, 0)
	repeat(t, c, 5, report.ShortCircuited)
	if s := c.Stats(); b.calls.Load() != 0 || s.Would["short_circuited"] != 0 || s.Mode != "observe" {
		t.Errorf("%d calls, %+v", b.calls.Load(), s)
	}
}

func TestForcedClosedOpensForNothing(t *testing.T) {
	b, c := newBackend(t, func(p *command.Policy) { p.Circuit.Volume = 1 })
	force(t, c.Control, command.ForcedClosed, 0)
	b.down.Store(true)
	repeat(t, c, 200, report.Failure)
	if s := c.Stats(); b.calls.Load() != 200 || s.Circuit != "forced_closed" || s.Opened != 0 {
		t.Errorf("%d calls, %+v", b.calls.Load(), s)
	}
	c.Release()
	repeat(t, c, 1, report.Failure) // what was before is forgotten: it takes one now
	if s := c.Stats(); s.Opened > 1 {
		t.Errorf("%+v", s)
	}
}

// TestReleaseRemembersNothing: neither faults in a row nor a window of faults, nor
// a circuit that was open, outlives a decree.
func TestReleaseRemembersNothing(t *testing.T) {
	for name, change := range map[string]func(*command.Policy){
		"in a row":  func(p *command.Policy) { p.Circuit.Consecutive = 20 },
		"by volume": func(p *command.Policy) { p.Circuit.Volume, p.Circuit.Consecutive = 20, never },
	} {
		for _, state := range []command.Forced{command.ForcedOpen, command.ForcedClosed} {
			t.Run(name+" "+state.String(), func(t *testing.T) {
				b, c := newBackend(t, change)
				b.down.Store(true)
				repeat(t, c, 19, report.Failure)
				eventually(t, "hystrix-go has counted them", func() bool { return command.Counted(c.Control) == 19 })
				force(t, c.Control, state, 0)
				c.Release()
				repeat(t, c, 18, report.Failure)
				if s := c.Stats(); s.Circuit != "closed" || s.Opened != 0 {
					t.Errorf("%+v", s)
				}
			})
		}
	}
	b, c := opened(t)
	b.down.Store(false)
	force(t, c.Control, command.ForcedOpen, 0)
	if state(c.Control) != "forced_open" {
		t.Error(state(c.Control))
	}
	c.Release()
	repeat(t, c, 5, report.Success)
	if state(c.Control) != "closed" {
		t.Error(state(c.Control))
	}
}

// TestForcedCircuitTakesNoNoteOfCallsBefore: a call that began before a decree
// ends under it, and after it.
func TestForcedCircuitTakesNoNoteOfCallsBefore(t *testing.T) {
	b, c := newBackend(t, func(p *command.Policy) { p.Circuit.Consecutive = 1 })
	b.down.Store(true)
	var pages sync.WaitGroup
	for range 2 {
		pages.Go(func() { outcome(t.Context(), c, -1) })
	}
	eventually(t, "both calls are made", func() bool { return b.calls.Load() == 2 })
	force(t, c.Control, command.ForcedClosed, 0)
	b.hang <- struct{}{}
	c.Release()
	b.hang <- struct{}{}
	pages.Wait()
	if s := c.Stats(); s.Circuit != "closed" || s.Opened != 0 || s.Outcomes["failure"] != 2 {
		t.Errorf("%+v", s)
	}
}

func TestForceExpires(t *testing.T) {
	b, c := newBackend(t, asIs)
	force(t, c.Control, command.ForcedOpen, 50*time.Millisecond)
	repeat(t, c, 1, report.ShortCircuited)
	eventually(t, "a run is made, though nobody looked at the state", func() bool { return outcome(t.Context(), c, 1) == report.Success })
	if s := c.Stats(); s.Circuit != "closed" || !s.ForcedUntil.IsZero() || c.Release() {
		t.Errorf("%+v", s)
	}
	before := b.calls.Load()
	force(t, c.Control, command.ForcedOpen, 50*time.Millisecond)
	eventually(t, "the state ends, though no run is made", func() bool { return state(c.Control) == "closed" })
	if b.calls.Load() != before {
		t.Error("a run was made")
	}
}

func TestLaterForceReplaces(t *testing.T) {
	_, c := newBackend(t, asIs)
	force(t, c.Control, command.ForcedOpen, time.Nanosecond)
	force(t, c.Control, command.ForcedOpen, 0)
	force(t, c.Control, command.ForcedClosed, time.Hour)
	repeat(t, c, 1, report.Success)
	if state(c.Control) != "forced_closed" {
		t.Error(state(c.Control))
	}
}

func TestForceRefusesWhatIsOutOfRange(t *testing.T) {
	_, c := newBackend(t, asIs)
	for _, tc := range []struct {
		state command.Forced
		limit time.Duration
		field string
	}{
		{command.NotForced, 0, "state"}, {command.ForcedClosed + 1, 0, "state"},
		{command.ForcedOpen, -1, "for"}, {command.ForcedOpen, 24*time.Hour + 1, "for"},
	} {
		var out *command.RangeError
		if err := c.Force(tc.state, tc.limit); !errors.As(err, &out) || out.Field != tc.field {
			t.Errorf("%v for %v: %v", tc.state, tc.limit, err)
		}
	}
	if got, _ := c.Forced(); got != command.NotForced || got.String() != "not_forced" {
		t.Error(got)
	}
	force(t, c.Control, command.ForcedOpen, 24*time.Hour)
}

// TestForceUnderLoad forces and releases a circuit, and lets it expire, while 400
// callers run. Under forced open nothing is asked: calls are counted over a time
// that begins once those in progress have ended.
func TestForceUnderLoad(t *testing.T) {
	b, c := newBackend(t, func(p *command.Policy) { p.Circuit.Consecutive = 1 })
	b.down.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	var runs [400]atomic.Int64
	for i := range runs {
		callers.Go(func() {
			for ctx.Err() == nil {
				outcome(ctx, c, 1)
				runs[i].Add(1)
			}
		})
	}
	more := func() { // each caller ends a run that began after this
		var from [len(runs)]int64
		for i := range runs {
			from[i] = runs[i].Load()
		}
		eventually(t, "further runs", func() bool {
			for i := range runs {
				if runs[i].Load() < from[i]+2 {
					return false
				}
			}
			return true
		})
	}
	for range 2 {
		force(t, c.Control, command.ForcedOpen, 0)
		more()
		before := b.calls.Load()
		more()
		if asked := b.calls.Load() - before; asked != 0 {
			t.Errorf("%d calls under forced open", asked)
		}
		force(t, c.Control, command.ForcedClosed, 0)
		before = b.calls.Load()
		more()
		if b.calls.Load() == before || state(c.Control) != "forced_closed" {
			t.Error("not closed")
		}
		force(t, c.Control, command.ForcedOpen, time.Millisecond)
		eventually(t, "the end of the decree", func() bool { return state(c.Control) == "open" }) // by itself: the backend is down
		c.Release()
	}
	cancel()
	callers.Wait()
	b.down.Store(false)
	force(t, c.Control, command.ForcedOpen, 0)
	c.Release()
	repeat(t, c, 5, report.Success)
}

// BenchmarkForced is the circuit's leave with nothing forced and with something.
func BenchmarkForced(b *testing.B) {
	for _, state := range []command.Forced{command.NotForced, command.ForcedClosed, command.ForcedOpen} {
		c := command.New("bench.forced", answerOne)
		if state != command.NotForced {
			if err := c.Force(state, time.Hour); err != nil {
				b.Fatal(err)
			}
		}
		leave := command.Leave(c.Control)
		b.Run(state.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				leave()
			}
		})
	}
}
