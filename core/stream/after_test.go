package stream_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// later opens a scope after another one.
func later(t testing.TB, earlier *stream.Scope) (context.Context, *stream.Scope) {
	t.Helper()
	ctx, scope := stream.OpenAfter(t.Context(), report.New("", report.Trace{}), earlier)
	t.Cleanup(func() {
		if !drained(scope) {
			t.Error("streams that run on")
		}
	})
	return ctx, scope
}

// runs a page of one optional part in a scope.
func runs[T any](ctx context.Context, t testing.TB, scope *stream.Scope, s stream.Stream[T]) told[T] {
	t.Helper()
	page, err := stream.Assemble(stream.Optional("only", s, func(p *told[T], v T) { p.value, p.placed = v, p.placed+1 })).Run(ctx)
	page.part, page.err = scope.Report().Parts[0], err
	return page
}

// TestLaterScopeTakesWhatIsAnswered: a value and an error alike, with its mark, and
// asks for what is not, or is only the end of who asked. So does one after it.
func TestLaterScopeTakesWhatIsAnswered(t *testing.T) {
	old := report.Mark{Rung: report.Stale, Age: time.Minute, Reason: fault.ReasonBudget}
	for _, c := range []struct {
		name  string
		value int
		mark  report.Mark
		err   error
		taken bool
	}{
		{"a live value", 3, live, nil, true},
		{"a stale value, for want of time", 4, old, nil, true},
		{"an error", 0, report.Mark{}, errOdd, true},
		{"a refusal", 0, report.Mark{}, fault.Because(fault.ReasonOpen, errOdd), true},
		{"an absence", 0, report.Mark{}, fault.Because(fault.ReasonNotFound, errOdd), true},
		{"the end of the request", 0, report.Mark{}, fault.Because(fault.ReasonCanceled, errOdd), false},
		{"the end of its client", 0, report.Mark{}, context.Canceled, false},
		{"the end of its time", 0, report.Mark{}, fault.Because(fault.ReasonBudget, errOdd), false},
	} {
		var asked atomic.Int64
		ask := func(context.Context) (int, report.Mark, error) {
			if asked.Add(1) > 1 {
				return 7, live, nil
			}
			return c.value, c.mark, c.err
		}
		many := stream.Collapser[int, int]{Limit: 3, One: func(ctx context.Context, _ int) (int, report.Mark, error) { return ask(ctx) }}
		for how, s := range map[string]func() stream.Stream[int]{
			"alone":      func() stream.Stream[int] { return stream.Source("key", ask) },
			"among many": func() stream.Stream[int] { return many.Stream(1) },
			"in a chain": func() stream.Stream[int] {
				return stream.Then(stream.Of(0), func(int) stream.Stream[int] { return stream.Source("chained", ask) })
			},
		} {
			asked.Store(0)
			ctx, first := open(t.Context(), t)
			before := runs(ctx, t, first, s())
			first.Close()
			last := first
			for range 2 {
				var next *stream.Scope
				ctx, next = later(t, last)
				got := runs(ctx, t, next, s())
				next.Close()
				last = next
				switch {
				case c.taken && (got.value != before.value || got.part.Mark != before.part.Mark ||
					!errors.Is(got.part.Err, before.part.Err) || got.part.Took <= 0 || asked.Load() != 1):
					t.Errorf("%s %s: %+v, not %+v, asked %d times", c.name, how, got, before, asked.Load())
				case !c.taken && (got.value != 7 || asked.Load() != 2): // and of the second, which has an answer, it is taken
					t.Errorf("%s %s: %+v, asked %d times", c.name, how, got, asked.Load())
				}
			}
		}
	}
}

// TestLaterScopeFailsWithTheEarlierAnswer: a required part has not to wait for it.
func TestLaterScopeFailsWithTheEarlierAnswer(t *testing.T) {
	one := func() stream.Stream[int] {
		return stream.Source("one", func(context.Context) (int, report.Mark, error) { return 0, report.Mark{}, errOdd })
	}
	shelf := newShelf(3)
	ctx, first := open(t.Context(), t)
	runs(ctx, t, first, one())
	ctx, second := later(t, nil)
	runs(ctx, t, second, shelf.Stream(-1))
	first.Close()
	second.Close()
	for name, c := range map[string]struct {
		after *stream.Scope
		asks  stream.Stream[int]
	}{"alone": {first, one()}, "among many": {second, shelf.Stream(-1)}} {
		ctx, _ := later(t, c.after)
		began, ended := make(chan struct{}), make(chan struct{})
		_, err := stream.Assemble(
			stream.Optional("slow", hangs(began, ended), func(*page, int) {}),
			stream.Required("needed", c.asks, func(*page, int) {}),
		).Run(ctx)
		if !errors.Is(err, errOdd) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLaterBatchAsksForTheRest: what the earlier scope has asked for leaves no batch,
// whichever batch it was in; a key that an ended batch took with it is asked for.
func TestLaterBatchAsksForTheRest(t *testing.T) {
	s := newShelf(4)
	all := func(keys ...int) stream.Stream[[]int] {
		return stream.Some(stream.Of(keys), len(keys), s.Stream)
	}
	ctx, first := open(t.Context(), t)
	runs(ctx, t, first, all(0, 1, 2, 3, 4, 5))
	first.Close()
	ctx, second := later(t, first)
	got := runs(ctx, t, second, all(5, 6, 0, 7, 1, 3))
	sizes, last := s.batches(), s.asked[len(s.asked)-1]
	slices.Sort(sizes)
	if want := []int{50, 60, 0, 70, 10, 30}; !slices.Equal(got.value, want) ||
		!slices.Equal(sizes, []int{2, 2, 4}) || !slices.Equal(last, []int{6, 7}) {
		t.Errorf("%v, batches of %v, the last of %v", got.value, sizes, last)
	}
}

// TestPanicOfABatchIsTaken: what broke once is not asked to break again.
func TestPanicOfABatchIsTaken(t *testing.T) {
	var asked atomic.Int64
	c := stream.Collapser[int, int]{
		Limit: 3,
		One:   func(context.Context, int) (int, report.Mark, error) { return 7, live, nil },
		Many:  func(context.Context, []int) []stream.Answered[int] { asked.Add(1); panic("odd") },
	}
	both := func() stream.Stream[[]int] { return stream.Each(stream.Of([]int{1, 2}), 2, c.Stream) }
	ctx, first := open(t.Context(), t)
	runs(ctx, t, first, both())
	first.Close()
	ctx, second := later(t, first)
	if got := runs(ctx, t, second, both()); fault.ReasonOf(got.part.Err) != fault.ReasonPanic || asked.Load() != 1 {
		t.Errorf("%v, asked %d times", got.part.Err, asked.Load())
	}
}

// TestNothingIsTakenOfWhatRuns: neither of a scope that is open, nor of one that was
// closed over a runaway, until that has ended.
func TestNothingIsTakenOfWhatRuns(t *testing.T) {
	var asked atomic.Int64
	one := func() stream.Stream[int] {
		return stream.Source("one", func(context.Context) (int, report.Mark, error) { return int(asked.Add(1)), live, nil })
	}
	release, began := make(chan struct{}), make(chan struct{})
	deaf := stream.Source(nil, func(context.Context) (int, report.Mark, error) {
		close(began)
		<-release
		return 0, live, nil
	})
	ctx, first := stream.Open(budget(t, time.Millisecond), report.New("", report.Trace{}))
	both := stream.Assemble(
		stream.Optional("deaf", deaf, func(*page, int) {}),
		stream.Optional("one", one(), func(*page, int) {}),
	)
	if _, err := both.Run(ctx); err != nil {
		t.Fatal(err)
	}
	soon(t, "the deaf one begins", began)
	takes := func(what string, want int) {
		t.Helper()
		ctx, scope := later(t, first)
		if got := runs(ctx, t, scope, one()); got.value != want {
			t.Errorf("%s: %d, want %d", what, got.value, want)
		}
	}
	takes("open", 2)
	if first.Close() != 1 {
		t.Error("no runaway")
	}
	takes("with a runaway", 3)
	close(release)
	if !drained(first) {
		t.Fatal("it runs on")
	}
	takes("ended", 1)
}

// TestLaterScopeOnWorkers: the workers' form is the same.
func TestLaterScopeOnWorkers(t *testing.T) {
	var workers stream.Workers
	var asked atomic.Int64
	part := func() stream.Assembly[page] {
		return stream.Assemble(stream.Required("one", stream.Source("one", func(context.Context) (int, report.Mark, error) {
			return int(asked.Add(1)), live, nil
		}), func(p *page, v int) { p.a = v }))
	}
	var last *stream.Scope
	for range 3 {
		ctx, scope := workers.OpenAfter(t.Context(), report.New("", report.Trace{}), last)
		if p, err := part().Run(ctx); err != nil || p.a != 1 {
			t.Error(p, err)
		}
		if scope.Close() != 0 {
			t.Error("it runs on")
		}
		last = scope
	}
}

// BenchmarkGraphAfter is the graph of BenchmarkGraph when all of it has been answered.
func BenchmarkGraphAfter(b *testing.B) {
	ctx, first := stream.Open(b.Context(), report.New("", report.Trace{}))
	var parts []stream.Part[page]
	for i, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
		parts = append(parts, stream.Required(name, noop(i+1), func(*page, int) {}))
	}
	if _, err := stream.Assemble(parts...).Run(ctx); err != nil || first.Close() != 0 {
		b.Fatal(err)
	}
	benchmarkGraph(b, func(ctx context.Context, r *report.Report) (context.Context, *stream.Scope) {
		return stream.OpenAfter(ctx, r, first)
	})
}
