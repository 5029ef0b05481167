package command_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// script is a backend that answers with the number of the call, or fails.
type script struct {
	calls   atomic.Int64
	err     error
	caching report.Caching
	bytes   int
}

func (s *script) ask(ctx context.Context, _ string) (int, error) {
	n := int(s.calls.Add(1))
	call := report.CallFrom(ctx)
	call.Caching, call.Bytes = s.caching, s.bytes
	return n, s.err
}

func newScript(t *testing.T, cache command.Cache) (*script, *command.Command[string, int]) {
	t.Helper()
	s := &script{caching: report.Caching{MaxAge: report.Unlimited}}
	c := command.New("test.ladder", s.ask).Safe()
	configure(t, c.Control, func(p *command.Policy) { p.Cache = cache })
	return s, c
}

const (
	old     = time.Nanosecond // fresh for no time
	forever = 24 * time.Hour
)

func TestLadder(t *testing.T) {
	notFound, failure := fault.New(fault.NotFound, ""), fault.New(fault.BadAnswer, "")
	standIn := func(string) int { return -1 }
	for _, tc := range []struct {
		name     string
		cache    command.Cache
		remember bool
		standIn  func(string) int
		err      error

		value, calls int
		rung         report.Rung
		reason       fault.Reason
	}{
		{"fresh", command.Cache{Fresh: forever, Stale: forever}, true, standIn, failure, 1, 1, report.Cached, fault.None},
		{"live", command.Cache{Fresh: forever}, false, standIn, nil, 1, 1, report.Live, fault.None},
		{"live after fresh", command.Cache{Fresh: old, Stale: forever}, true, standIn, nil, 2, 2, report.Live, fault.None},
		{"stale", command.Cache{Fresh: old, Stale: forever}, true, standIn, failure, 1, 2, report.Stale, fault.ReasonInvalid},
		{"stale, never fresh", command.Cache{Stale: forever}, true, nil, errPlain, 1, 2, report.Stale, fault.ReasonError},
		{"default", command.Cache{Stale: forever}, false, standIn, failure, -1, 1, report.Default, fault.ReasonInvalid},
		{"default, too old", command.Cache{Fresh: old, Stale: old}, true, standIn, errPlain, -1, 2, report.Default, fault.ReasonError},
		{"missing", command.Cache{}, true, nil, failure, 0, 2, report.Missing, fault.ReasonInvalid},
		{"missing, too old", command.Cache{Fresh: old, Stale: old}, true, nil, errPlain, 0, 2, report.Missing, fault.ReasonError},
		{"caller's fault", command.Cache{Fresh: old, Stale: forever}, true, standIn, notFound, 0, 2, report.Missing, fault.ReasonNotFound},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, c := newScript(t, tc.cache)
			if tc.remember {
				ask(t, c, report.Live, 1)
			}
			s.err = tc.err
			value, part, err := run(t.Context(), c.Default(tc.standIn).Observe("q"))
			if value != tc.value || int(s.calls.Load()) != tc.calls || part.Mark.Rung != tc.rung || part.Mark.Reason != tc.reason {
				t.Errorf("%d, %d calls, %+v", value, s.calls.Load(), part.Mark)
			}
			if (err != nil) != (tc.rung == report.Missing) || err != nil && !errors.Is(err, tc.err) {
				t.Errorf("error %v", err)
			}
			if got := c.Stats().Rungs[tc.rung.String()]; got == 0 {
				t.Errorf("rungs %v", c.Stats().Rungs)
			}
		})
	}
}

// ask observes "q" and checks where the answer stands and which it is.
func ask(t *testing.T, c *command.Command[string, int], want report.Rung, value int) report.Part {
	t.Helper()
	got, part, _ := run(t.Context(), c.Observe("q"))
	if part.Mark.Rung != want || got != value {
		t.Fatalf("%d %v, want %d %v", got, part.Mark.Rung, value, want)
	}
	return part
}

func TestAge(t *testing.T) {
	s, c := newScript(t, command.Cache{Fresh: forever, Stale: forever})
	began := time.Now()
	ask(t, c, report.Live, 1)
	eventually(t, "the copy is 20 ms old", func() bool { return ask(t, c, report.Cached, 1).Mark.Age >= 20*time.Millisecond })
	configure(t, c.Control, func(p *command.Policy) { p.Cache.Fresh = old })
	s.err = errPlain
	if age := ask(t, c, report.Stale, 1).Mark.Age; age < 20*time.Millisecond || age > time.Since(began) {
		t.Errorf("age %v", age)
	}
}

func TestCallersFaultForgets(t *testing.T) {
	s, c := newScript(t, command.Cache{Fresh: old, Stale: forever})
	ask(t, c, report.Live, 1)
	s.err = fault.New(fault.NotFound, "")
	ask(t, c, report.Missing, 0)
	s.err = errPlain
	ask(t, c, report.Missing, 0) // the copy of what is no more does not come back
}

func TestBackendShortensCaching(t *testing.T) {
	for _, tc := range []struct {
		name    string
		fresh   time.Duration
		caching report.Caching
		then    report.Rung // while it works
		failing report.Rung // when it fails
	}{
		{"says nothing", forever, report.Caching{MaxAge: report.Unlimited}, report.Cached, report.Cached},
		{"forbids", forever, report.Caching{NoStore: true, MaxAge: report.Unlimited}, report.Live, report.Missing},
		{"shortens", forever, report.Caching{MaxAge: old}, report.Live, report.Stale},
		{"shortens to nothing", forever, report.Caching{}, report.Live, report.Stale},
		{"allows nothing old", old, report.Caching{MaxAge: report.Unlimited, NoStale: true}, report.Live, report.Missing},
		{"lets it stand in until it is old", old, report.Caching{MaxAge: forever, NoStale: true}, report.Live, report.Stale},
		{"lets it stand in no longer", old, report.Caching{MaxAge: old, StaleFor: old}, report.Live, report.Missing},
		{"lets it stand in", old, report.Caching{MaxAge: old, StaleFor: forever}, report.Live, report.Stale},
		{"extends in vain", old, report.Caching{MaxAge: forever}, report.Live, report.Stale},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, c := newScript(t, command.Cache{Fresh: tc.fresh, Stale: forever})
			s.caching = tc.caching
			for i, want := range []report.Rung{report.Live, tc.then, tc.failing} {
				if i == 2 {
					s.err = errPlain
				}
				if _, part, _ := run(t.Context(), c.Observe("q")); part.Mark.Rung != want {
					t.Errorf("answer %d: %v, want %v", i+1, part.Mark.Rung, want)
				}
			}
		})
	}
}

func TestForbiddenAnswerReplacesTheRememberedOne(t *testing.T) {
	s, c := newScript(t, command.Cache{Fresh: old, Stale: forever})
	ask(t, c, report.Live, 1)
	s.caching.NoStore = true
	ask(t, c, report.Live, 2)
	s.err = errPlain
	ask(t, c, report.Missing, 0)
}

func TestPolicyChangesLive(t *testing.T) {
	long := command.Cache{Fresh: forever, Stale: forever}
	for _, tc := range []struct {
		name  string
		after command.Cache
		want  report.Rung // when the backend fails
	}{
		{"as it was", long, report.Cached},
		{"the bounds spelt out", command.Cache{Fresh: forever, Entries: 10_000, Bytes: 16 << 20}, report.Cached},
		{"fresh shortened", command.Cache{Fresh: old, Stale: forever}, report.Stale},
		{"stale shortened", command.Cache{Fresh: old, Stale: old}, report.Missing},
		{"fresh alone", command.Cache{Fresh: forever}, report.Cached},
		{"off", command.Cache{}, report.Missing},
		{"other bounds", command.Cache{Fresh: forever, Entries: 5}, report.Cached},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s, c := newScript(t, long)
			ask(t, c, report.Live, 1)
			configure(t, c.Control, func(p *command.Policy) { p.Cache = tc.after })
			s.err = errPlain
			if _, part, _ := run(t.Context(), c.Observe("q")); part.Mark.Rung != tc.want {
				t.Errorf("%v, want %v", part.Mark.Rung, tc.want)
			}
		})
	}
}

// A cache that was off has the bounds of the policy that turns it on.
func TestBoundsAfterOff(t *testing.T) {
	_, c := newScript(t, command.Cache{Fresh: forever})
	configure(t, c.Control, func(p *command.Policy) { p.Cache = command.Cache{Entries: 1} })
	configure(t, c.Control, func(p *command.Policy) { p.Cache = command.Cache{Entries: 1, Fresh: forever} })
	for i, want := range []report.Rung{report.Live, report.Live, report.Live} {
		if _, part, _ := run(t.Context(), c.Observe(fmt.Sprint("q", i%2))); part.Mark.Rung != want {
			t.Errorf("answer %d: %v, want %v: it remembers more than one", i+1, part.Mark.Rung, want)
		}
	}
}

func TestBytesBoundTheCache(t *testing.T) {
	s, c := newScript(t, command.Cache{Fresh: forever, Bytes: 10_000})
	s.bytes = 20_000
	ask(t, c, report.Live, 1)
	ask(t, c, report.Live, 2)
	s.bytes = 1000
	ask(t, c, report.Live, 3)
	ask(t, c, report.Cached, 3)
}

func TestOneRunARequest(t *testing.T) {
	s, c := newScript(t, command.Cache{})
	page := func() (a, b, other int) {
		type sums struct{ a, b, other int }
		ctx, scope := stream.Open(t.Context(), report.New("", report.Trace{}))
		defer scope.Close()
		p, err := stream.Assemble(
			stream.Required("a", c.Observe("q"), func(p *sums, v int) { p.a = v }),
			stream.Required("b", stream.Map(c.Observe("q"), func(v int) int { return v }), func(p *sums, v int) { p.b = v }),
			stream.Required("other", c.Observe("r"), func(p *sums, v int) { p.other = v }),
		).Run(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return p.a, p.b, p.other
	}
	for request := 1; request <= 2; request++ {
		if a, b, other := page(); a != b || a == other || s.calls.Load() != int64(2*request) {
			t.Errorf("request %d: %d %d %d in %d calls", request, a, b, other, s.calls.Load())
		}
	}
}

// Two commands of the same types share nothing in a request.
func TestCommandsAreApart(t *testing.T) {
	_, one := newScript(t, command.Cache{})
	two := command.New("test.two", func(context.Context, string) (int, error) { return 2, nil })
	type both struct{ one, two int }
	ctx, scope := stream.Open(t.Context(), report.New("", report.Trace{}))
	defer scope.Close()
	got, err := stream.Assemble(
		stream.Required("one", one.Observe("q"), func(p *both, v int) { p.one = v }),
		stream.Required("two", two.Observe("q"), func(p *both, v int) { p.two = v }),
	).Run(ctx)
	if got != (both{1, 2}) || err != nil {
		t.Errorf("%+v %v", got, err)
	}
}

func TestUsersAreApart(t *testing.T) {
	type query struct{ user, id string }
	var calls atomic.Int64
	c := command.New("test.users", func(_ context.Context, q query) (query, error) {
		if calls.Add(1)%7 == 0 {
			return query{}, errPlain
		}
		return q, nil
	}).Safe()
	configure(t, c.Control, func(p *command.Policy) {
		p.MaxConcurrent, p.Cache = 1000, command.Cache{Fresh: 50 * time.Microsecond, Stale: forever, Entries: 100}
		p.Circuit.Consecutive, p.Circuit.Volume = never, never
	})
	var pages sync.WaitGroup
	for user := range 40 {
		pages.Go(func() {
			for i := range 50 {
				q := query{fmt.Sprint("u-", user), fmt.Sprint("p-", i%5)}
				if got, _, err := run(t.Context(), c.Observe(q)); err == nil && got != q {
					t.Errorf("%v got the answer of %v", q, got)
				}
			}
		})
	}
	pages.Wait()
	if s := c.Stats(); s.Rungs["stale"] == 0 || s.Rungs["live"] == 0 {
		t.Errorf("the test has not seen all rungs: %+v", s.Rungs)
	}
}

func TestStaleDeclared(t *testing.T) {
	s := &script{}
	c := command.New("test.stale", s.ask).Safe().Stale(forever)
	ask(t, c, report.Live, 1)
	s.err = errPlain
	ask(t, c, report.Stale, 1)
	defer func() {
		if recover() == nil {
			t.Error("a stale limit below zero was taken")
		}
	}()
	c.Stale(-1)
}
