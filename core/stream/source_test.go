package stream_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// counted returns a source that counts its runs.
func counted(key any, runs *atomic.Int32) stream.Stream[int] {
	return stream.Source(key, func(context.Context) (int, report.Mark, error) {
		return int(runs.Add(1)), live, nil
	})
}

// everywhere uses the streams in all verbs and parts at once.
func everywhere(a, b stream.Stream[int]) stream.Assembly[[]int] {
	add := func(p *[]int, v int) { *p = append(*p, v) }
	pass := func(v int) stream.Stream[int] { return stream.Of(v) }
	return stream.Assemble(
		stream.Required("a", a, add),
		stream.Optional("b", b, add),
		stream.Optional("map", stream.Map(a, func(v int) int { return v }), add),
		stream.Optional("first", stream.Then(a, pass), add),
		stream.Optional("second", stream.Then(stream.Of(0), func(int) stream.Stream[int] { return b }), add),
		stream.Optional("or", stream.Or(b, 9), add),
		stream.Optional("each", sum(stream.Each(stream.Of([]int{0}), 1, func(int) stream.Stream[int] { return a })), add),
	)
}

func TestSharedRunsOnce(t *testing.T) {
	for name, streams := range map[string]func(runs *atomic.Int32) (a, b stream.Stream[int]){
		"one stream": func(runs *atomic.Int32) (a, b stream.Stream[int]) {
			a = counted(nil, runs)
			return a, a
		},
		"two of one key": func(runs *atomic.Int32) (a, b stream.Stream[int]) {
			return counted("key", runs), counted("key", runs)
		},
		"a Then": func(runs *atomic.Int32) (a, b stream.Stream[int]) {
			a = stream.Then(stream.Of(0), func(int) stream.Stream[int] { return counted(nil, runs) })
			return a, a
		},
		"a Map": func(runs *atomic.Int32) (a, b stream.Stream[int]) {
			a = stream.Map(stream.Of(0), func(int) int { return int(runs.Add(1)) })
			return a, a
		},
	} {
		t.Run(name, func(t *testing.T) {
			for range 50 {
				var runs atomic.Int32
				ctx, _ := open(t.Context(), t)
				got, err := everywhere(streams(&runs)).Run(ctx)
				if err != nil || len(got) != 7 || runs.Load() != 1 {
					t.Fatalf("%v %v, %d runs", got, err, runs.Load())
				}
				for _, v := range got {
					if v != 1 {
						t.Fatalf("got %v", got)
					}
				}
			}
		})
	}
}

// TestSharedFromManyGoroutines runs pages of one request at the same time.
func TestSharedFromManyGoroutines(t *testing.T) {
	var runs atomic.Int32
	shared := counted(nil, &runs)
	elements := stream.Each(stream.Of(make([]int, 64)), 64, func(int) stream.Stream[int] {
		return stream.Then(stream.Of(0), func(int) stream.Stream[int] { return shared })
	})
	if got := optional(t, sum(elements)); got.value != 64 || runs.Load() != 1 {
		t.Errorf("sum %d, %d runs", got.value, runs.Load())
	}
}

func TestKeys(t *testing.T) {
	var runs atomic.Int32
	for name, row := range map[string]struct {
		a, b any
		want int32
	}{
		"equal":           {[2]string{"x", "1"}, [2]string{"x", "1"}, 1},
		"different":       {[2]string{"x", "1"}, [2]string{"x", "2"}, 2},
		"different types": {int32(1), int64(1), 2},
		"nil":             {nil, nil, 2},
	} {
		runs.Store(0)
		ctx, _ := open(t.Context(), t)
		if _, err := everywhere(counted(row.a, &runs), counted(row.b, &runs)).Run(ctx); err != nil || runs.Load() != row.want {
			t.Errorf("%s: %d runs, want %d; %v", name, runs.Load(), row.want, err)
		}
	}
}

func TestRequestsDoNotShare(t *testing.T) {
	var runs atomic.Int32
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			ctx, scope := stream.Open(context.Background(), report.New("", report.Trace{}))
			defer scope.Close()
			if _, err := everywhere(counted("key", &runs), counted("key", &runs)).Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if runs.Load() != 20 {
		t.Errorf("%d runs in 20 requests", runs.Load())
	}
}

func TestStreamOfAnotherRequest(t *testing.T) {
	var runs atomic.Int32
	for name, s := range map[string]stream.Stream[int]{
		"source": counted(nil, &runs),
		"keyed":  counted("key", &runs),
		"then":   stream.Then(counted(nil, &runs), stream.Of[int]),
		"map":    stream.Map(counted(nil, &runs), func(v int) int { return v }),
	} {
		runs.Store(0)
		if first := required(t, s); first.err != nil {
			t.Fatalf("%s: %v", name, first.err)
		}
		got := optional(t, s)
		if fault.CodeOf(got.part.Err) != fault.Internal || got.placed != 0 || !strings.Contains(got.part.Err.Error(), "request") {
			t.Errorf("%s: %v", name, got.part)
		}
		if second := required(t, s); fault.CodeOf(second.err) != fault.Internal {
			t.Errorf("%s, required: %v", name, second.err)
		}
		if runs.Load() != 1 {
			t.Errorf("%s: %d runs", name, runs.Load())
		}
	}
}

func TestPanics(t *testing.T) {
	type page struct {
		n    int
		text string
	}
	broken := func(int) int { panic("broken") }
	brokenStream := func(int) stream.Stream[int] { panic(errOdd) }
	good := func(p *page, v int) { p.n += v }
	for name, part := range map[string]func(bool) stream.Part[page]{
		"source": choose(func() stream.Stream[int] {
			return stream.Source(nil, func(context.Context) (int, report.Mark, error) { panic("broken") })
		}, good),
		"map":  choose(func() stream.Stream[int] { return stream.Map(stream.Of(1), broken) }, good),
		"then": choose(func() stream.Stream[int] { return stream.Then(stream.Of(1), brokenStream) }, good),
		"each": choose(func() stream.Stream[int] { return sum(stream.Each(stream.Of([]int{1}), 1, brokenStream)) }, good),
		"map in then": choose(func() stream.Stream[int] {
			return stream.Then(stream.Of(1), func(int) stream.Stream[int] { return stream.Map(stream.Of(1), broken) })
		}, good),
		"setter": choose(func() stream.Stream[int] { return stream.Of(1) }, func(p *page, _ int) {
			p.n, p.text = 99, "half done"
			panic("broken")
		}),
		"no setter": choose[page](func() stream.Stream[int] { return stream.Of(1) }, nil),
	} {
		for _, need := range []bool{false, true} {
			ctx, scope := stream.Open(t.Context(), report.New("", report.Trace{}))
			got, err := stream.Assemble(
				stream.Optional("before", stream.Of(1), good), part(need), stream.Optional("after", stream.Of(2), good),
			).Run(ctx)
			parts := scope.Report().Parts
			if !drained(scope) || len(parts) != 3 {
				t.Fatalf("%s: parts %v", name, parts)
			}
			if parts[1].Mark != (report.Mark{Rung: report.Missing, Reason: fault.ReasonPanic}) {
				t.Errorf("%s: %v", name, parts[1])
			}
			if !need && (err != nil || got != page{n: 3}) {
				t.Errorf("%s: got %v, %v", name, got, err)
			}
			if need && (fault.CodeOf(err) != fault.Internal || got != page{}) {
				t.Errorf("%s, required: got %v, %v", name, got, err)
			}
			var f *fault.Error
			if !errors.As(parts[1].Err, &f) || !strings.Contains(f.Error(), "goroutine") || f.Detail != "" {
				t.Errorf("%s: the log lacks the stack, or the client sees it: %v", name, parts[1].Err)
			}
		}
	}
}

// choose makes the part anew for each request: a stream belongs to one.
func choose[P any](fresh func() stream.Stream[int], set func(*P, int)) func(bool) stream.Part[P] {
	return func(need bool) stream.Part[P] {
		if need {
			return stream.Required("odd", fresh(), set)
		}
		return stream.Optional("odd", fresh(), set)
	}
}
