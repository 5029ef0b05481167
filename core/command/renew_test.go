package command_test

import (
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/cache"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// renewing is a policy under which an answer is old at once and used for long.
func renewing() command.Cache {
	return command.Cache{Fresh: time.Nanosecond, Revalidate: forever, Stale: forever}
}

func TestOldAnswerIsUsedWhileItIsRenewed(t *testing.T) {
	b, c := newBackend(t, func(p *command.Policy) { p.Cache = renewing() })
	t.Cleanup(c.Close)
	go func() { b.hang <- struct{}{} }()
	if got := outcome(t.Context(), c, -1); got != report.Success {
		t.Fatal(got)
	}
	for range 20 { // the renewal hangs, nobody waits for it, and there is one of it
		value, part, err := run(t.Context(), c.Observe(-1))
		if err != nil || value != -1 || part.Mark.Rung != report.Cached || part.Mark.Age <= 0 {
			t.Fatal(value, part.Mark, err)
		}
	}
	eventually(t, "it is renewed", func() bool { return b.calls.Load() == 2 })
	if s := c.Stats(); s.Renewed != 0 || s.InFlight != 1 {
		t.Errorf("%+v", s)
	}
	b.hang <- struct{}{}
	eventually(t, "the renewal ends", func() bool { return c.Stats().Renewed == 1 })
	if b.calls.Load() != 2 {
		t.Errorf("%d calls", b.calls.Load())
	}
}

func TestFailedRenewalLeavesTheOldAnswer(t *testing.T) {
	b, c := newBackend(t, func(p *command.Policy) { p.Cache = renewing() })
	t.Cleanup(c.Close)
	repeat(t, c, 1, report.Success)
	b.down.Store(true)
	for n := int64(2); n < 10; n++ {
		_, part, err := run(t.Context(), c.Observe(0))
		if err != nil || part.Mark.Rung != report.Cached {
			t.Fatal(part.Mark, err)
		}
		eventually(t, "it is asked again", func() bool { return b.calls.Load() >= n && c.Stats().InFlight == 0 })
	}
	if s := c.Stats(); s.Renewed != 0 || s.Outcomes["failure"] == 0 {
		t.Errorf("%+v", s)
	}
}

func TestNoRenewalBeyondItsLimit(t *testing.T) {
	for _, tc := range []struct {
		name    string
		cache   command.Cache
		caching report.Caching
		want    report.Rung
	}{
		{"off", command.Cache{Fresh: old, Stale: forever}, report.Caching{MaxAge: report.Unlimited}, report.Live},
		{"on", renewing(), report.Caching{MaxAge: report.Unlimited}, report.Cached},
		{"over", command.Cache{Fresh: old, Revalidate: 2 * old, Stale: forever}, report.Caching{MaxAge: report.Unlimited}, report.Live},
		{"the backend allows no age", renewing(), report.Caching{}, report.Live},
		{"the backend forbids", renewing(), report.Caching{NoStore: true}, report.Live},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, c := newScript(t, tc.cache)
			t.Cleanup(c.Close)
			s.caching = tc.caching
			ask(t, c, report.Live, 1)
			if _, part, _ := run(t.Context(), c.Observe("q")); part.Mark.Rung != tc.want {
				t.Errorf("%v, want %v", part.Mark.Rung, tc.want)
			}
		})
	}
}

func TestBatchIsRenewedInOneCall(t *testing.T) {
	s, c := newShelf(t, renewing())
	t.Cleanup(c.Close)
	values := map[int]int{}
	for i := range 50 {
		values[i] = i * 10
	}
	askAll(t, c, upTo(50), report.Live, values)
	askAll(t, c, upTo(50), report.Cached, values)
	eventually(t, "they are renewed", func() bool { return c.Stats().Renewed == 50 })
	if asked := s.asked(); len(asked) != 2 {
		t.Errorf("%d calls", len(asked))
	}
}

// TestRenewalsLeaveTicketsForRequests: however many answers are old and however slow
// their renewal is, half of the tickets are for who waits for an answer.
func TestRenewalsLeaveTicketsForRequests(t *testing.T) {
	b, c := newBackend(t, func(p *command.Policy) { p.Cache, p.MaxConcurrent = renewing(), 10 })
	t.Cleanup(c.Close)
	for q := range 30 { // they are remembered, and soon old
		_, _, _ = run(t.Context(), c.Observe(q+1))
	}
	b.slow.Store(true)
	for q := range 30 {
		if _, part, err := run(t.Context(), c.Observe(q+1)); err != nil || part.Mark.Rung != report.Cached {
			t.Fatalf("%+v, %v", part.Mark, err)
		}
	}
	eventually(t, "half of the tickets renew", func() bool { return c.Stats().InFlight == 5 })
	b.slow.Store(false)
	if got := outcome(t.Context(), c, 1000); got != report.Success || c.Stats().Outcomes["rejected"] != 0 {
		t.Errorf("%v, %+v", got, c.Stats())
	}
	close(b.hang)
}

func TestNegativeAnswers(t *testing.T) {
	for _, tc := range []struct {
		name     string
		negative time.Duration
		err      error
		caching  report.Caching
		calls    int64 // of two requests
	}{
		{"off", 0, fault.New(fault.NotFound, ""), report.Caching{MaxAge: report.Unlimited}, 2},
		{"on", forever, fault.New(fault.NotFound, ""), report.Caching{MaxAge: report.Unlimited}, 1},
		{"over", old, fault.New(fault.NotFound, ""), report.Caching{MaxAge: report.Unlimited}, 2},
		{"forbidden", forever, fault.New(fault.NotFound, ""), report.Caching{NoStore: true}, 2},
		{"shortened to nothing", forever, fault.New(fault.NotFound, ""), report.Caching{MaxAge: 0}, 2},
		{"shortened", forever, fault.New(fault.NotFound, ""), report.Caching{MaxAge: old}, 2},
		{"the question is wrong", forever, fault.New(fault.Invalid, ""), report.Caching{MaxAge: report.Unlimited}, 2},
		{"a failure", forever, errPlain, report.Caching{MaxAge: report.Unlimited}, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, c := newScript(t, command.Cache{Stale: forever, Negative: tc.negative})
			s.err, s.caching = tc.err, tc.caching
			var code [2]fault.Code
			for i := range code {
				_, part, err := run(t.Context(), c.Observe("q"))
				if code[i] = fault.CodeOf(err); part.Mark.Rung != report.Missing {
					t.Errorf("%+v", part.Mark)
				}
			}
			if s.calls.Load() != tc.calls || code[0] != code[1] {
				t.Errorf("%d calls, %v", s.calls.Load(), code)
			}
			s.err = nil // it is there now
			if want := report.Live; tc.calls == 2 {
				ask(t, c, want, 3)
			} else if n := c.Invalidated(cache.Invalidation{Command: "test.ladder", Key: "q"}); n != 1 {
				t.Errorf("%d forgotten", n)
			} else {
				ask(t, c, want, 2)
			}
		})
	}
}

func TestUnknownOfABatchIsRemembered(t *testing.T) {
	s, c := newShelf(t, command.Cache{Fresh: forever, Negative: forever})
	askAll(t, c, []int{1, 2, 5000}, report.Live, map[int]int{1: 10, 2: 20})
	askAll(t, c, []int{1, 2, 5000}, report.Cached, map[int]int{1: 10, 2: 20})
	if asked := s.asked(); len(asked) != 1 {
		t.Errorf("%d calls", len(asked))
	}
}

func TestForgottenAnswersAreAskedForAgain(t *testing.T) {
	s, c := newScript(t, command.Cache{Fresh: forever, Stale: forever})
	c.Tags(func(query string, _ int) []string { return []string{"letter:" + query} })
	ask(t, c, report.Live, 1)
	if n := c.Invalidated(cache.Invalidation{Tag: "letter:r"}) + c.Invalidated(cache.Invalidation{Command: "test.ladder", Key: "r"}); n != 0 {
		t.Errorf("%d forgotten of another", n)
	}
	ask(t, c, report.Cached, 1)
	if n := c.Invalidated(cache.Invalidation{Tag: "letter:q"}); n != 1 {
		t.Errorf("%d forgotten", n)
	}
	ask(t, c, report.Live, 2)
	if n := c.Invalidated(cache.Invalidation{Command: "test.ladder", Key: "q"}); n != 1 {
		t.Errorf("%d forgotten", n)
	}
	ask(t, c, report.Live, 3)
	c.Invalidated(cache.Invalidation{All: true})
	ask(t, c, report.Live, 4)
	c.Invalidated(cache.Invalidation{All: true})
	s.err = errPlain
	ask(t, c, report.Stale, 4)
}

// TestAnswerOutrunByItsInvalidationIsNotRemembered: it may be of before.
func TestAnswerOutrunByItsInvalidationIsNotRemembered(t *testing.T) {
	b, c := newBackend(t, func(p *command.Policy) { p.Cache = command.Cache{Fresh: forever} })
	done := make(chan report.Outcome)
	go func() { done <- outcome(t.Context(), c, -1) }()
	eventually(t, "it is asked for", func() bool { return b.calls.Load() == 1 })
	c.Invalidated(cache.Invalidation{Command: "test.circuit", Key: "-1"})
	b.hang <- struct{}{}
	if got := <-done; got != report.Success {
		t.Fatal(got)
	}
	go func() { b.hang <- struct{}{} }()
	if outcome(t.Context(), c, -1); b.calls.Load() != 2 {
		t.Error("what was forgotten while it was asked for is remembered")
	}
}

func TestJitterSpreadsWhatWasRememberedTogether(t *testing.T) {
	for _, jitter := range []int{0, 10, 50} {
		low, high := time.Duration(1<<62), time.Duration(0)
		for range 2000 {
			d := command.Kept(command.Cache{Fresh: time.Hour, Jitter: jitter}, time.Hour)
			low, high = min(low, d), max(high, d)
		}
		least := time.Hour * time.Duration(100-jitter) / 100
		if low < least || low > least+time.Minute || high > time.Hour || high < time.Hour-time.Minute {
			t.Errorf("with a jitter of %d %%: %v to %v", jitter, low, high)
		}
	}
}
