package command_test

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/cache"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// shadow runs a page of one part for a shadow.
func shadow[V any](ctx context.Context, s stream.Stream[V]) (V, *report.Report, error) {
	r := report.New("", report.Trace{})
	r.Shadow = true
	return runWith(ctx, r, s)
}

// shadows runs a command n times for shadows, which all have to end in one way.
func shadows(t *testing.T, c *command.Command[int, int], n int, want report.Outcome) {
	t.Helper()
	for i := range n {
		_, r, err := shadow(t.Context(), c.Observe(i))
		if call := r.Calls()[0]; call.Outcome != want || !errors.Is(err, call.Err) || r.Parts[0].Mark != call.Mark {
			t.Fatalf("shadow %d of %d: %v (%v), want %v", i+1, n, call.Outcome, err, want)
		}
	}
}

// untouched holds what live runs are counted and limited by to what it was before.
func untouched(t *testing.T, c *command.Control) (check func()) {
	t.Helper()
	before, recent, durations := c.Stats(), c.Recent(50), c.Durations()
	before.Shadowed = nil
	return func() {
		t.Helper()
		after := c.Stats()
		after.Shadowed = nil
		same := maps.Equal(after.Outcomes, before.Outcomes) && maps.Equal(after.Rungs, before.Rungs) && maps.Equal(after.Would, before.Would)
		after.Outcomes, after.Rungs, after.Would = before.Outcomes, before.Rungs, before.Would
		if !same || !sameCounters(after, before) {
			t.Errorf("%+v, before %+v", after, before)
		}
		now := c.Recent(50)
		if now.Runs != recent.Runs || now.Answers != recent.Answers || now.Execute.Count != recent.Execute.Count ||
			now.Total.Count != recent.Total.Count || c.Durations().Count != durations.Count {
			t.Errorf("%+v, before %+v", now, recent)
		}
	}
}

func sameCounters(a, b command.Stats) bool {
	return a.Circuit == b.Circuit && a.InFlight == b.InFlight && a.Retries == b.Retries && a.Hedges == b.Hedges &&
		a.Coalesced == b.Coalesced && a.Renewed == b.Renewed && a.Opened == b.Opened && a.FaultsInARow == b.FaultsInARow &&
		a.RefusedEvents == b.RefusedEvents && a.Latency == b.Latency
}

// TestFailingShadowsOpenNothing: neither faults in a row, nor the share of them in
// hystrix-go's window, nor timeouts; and all tickets are there.
func TestFailingShadowsOpenNothing(t *testing.T) {
	b, c := newBackend(t, func(p *command.Policy) { p.Circuit.Volume, p.Circuit.Consecutive, p.MaxConcurrent = 1, 5, 10 })
	repeat(t, c, 1, report.Success)
	check := untouched(t, c.Control)
	b.down.Store(true)
	shadows(t, c, 100, report.Failure)
	configure(t, c.Control, func(p *command.Policy) { p.Timeout = time.Millisecond })
	b.slow.Store(true)
	shadows(t, c, 10, report.TimedOut)
	configure(t, c.Control, func(p *command.Policy) { p.Timeout = time.Minute })
	check()
	if n := command.Counted(c.Control); n != 0 {
		t.Errorf("hystrix-go counted %d", n)
	}
	if s := c.Stats(); s.Shadowed["failure"] != 100 || s.Shadowed["timeout"] != 10 || s.Shadowed["success"] != 0 {
		t.Errorf("%v", s.Shadowed)
	}
	b.down.Store(false)
	var pages sync.WaitGroup
	for range 10 {
		pages.Go(func() { outcome(t.Context(), c, -1) })
	}
	eventually(t, "all ten tickets are taken", func() bool { return c.Stats().InFlight == 10 })
	close(b.hang)
	pages.Wait()
	if s := c.Stats(); s.Circuit != "closed" || s.Outcomes["success"] != 11 {
		t.Errorf("%+v", s)
	}
}

// TestShadowsSaveNoCircuit: their successes do not end a run of faults.
func TestShadowsSaveNoCircuit(t *testing.T) {
	b, c := newBackend(t, func(p *command.Policy) { p.Circuit.Consecutive = 4 })
	for range 2 {
		b.down.Store(true)
		repeat(t, c, 2, report.Failure)
		b.down.Store(false)
		if state(c.Control) == "closed" {
			shadows(t, c, 20, report.Success)
		}
	}
	if s := c.Stats(); s.Circuit != "open" || s.FaultsInARow != 4 {
		t.Errorf("%+v", s)
	}
}

// TestShadowsAreNoProbe: an open circuit refuses them also when its sleep is over, and
// the probe is there for the live run that comes next.
func TestShadowsAreNoProbe(t *testing.T) {
	b, c := opened(t) // the next probe may pass at once
	b.down.Store(false)
	check := untouched(t, c.Control)
	shadows(t, c, 50, report.ShortCircuited)
	check()
	if b.calls.Load() != 0 {
		t.Errorf("%d calls", b.calls.Load())
	}
	if _, _, err := shadow(t.Context(), c.Observe(1)); !errors.Is(err, command.ErrOpen) {
		t.Error(err)
	}
	repeat(t, c, 1, report.Success)
	if state(c.Control) != "closed" {
		t.Error("the probe closed nothing")
	}
	shadows(t, c, 1, report.Success)
}

// TestShadowsUnderADecree go by it as live runs do.
func TestShadowsUnderADecree(t *testing.T) {
	b, c := opened(t)
	b.down.Store(false)
	force(t, c.Control, command.ForcedOpen, 0)
	shadows(t, c, 3, report.ShortCircuited)
	force(t, c.Control, command.ForcedClosed, 0)
	shadows(t, c, 3, report.Success)
	if b.calls.Load() != 3 {
		t.Errorf("%d calls", b.calls.Load())
	}
}

// TestShadowsHaveTicketsOfTheirOwn: a tenth, at least one; they are refused beyond, and
// live runs never because of them, nor they because of those.
func TestShadowsHaveTicketsOfTheirOwn(t *testing.T) {
	for _, tc := range []struct{ limit, shadows int }{{1, 1}, {9, 1}, {10, 1}, {29, 2}, {100, 10}} {
		b, c := newBackend(t, func(p *command.Policy) { p.MaxConcurrent = tc.limit })
		var pages sync.WaitGroup
		var refused atomic.Int64
		for i := range 3 * tc.shadows {
			pages.Go(func() {
				_, r, err := shadow(t.Context(), c.Observe(-1-i))
				if r.Calls()[0].Outcome == report.Rejected && fault.ReasonOf(err) == fault.ReasonFull {
					refused.Add(1)
				}
			})
		}
		eventually(t, "as many run as may", func() bool {
			return b.calls.Load() == int64(tc.shadows) && refused.Load() == int64(2*tc.shadows)
		})
		for i := range tc.limit {
			pages.Go(func() {
				if got := outcome(t.Context(), c, -100-i); got != report.Success {
					t.Errorf("a live run beside shadows: %v", got)
				}
			})
		}
		eventually(t, "all live ones run", func() bool { return c.Stats().InFlight == int64(tc.limit) })
		if got := outcome(t.Context(), c, 1); got != report.Rejected {
			t.Errorf("one more: %v", got)
		}
		close(b.hang)
		pages.Wait()
		if s := c.Stats(); s.InFlight != 0 || s.Shadowed["success"] != uint64(tc.shadows) || s.Shadowed["rejected"] != uint64(2*tc.shadows) {
			t.Errorf("%d tickets: %+v", tc.limit, s)
		}
	}
}

// TestHungShadowsAreEnded also where limits are only observed, and hold their tickets
// until they have really returned.
func TestHungShadowsAreEnded(t *testing.T) {
	release, late := make(chan struct{}), make(chan struct{}, 1)
	c := command.New("test.deaf", func(ctx context.Context, _ int) (int, error) {
		<-ctx.Done()
		late <- struct{}{}
		<-release
		return 0, ctx.Err()
	})
	configure(t, c.Control, func(p *command.Policy) {
		p.Timeout, p.AttemptTimeout, p.MaxConcurrent, p.Mode = time.Minute, 5*time.Millisecond, 10, command.Observe
	})
	var page sync.WaitGroup
	page.Go(func() {
		if _, r, err := shadow(t.Context(), c.Observe(1)); r.Calls()[0].Outcome != report.TimedOut || !errors.Is(err, command.ErrTimeout) {
			t.Errorf("%v %v", r.Calls()[0].Outcome, err)
		}
	})
	<-late
	shadows(t, c, 5, report.Rejected)
	close(release)
	page.Wait()
	if s := c.Stats(); s.Would["timeout"] != 0 || s.Shadowed["timeout"] != 1 {
		t.Errorf("%+v", s)
	}
}

// TestShadowsAreNotRepeated: whatever the policy says, they make one attempt, and
// spend and earn nothing of the service's budget.
func TestShadowsAreNotRepeated(t *testing.T) {
	b, c := newBackend(t, func(p *command.Policy) { p.Retry.Attempts, p.Hedge, p.AttemptTimeout = 5, true, time.Second })
	budget := command.NewBudget()
	c.Under(budget)
	for range 200 { // so that hedges know when to begin
		command.Enter(c.Control, time.Now(), time.Microsecond)
	}
	check := untouched(t, c.Control)
	b.down.Store(true)
	shadows(t, c, 20, report.Failure)
	check()
	if b.calls.Load() != 20 || budget.Refused() != 0 {
		t.Errorf("%d calls, %d refused", b.calls.Load(), budget.Refused())
	}
}

// TestShadowsShareNoCall: neither do they wait for a live one, nor it for theirs.
func TestShadowsShareNoCall(t *testing.T) {
	b, c := coalescing(t, asIs)
	var pages sync.WaitGroup
	pages.Go(func() { outcome(t.Context(), c, -1) })
	eventually(t, "the live one runs", func() bool { return b.calls.Load() == 1 })
	pages.Go(func() { _, _, _ = shadow(t.Context(), c.Observe(-1)) })
	eventually(t, "the shadow asks for itself", func() bool { return b.calls.Load() == 2 })
	pages.Go(func() { _, _, _ = shadow(t.Context(), c.Observe(-2)) })
	eventually(t, "another shadow runs", func() bool { return b.calls.Load() == 3 })
	pages.Go(func() { outcome(t.Context(), c, -2) })
	eventually(t, "the live one asks for itself", func() bool { return b.calls.Load() == 4 })
	close(b.hang)
	pages.Wait()
	if s := c.Stats(); s.Coalesced != 0 || s.Outcomes["success"] != 2 || s.Shadowed["success"] != 2 {
		t.Errorf("%+v", s)
	}
}

// TestShadowsRememberNothing: they use what is remembered, fresh, old or stale, and
// leave it as it is; what they bring nobody keeps, and no store is asked.
func TestShadowsRememberNothing(t *testing.T) {
	d := &depot{values: make(map[string]string)}
	shared := newShared(t, d)
	for name, tc := range map[string]struct {
		cache command.Cache
		down  bool
		want  report.Rung
	}{
		"fresh":       {command.Cache{Fresh: forever}, false, report.Cached},
		"old":         {command.Cache{Fresh: time.Nanosecond, Revalidate: forever}, false, report.Cached},
		"stale":       {command.Cache{Stale: forever}, true, report.Stale},
		"not used":    {command.Cache{Stale: forever}, false, report.Live},
		"in no cache": {command.Cache{}, false, report.Live},
	} {
		b, c := newBackend(t, func(p *command.Policy) { p.Cache = tc.cache })
		repeat(t, c, 1, report.Success) // remembers query 0
		if err := c.Share(shared); err != nil {
			t.Fatal(err)
		}
		b.down.Store(tc.down)
		check := untouched(t, c.Control)
		for range 3 {
			if _, r, _ := shadow(t.Context(), c.Observe(0)); r.Parts[0].Mark.Rung != tc.want {
				t.Errorf("%s: %+v", name, r.Parts[0].Mark)
			}
		}
		before := b.calls.Load()
		for range 3 { // the second and third find nothing of the first
			_, _, _ = shadow(t.Context(), c.Observe(1))
		}
		if n := b.calls.Load() - before; n != 3 || d.looks.Load() != 0 || shared.Stats().Written != 0 {
			t.Errorf("%s: %d calls, %d looks", name, n, d.looks.Load())
		}
		check()
		c.Close()
	}
}

func newShared(t *testing.T, d *depot) *cache.Shared {
	t.Helper()
	shared, err := cache.NewShared(d, cache.Options{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(shared.Close)
	return shared
}

// TestShadowsDropNothing: that a backend says no to a shadow leaves what live pages
// stand in with.
func TestShadowsDropNothing(t *testing.T) {
	var gone, down atomic.Bool
	c := command.New("test.gone", func(context.Context, int) (int, error) {
		switch {
		case gone.Load():
			return 0, fault.New(fault.NotFound, "")
		case down.Load():
			return 0, errPlain
		}
		return 1, nil
	}).Safe().Stale(time.Hour)
	repeat(t, c, 1, report.Success)
	gone.Store(true)
	shadows(t, c, 1, report.CallerFault)
	gone.Store(false)
	down.Store(true)
	if _, r, _ := runWith(t.Context(), report.New("", report.Trace{}), c.Observe(0)); r.Parts[0].Mark.Rung != report.Stale {
		t.Errorf("%+v", r.Parts[0].Mark)
	}
}

// TestBatchesOfShadows: one call, under one ticket of theirs; what is unknown is told,
// what is remembered is used, and what fails stands as it would.
func TestBatchesOfShadows(t *testing.T) {
	s, c := newShelf(t, command.Cache{Fresh: forever, Stale: forever})
	s.gone[5] = true
	askAll(t, c, []int{0, 1}, report.Live, map[int]int{0: 0, 1: 10})
	check := untouched(t, c.Control)
	got, r, err := shadow(t.Context(), all(c, upTo(8)))
	if want := map[int]int{0: 0, 1: 10, 2: 20, 3: 30, 4: 40, 6: 60, 7: 70}; err != nil || !maps.Equal(byQuery(got), want) {
		t.Errorf("%v %v", got, err)
	}
	if call := r.Calls()[0]; len(r.Calls()) != 1 || call.Keys != 6 || call.Mark.Rung != report.Live || r.Parts[0].Holes.Count != 1 {
		t.Errorf("%+v", r.Calls())
	}
	s.failing(failAll(errPlain))
	got, r, err = shadow(t.Context(), all(c, upTo(4)))
	if want := map[int]int{0: 0, 1: 10}; err != nil || !maps.Equal(byQuery(got), want) || r.Calls()[0].Outcome != report.Failure {
		t.Errorf("%v %v", got, err)
	}
	check()
	if told := c.Stats().Shadowed; told["success"] != 1 || told["failure"] != 1 {
		t.Errorf("%v", told)
	}
}

// TestPanicOfAShadow is an error like any other.
func TestPanicOfAShadow(t *testing.T) {
	c := command.New("test.panic", func(context.Context, int) (int, error) { panic("odd") })
	_, r, err := shadow(t.Context(), c.Observe(1))
	if fault.ReasonOf(err) != fault.ReasonPanic || r.Calls()[0].Outcome != report.Failure {
		t.Errorf("%v %+v", err, r.Calls()[0])
	}
}

// TestShadowsStandIns: the declared default, and no call without the time for one.
func TestShadowsStandIns(t *testing.T) {
	b, c := newBackend(t, asIs)
	c.Default(func(int) int { return 9 })
	b.down.Store(true)
	if v, r, err := shadow(t.Context(), c.Observe(1)); v != 9 || r.Parts[0].Mark.Rung != report.Default || err != nil {
		t.Errorf("%d %+v %v", v, r.Parts[0].Mark, err)
	}
	ctx, cancel := context.WithDeadlineCause(t.Context(), time.Now().Add(-time.Second), errBudget)
	defer cancel()
	_, r, _ := shadow(ctx, c.Observe(2))
	for _, call := range r.Calls() { // none, if the page had ended before
		if call.Outcome != report.OutOfBudget {
			t.Errorf("%+v", call)
		}
	}
	if b.calls.Load() != 1 {
		t.Errorf("%d calls", b.calls.Load())
	}
}

// TestNoShadowsAreToldOf until there are any.
func TestNoShadowsAreToldOf(t *testing.T) {
	_, c := newBackend(t, asIs)
	repeat(t, c, 3, report.Success)
	if told := c.Stats().Shadowed; told != nil {
		t.Error(told)
	}
}
