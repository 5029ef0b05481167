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

// opened returns a backend whose circuit is open, and lets a probe through at
// once; each probe begins a window of an hour.
func opened(t *testing.T) (*backend, *command.Command[int, int]) {
	t.Helper()
	b, c := newBackend(t, func(p *command.Policy) { p.Circuit.Consecutive, p.Circuit.Sleep = 1, time.Nanosecond })
	b.down.Store(true)
	repeat(t, c, 1, report.Failure)
	setSleep(t, c.Control, time.Hour)
	b.calls.Store(0)
	return b, c
}

func TestGoodProbeCloses(t *testing.T) {
	b, c := opened(t)
	b.down.Store(false)
	repeat(t, c, 50, report.Success)
	if s := c.Stats(); s.Circuit != "closed" || s.Opened != 1 {
		t.Errorf("%+v", s)
	}
}

func TestCallersFaultProvesTheBackendThere(t *testing.T) {
	answers := make(chan error, 2)
	c := command.New("test.there", func(context.Context, int) (int, error) { return 0, <-answers })
	configure(t, c.Control, func(p *command.Policy) { p.Circuit.Consecutive, p.Circuit.Sleep = 1, time.Nanosecond })
	answers <- errPlain
	repeat(t, c, 1, report.Failure)
	answers <- fault.New(fault.NotFound, "")
	repeat(t, c, 1, report.CallerFault)
	if state(c.Control) != "closed" {
		t.Error("open")
	}
}

func TestFailedProbeBeginsAnotherWindow(t *testing.T) {
	b, c := opened(t)
	repeat(t, c, 1, report.Failure)
	repeat(t, c, 100, report.ShortCircuited)
	if s := c.Stats(); b.calls.Load() != 1 || s.Opened != 1 || s.Circuit != "open" {
		t.Errorf("%d calls, %+v", b.calls.Load(), s)
	}
}

// The window after a failed probe begins when it has failed.
func TestSlowProbeBeginsAnotherWindow(t *testing.T) {
	const sleep = 300 * time.Millisecond
	b, c := opened(t)
	setSleep(t, c.Control, sleep)
	began := time.Now()
	var page sync.WaitGroup
	page.Go(func() {
		if got := outcome(t.Context(), c, -1); got != report.Failure {
			t.Errorf("the probe: %v", got)
		}
	})
	eventually(t, "the probe has taken a window", func() bool { return b.calls.Load() == 1 && time.Since(began) > sleep })
	close(b.hang)
	page.Wait()
	repeat(t, c, 10, report.ShortCircuited)
}

// A probe that fails after another one has followed it does not shorten the window of
// that one.
func TestProbeThatFailsLateShortensNoWindow(t *testing.T) {
	b, c := opened(t)
	setSleep(t, c.Control, time.Nanosecond)
	var page sync.WaitGroup
	page.Go(func() {
		if got := outcome(t.Context(), c, -1); got != report.Failure {
			t.Errorf("the first probe: %v", got)
		}
	})
	eventually(t, "the first probe is in", func() bool { return b.calls.Load() == 1 })
	setSleep(t, c.Control, time.Hour)
	repeat(t, c, 1, report.Failure) // the second one
	close(b.hang)
	page.Wait()
	repeat(t, c, 20, report.ShortCircuited)
}

// cancelProbe begins a probe that waits, and returns what cancels it.
func cancelProbe(t *testing.T, b *backend, c *command.Command[int, int]) (cancel func()) {
	t.Helper()
	ctx, leave := context.WithCancel(t.Context())
	before := b.calls.Load()
	var page sync.WaitGroup
	page.Go(func() {
		if got := outcome(ctx, c, -1); got != report.Canceled {
			t.Errorf("the probe: %v", got)
		}
	})
	eventually(t, "the probe is in", func() bool { return b.calls.Load() == before+1 })
	return func() { leave(); page.Wait() }
}

func TestCanceledProbeLetsAnotherFollow(t *testing.T) {
	b, c := opened(t)
	cancel := cancelProbe(t, b, c)
	repeat(t, c, 20, report.ShortCircuited) // the hour of the probe
	cancel()
	b.down.Store(false)
	repeat(t, c, 20, report.Success)
	if state(c.Control) != "closed" {
		t.Error("open")
	}
}

func TestHungProbeCanceledLateLetsNoneFollow(t *testing.T) {
	b, c := opened(t)
	setSleep(t, c.Control, time.Nanosecond)
	cancelFirst := cancelProbe(t, b, c)
	setSleep(t, c.Control, time.Hour)
	cancelSecond := cancelProbe(t, b, c)
	cancelFirst()
	repeat(t, c, 20, report.ShortCircuited)
	cancelSecond()
	repeat(t, c, 1, report.Failure)
}

func TestOneProbeAWindow(t *testing.T) {
	const sleep = 100 * time.Millisecond
	var mu sync.Mutex
	var probes []time.Time
	c := command.New("test.probes", func(context.Context, int) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		probes = append(probes, time.Now())
		return 0, errPlain
	})
	configure(t, c.Control, func(p *command.Policy) {
		p.MaxConcurrent, p.Timeout, p.Circuit.Consecutive, p.Circuit.Sleep = 1000, time.Minute, 1, sleep
	})
	began := time.Now()
	repeat(t, c, 1, report.Failure)
	seen := func() int { mu.Lock(); defer mu.Unlock(); return len(probes) }
	var callers sync.WaitGroup
	for range 400 {
		callers.Go(func() {
			if !poll(func() bool { outcome(t.Context(), c, 1); return seen() > 5 }) {
				t.Error("no probes")
			}
		})
	}
	callers.Wait()
	for i, at := range probes { // 0 is the call that opened the circuit
		if after, least := at.Sub(began), time.Duration(i)*sleep; after < least {
			t.Errorf("probe %d came after %v, want at least %v", i, after, least)
		}
	}
	if s := c.Stats(); s.Opened != 1 || s.Outcomes["short_circuited"] < 400 {
		t.Errorf("%+v", s)
	}
}

// A backend that answers a probe and nothing else.
func TestFlappingBackend(t *testing.T) {
	const sleep = 50 * time.Millisecond
	var calls atomic.Int64
	c := command.New("test.flapping", func(context.Context, int) (int, error) {
		if calls.Add(1)%4 == 0 {
			return 1, nil
		}
		return 0, errPlain
	})
	configure(t, c.Control, func(p *command.Policy) { p.Circuit.Consecutive, p.Circuit.Sleep = 3, sleep })
	began := time.Now()
	eventually(t, "it has opened ten times", func() bool { outcome(t.Context(), c, 1); return c.Stats().Opened >= 10 })
	// Between two openings lie one window and one closing: two changes a window.
	if took, least := time.Since(began), 9*sleep; took < least {
		t.Errorf("ten openings in %v, want at least %v", took, least)
	}
}

func TestEventsRefusedAreCounted(t *testing.T) {
	b, c := newBackend(t, asIs)
	command.Flood(c.Control, 200_000)
	if c.Stats().RefusedEvents == 0 {
		t.Error("hystrix-go took a flood, or nobody counted what it refused")
	}
	b.down.Store(true) // and the second trigger needs no event
	repeat(t, c, 20, report.Failure)
	repeat(t, c, 1, report.ShortCircuited)
}

func TestNoEventIsRefusedAtAModestPace(t *testing.T) {
	for _, tc := range []struct {
		name string
		down bool
	}{{"all is well", false}, {"with a fault in the window", true}} {
		t.Run(tc.name, func(t *testing.T) {
			b, c := newBackend(t, asIs)
			b.down.Store(tc.down)
			outcome(t.Context(), c, 1)
			b.down.Store(false)
			pace(1000, func(int) bool {
				for range 4 {
					outcome(t.Context(), c, 1)
				}
				return true
			})
			if s := c.Stats(); s.RefusedEvents != 0 || s.Outcomes["success"] < 4000 {
				t.Errorf("%+v", s)
			}
		})
	}
}
