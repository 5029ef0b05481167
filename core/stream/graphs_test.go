package stream_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// oracle is what a stream of a random graph comes to when nothing ends it early.
type oracle struct {
	value int
	mark  report.Mark
	code  fault.Code
}

func (o oracle) failing(code fault.Code, reason fault.Reason) oracle {
	return oracle{code: code, mark: report.Mark{Rung: report.Missing, Reason: reason}}
}

// graph makes random streams, and says what they come to.
type graph struct {
	*rand.Rand
	hanging bool                 // some calls hang until their context ends
	made    []stream.Stream[int] // to be used again
	known   []oracle
	runs    [6]atomic.Int32 // of the calls with a key
	shelf   *shelf          // of the calls that are made together
}

func (g *graph) stream(depth int) (stream.Stream[int], oracle) {
	if len(g.made) > 0 && g.IntN(5) == 0 {
		i := g.IntN(len(g.made))
		return g.made[i], g.known[i]
	}
	s, want := g.fresh(depth)
	g.made, g.known = append(g.made, s), append(g.known, want)
	return s, want
}

func (g *graph) fresh(depth int) (stream.Stream[int], oracle) {
	if depth == 0 {
		return g.leaf()
	}
	switch g.IntN(6) {
	case 0:
		return g.mapped(depth - 1)
	case 1, 2:
		return g.then(depth - 1)
	case 3:
		s, want := g.stream(depth - 1)
		if want.code != fault.OK {
			want = oracle{value: 5, mark: report.Mark{Rung: report.Default, Reason: want.mark.Reason}}
		}
		return stream.Or(s, 5), want
	case 4:
		return g.each(depth - 1)
	}
	if g.IntN(3) == 0 {
		return g.some()
	}
	return g.leaf()
}

// some is a list of calls that are made together.
func (g *graph) some() (stream.Stream[int], oracle) {
	keys := make([]int, 1+g.IntN(4))
	want := oracle{mark: live}
	for i := range keys {
		keys[i] = g.IntN(8) - 2
		want.value += max(keys[i], 0) * 10
	}
	return sum(stream.Some(stream.Of(keys), 1+g.IntN(4), g.shelf.Stream)), want
}

func (g *graph) mapped(depth int) (stream.Stream[int], oracle) {
	s, want := g.stream(depth)
	breaks := g.IntN(10) == 0
	if want.code == fault.OK {
		want.value++
		if breaks {
			want = want.failing(fault.Internal, fault.ReasonPanic)
		}
	}
	return stream.Map(s, func(v int) int {
		if breaks {
			panic("map")
		}
		return v + 1
	}), want
}

func (g *graph) then(depth int) (stream.Stream[int], oracle) {
	up, a := g.stream(depth)
	down, b := g.stream(depth)
	breaks := g.IntN(10) == 0
	want := oracle{value: b.value, mark: a.mark.Join(b.mark), code: b.code}
	switch {
	case a.code != fault.OK:
		want = want.failing(a.code, fault.ReasonDependency)
	case breaks:
		want = want.failing(fault.Internal, fault.ReasonPanic)
	case b.code != fault.OK:
		want = b
	}
	return stream.Then(up, func(int) stream.Stream[int] {
		if breaks {
			panic("then")
		}
		return down
	}), want
}

func (g *graph) each(depth int) (stream.Stream[int], oracle) {
	elements := make([]stream.Stream[int], g.IntN(5))
	index := make([]int, len(elements))
	want := oracle{mark: live}
	for i := range elements {
		var one oracle
		elements[i], one = g.stream(depth)
		index[i] = i
		switch {
		case want.code != fault.OK:
		case one.code != fault.OK:
			want = one
		default:
			want.value, want.mark = want.value+one.value, want.mark.Join(one.mark)
		}
	}
	return sum(stream.Each(stream.Of(index), g.IntN(4), func(i int) stream.Stream[int] { return elements[i] })), want
}

func (g *graph) leaf() (stream.Stream[int], oracle) {
	key := g.IntN(2 * len(g.runs)) // every second call has a key; all calls of a key are equal
	kind, pause := g.IntN(8), time.Duration(g.IntN(300))*time.Microsecond
	if key < len(g.runs) {
		kind = key
	}
	if g.IntN(4) == 0 {
		return g.shelf.Stream(kind), oracle{value: kind * 10, mark: live}
	}
	want := oracle{value: kind, mark: live}
	switch kind {
	case 0:
		want.mark = report.Mark{Rung: report.Stale, Age: time.Minute, Reason: fault.ReasonOpen}
	case 1:
		want = want.failing(fault.NotFound, fault.ReasonNotFound)
	case 2:
		want = want.failing(fault.Internal, fault.ReasonPanic)
	case 3:
		return stream.Of(kind), want
	}
	hang := g.hanging && kind == 4
	call := func(ctx context.Context) (int, report.Mark, error) {
		if key < len(g.runs) {
			g.runs[key].Add(1)
		}
		return answer(ctx, want, pause, hang)
	}
	if key < len(g.runs) {
		return stream.Source(key, call), want
	}
	return stream.Source(nil, call), want
}

func answer(ctx context.Context, want oracle, pause time.Duration, hang bool) (int, report.Mark, error) {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	c := timer.C
	if hang {
		c = nil
	}
	select {
	case <-c:
	case <-ctx.Done():
		return 0, report.Mark{}, ctx.Err()
	}
	switch want.code {
	case fault.OK:
		return want.value, want.mark, nil
	case fault.Internal:
		panic("call")
	}
	return 0, report.Mark{}, fault.Because(want.mark.Reason, nil)
}

// TestRandomGraphs runs pages of random graphs, some of them cut short by a
// client or a budget at a random moment. Every part is accounted for, no batch is
// left behind, no call with a key runs twice, nothing runs on, and the race detector is content.
func TestRandomGraphs(t *testing.T) {
	const workers, each = 8, 150
	var wait sync.WaitGroup
	for worker := range workers {
		wait.Go(func() {
			for i := range each {
				seed := uint64(worker*each + i)
				if err := randomGraph(t.Context(), seed); err != nil {
					t.Errorf("seed %d: %v", seed, err)
				}
			}
		})
	}
	wait.Wait()
}

func randomGraph(parent context.Context, seed uint64) error {
	g := &graph{Rand: rand.New(rand.NewPCG(seed, 1)), shelf: newShelf(4)}
	cut := g.IntN(2) == 0
	g.hanging = cut
	if cut {
		var stop context.CancelFunc
		parent, stop = cutShort(parent, g)
		defer stop()
	}
	var parts []stream.Part[int]
	var known []oracle
	var first fault.Code // of a required part that fails
	placed := map[int]bool{}
	for i := range 1 + g.IntN(7) {
		s, want := g.stream(3)
		kind := stream.Optional[int, int]
		if g.IntN(4) == 0 {
			kind = stream.Required[int, int]
			first = max(first, want.code)
		}
		parts = append(parts, kind(fmt.Sprintf("p%d", i), s, func(n *int, v int) { *n, placed[i] = *n+v, true }))
		known = append(known, want)
	}
	ctx, scope := stream.Open(parent, report.New("", report.Trace{}))
	run := stream.Assemble(parts...).Run
	if seed%2 == 1 {
		run = growing(stream.Assemble(parts...))
	}
	total, err := run(ctx)
	if !drained(scope) {
		return errors.New("streams that run on")
	}
	for key := range g.runs {
		if n := g.runs[key].Load(); n > 1 {
			return fmt.Errorf("the call of key %d ran %d times", key, n)
		}
	}
	together := slices.Concat(g.shelf.asked...)
	slices.Sort(together)
	if len(slices.Compact(slices.Clone(together))) != len(together) {
		return fmt.Errorf("keys that were asked for twice: %v", together)
	}
	if !cut && (err == nil) != (first == fault.OK) {
		return fmt.Errorf("the page's error is %w, want %v", err, first)
	}
	return account(scope.Report().Parts, known, placed, total, err, cut)
}

// growing runs a page in parts. Here a page only becomes more.
func growing(a stream.Assembly[int]) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		last := 0
		total, err := a.RunInParts(ctx, func(n int) {
			if n < last {
				panic(fmt.Sprintf("a page of %d becomes one of %d", last, n))
			}
			last = n
		})
		if err == nil && total < last {
			err = fmt.Errorf("a page of %d was told, and it is one of %d", last, total)
		}
		return total, err
	}
}

// account compares what the report says with what happened and what should have.
func account(parts []report.Part, known []oracle, placed map[int]bool, total int, failed error, cut bool) error {
	if len(parts) != len(known) {
		return fmt.Errorf("%d parts of %d", len(parts), len(known))
	}
	want := 0
	for i, p := range parts {
		missing := p.Mark.Rung == report.Missing
		switch {
		case p.Name != fmt.Sprintf("p%d", i) || missing != (p.Err != nil) || missing && p.Mark.Reason == fault.None:
			return fmt.Errorf("part %+v", p)
		case p.Required && missing && failed == nil:
			return fmt.Errorf("a page without its required %s", p.Name)
		case failed == nil && placed[i] == missing:
			return fmt.Errorf("%s: placed %t, %v", p.Name, placed[i], p.Mark)
		case failed == nil && !cut && (p.Mark != known[i].mark || fault.CodeOf(p.Err) != known[i].code):
			return fmt.Errorf("%s: %v %w, want %v", p.Name, p.Mark, p.Err, known[i])
		}
		if !missing {
			want += known[i].value
		}
	}
	if failed != nil && total != 0 || failed == nil && !cut && total != want {
		return fmt.Errorf("the page is %d, want %d; %w", total, want, failed)
	}
	return nil
}

// cutShort ends a request at a random moment, as a client or a budget does.
func cutShort(parent context.Context, g *graph) (context.Context, context.CancelFunc) {
	after := time.Duration(g.IntN(1500)) * time.Microsecond
	if g.IntN(2) == 0 {
		return context.WithTimeoutCause(parent, after, fault.Because(fault.ReasonBudget, context.DeadlineExceeded))
	}
	ctx, cancel := context.WithCancel(parent)
	timer := time.AfterFunc(after, cancel)
	return ctx, func() {
		timer.Stop()
		cancel()
	}
}
