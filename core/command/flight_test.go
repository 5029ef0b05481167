package command_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// coalescing is a command whose calls requests share.
func coalescing(t *testing.T, change func(*command.Policy)) (*backend, *command.Command[int, int]) {
	t.Helper()
	b := &backend{hang: make(chan struct{})}
	c := command.New("test.shared", b.ask).Safe()
	configure(t, c.Control, func(p *command.Policy) {
		p.Timeout, p.Coalesce = time.Minute, true
		p.Circuit.Consecutive, p.Circuit.Volume = never, never
		change(p)
	})
	t.Cleanup(c.Close)
	return b, c
}

func TestIdenticalCallsAreOne(t *testing.T) {
	b, c := coalescing(t, asIs)
	const requests = 50
	var all sync.WaitGroup
	for i := range requests {
		all.Go(func() {
			value, part, err := run(t.Context(), c.Observe(-1-i%2))
			if err != nil || value != -1-i%2 || part.Mark.Rung != report.Live {
				t.Error(value, part.Mark, err)
			}
		})
	}
	eventually(t, "all wait", func() bool { return c.Stats().Coalesced == requests-2 })
	if s := c.Stats(); b.calls.Load() != 2 || s.InFlight != 2 {
		t.Errorf("%d calls, %d tickets", b.calls.Load(), s.InFlight)
	}
	close(b.hang)
	all.Wait()
	if s := c.Stats(); s.Outcomes["success"] != 2 || s.InFlight != 0 || s.Rungs["live"] != requests {
		t.Errorf("%+v", s)
	}
	if outcome(t.Context(), c, -1); b.calls.Load() != 3 {
		t.Error("a call that has ended answers a later request")
	}
}

// TestWhoWaitsHasItsOwnDeadline: neither the first nor another one ends the call.
func TestWhoWaitsHasItsOwnDeadline(t *testing.T) {
	b, c := coalescing(t, asIs)
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan report.Outcome)
	go func() { first <- outcome(ctx, c, -1) }()
	eventually(t, "the call is made", func() bool { return b.calls.Load() == 1 })
	short, end := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer end()
	second := make(chan error)
	go func() { _, _, err := run(short, c.Observe(-1)); second <- err }()
	third := make(chan int)
	go func() { value, _, _ := run(t.Context(), c.Observe(-1)); third <- value }()
	eventually(t, "three wait", func() bool { return c.Stats().Coalesced == 2 })
	cancel() // the client for whom it was begun
	if got := <-first; got != report.Canceled {
		t.Error(got)
	}
	if err := <-second; err == nil || fault.CodeOf(err) == fault.OK {
		t.Error(err)
	}
	b.hang <- struct{}{}
	if got := <-third; got != -1 || b.calls.Load() != 1 {
		t.Errorf("%d after %d calls", got, b.calls.Load())
	}
}

// TestSharedFaultIsOne: whoever waits gets it, and the circuit counts it once.
func TestSharedFaultIsOne(t *testing.T) {
	b, c := coalescing(t, func(p *command.Policy) { p.Circuit.Consecutive = 2 })
	b.down.Store(true)
	const requests = 10
	var all sync.WaitGroup
	for range requests {
		all.Go(func() {
			if _, part, err := run(t.Context(), c.Observe(-1)); !errors.Is(err, errPlain) || part.Mark.Reason != fault.ReasonError {
				t.Error(part.Mark, err)
			}
		})
	}
	eventually(t, "all wait", func() bool { return c.Stats().Coalesced == requests-1 })
	b.hang <- struct{}{}
	all.Wait()
	if s := c.Stats(); s.Outcomes["failure"] != 1 || s.Circuit != "closed" {
		t.Errorf("%+v", s)
	}
}

func TestSharedPanicHarmsNobody(t *testing.T) {
	c := command.New("test.panics", func(context.Context, int) (int, error) { return 1, nil }).Safe().
		Tags(func(int, int) []string { panic("tags") })
	t.Cleanup(c.Close)
	configure(t, c.Control, func(p *command.Policy) { p.Coalesce, p.Cache.Fresh = true, time.Hour })
	for range 2 {
		if _, _, err := run(t.Context(), c.Observe(1)); fault.ReasonOf(err) != fault.ReasonPanic {
			t.Error(err)
		}
	}
}

func TestClosedCommandSharesNothing(t *testing.T) {
	b, c := coalescing(t, asIs)
	ended := make(chan error)
	go func() { _, _, err := run(t.Context(), c.Observe(-1)); ended <- err }()
	eventually(t, "the call is made", func() bool { return b.calls.Load() == 1 })
	c.Close()
	if err := <-ended; fault.CodeOf(err) != fault.Canceled && fault.CodeOf(err) != fault.Unavailable {
		t.Error(err)
	}
	if _, _, err := run(t.Context(), c.Observe(1)); fault.CodeOf(err) != fault.Unavailable || b.calls.Load() != 1 {
		t.Error(err, b.calls.Load())
	}
	c.Close()
}

// TestBatchAcrossRequests: what different requests ask for within the window is one
// call, each key once, and no call has more keys than it may.
func TestBatchAcrossRequests(t *testing.T) {
	s, c := newShelf(t, command.Cache{})
	t.Cleanup(c.Close)
	configure(t, c.Control, func(p *command.Policy) { p.Timeout, p.BatchWindow = time.Minute, 20*time.Millisecond })
	const requests = 450
	var all sync.WaitGroup
	for i := range requests {
		all.Go(func() {
			for _, q := range []int{i, i % 10} { // two requests, one after the other
				if value, part, err := run(t.Context(), c.Observe(q)); err != nil || value != q*10 || part.Mark.Rung != report.Live {
					t.Error(value, part.Mark, err)
				}
			}
		})
	}
	all.Wait()
	var keys int
	for _, asked := range s.asked() {
		if keys += len(asked); len(asked) > command.BatchLimit || len(slices.Compact(slices.Sorted(slices.Values(asked)))) != len(asked) {
			t.Errorf("a batch of %d keys", len(asked))
		}
	}
	if n := len(s.asked()); n > requests/3 || keys < requests {
		t.Errorf("%d batches of %d keys", n, keys)
	}
}

func TestBatchAcrossRequestsKeepsAnswersApart(t *testing.T) {
	s, c := newShelf(t, command.Cache{Stale: forever})
	t.Cleanup(c.Close)
	configure(t, c.Control, func(p *command.Policy) { p.Timeout, p.BatchWindow = time.Minute, time.Millisecond })
	askAll(t, c, []int{1, 2, 3}, report.Live, map[int]int{1: 10, 2: 20, 3: 30})
	s.failing(failAll(errPlain))
	askAll(t, c, []int{1, 2}, report.Stale, map[int]int{1: 10, 2: 20})
	s.failing(nil)
	part := askAll(t, c, []int{1, 5000}, report.Live, map[int]int{1: 10})
	if part.Holes != (report.Holes{Count: 1, Reason: fault.ReasonNotFound}) {
		t.Errorf("%+v", part)
	}
}

// TestOneRequestSharesNothing: the batches of one request are for no other, however
// many of them leave in one window; what another request adds to them is shared.
func TestOneRequestSharesNothing(t *testing.T) {
	s, c := newShelf(t, command.Cache{})
	t.Cleanup(c.Close)
	configure(t, c.Control, func(p *command.Policy) { p.Timeout, p.BatchWindow = time.Minute, 100*time.Millisecond })
	if got, _, err := run(t.Context(), all(c, upTo(450))); err != nil || len(got) != 450 || c.Stats().Coalesced != 0 {
		t.Errorf("%d answers, %v, %d shared", len(got), err, c.Stats().Coalesced)
	}
	before := len(s.asked())
	var both sync.WaitGroup
	for i := range 2 {
		both.Go(func() { _, _, _ = run(t.Context(), all(c, upTo(100 * (i + 1))[100*i:])) })
	}
	both.Wait()
	if n := len(s.asked()) - before; n == 1 && c.Stats().Coalesced != 100 || n == 2 && c.Stats().Coalesced != 0 {
		t.Errorf("%d batches, %d shared", n, c.Stats().Coalesced)
	}
}

// TestClosedCommandWaitsForNoWindow: what waits for one to close fails at once, and
// no window is opened any more.
func TestClosedCommandWaitsForNoWindow(t *testing.T) {
	s, c := newShelf(t, command.Cache{})
	configure(t, c.Control, func(p *command.Policy) { p.Timeout, p.BatchWindow = time.Minute, 100*time.Millisecond })
	ended := make(chan error)
	go func() { _, _, err := run(t.Context(), c.Observe(1)); ended <- err }()
	eventually(t, "it waits", func() bool { return command.Waiting(c) == 1 })
	c.Close()
	if n := command.Waiting(c); n != 0 {
		t.Errorf("%d wait for a window that is no more", n)
	}
	_, _, after := run(t.Context(), c.Observe(2))
	for _, err := range []error{<-ended, after} {
		if fault.CodeOf(err) != fault.Unavailable {
			t.Error(err)
		}
	}
	if command.Windowed(c) || len(s.asked()) != 0 {
		t.Error("a window was opened, or a call made")
	}
}

// TestCoalescingUnderLoad: for the race detector; each gets the answer to its own query.
func TestCoalescingUnderLoad(t *testing.T) {
	b, c := coalescing(t, func(p *command.Policy) { p.MaxConcurrent, p.Cache.Fresh = 1000, 50*time.Microsecond })
	var wrong atomic.Int64
	var all sync.WaitGroup
	for g := range 16 {
		all.Go(func() {
			for i := range 300 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(g%4)*time.Millisecond+time.Millisecond)
				q := i % 20
				if value, _, err := run(ctx, c.Observe(q)); err == nil && value != q {
					wrong.Add(1)
				}
				cancel()
			}
		})
	}
	all.Wait()
	c.Close()
	if s := c.Stats(); wrong.Load() != 0 || s.InFlight != 0 || b.calls.Load() == 0 {
		t.Errorf("%d wrong, %+v", wrong.Load(), s)
	}
}

// BenchmarkCoalesced is a page of one command whose call is shared, with nobody to share it.
func BenchmarkCoalesced(b *testing.B) {
	c := command.New("bench.coalesced", answerOne).Safe()
	defer c.Close()
	configure(b, c.Control, func(p *command.Policy) { p.Coalesce = true })
	benchmarkPage(b, func() stream.Stream[int] { return c.Observe(1) })
}
