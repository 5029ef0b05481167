package command_test

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// shelf is a backend that knows the queries below 1,000 and answers many at once.
type shelf struct {
	gone map[int]bool

	mu     sync.Mutex // batches are asked for at once
	chunks [][]int
	fail   func(chunk []int) error
}

// asked returns the queries of each batch, in their own order.
func (s *shelf) asked() [][]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortFunc(s.chunks, func(a, b []int) int { return cmp.Compare(a[0], b[0]) })
	return s.chunks
}

func (s *shelf) failing(fail func(chunk []int) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = fail
}

func (s *shelf) askAll(_ context.Context, queries []int) (map[int]int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chunks = append(s.chunks, slices.Clone(queries))
	if s.fail != nil {
		if err := s.fail(queries); err != nil {
			return nil, err
		}
	}
	got := map[int]int{-1: 0} // what nobody asked for is not taken
	for _, q := range queries {
		if q < 1000 && !s.gone[q] {
			got[q] = q * 10
		}
	}
	return got, nil
}

func newShelf(t *testing.T, cache command.Cache) (*shelf, *command.Command[int, int]) {
	t.Helper()
	s := &shelf{gone: map[int]bool{}}
	one := func(ctx context.Context, query int) (int, error) {
		got, err := s.askAll(ctx, []int{query})
		value, known := got[query]
		if err == nil && !known {
			err = fault.Because(fault.ReasonNotFound, errPlain)
		}
		return value, err
	}
	c := command.New("test.batch", one).Batch(s.askAll).Safe()
	configure(t, c.Control, func(p *command.Policy) { p.Cache = cache })
	return s, c
}

func failAll(err error) func([]int) error { return func([]int) error { return err } }

// failWith fails the chunk that a query is in.
func failWith(query int) func([]int) error {
	return func(chunk []int) error {
		if slices.Contains(chunk, query) {
			return errPlain
		}
		return nil
	}
}

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// pair is a query with its answer.
type pair struct{ query, value int }

// all is the stream of the answers to many queries.
func all(c *command.Command[int, int], queries []int) stream.Stream[[]pair] {
	list := stream.Source(nil, func(context.Context) ([]int, report.Mark, error) { return queries, report.Mark{}, nil })
	return stream.Some(list, 1000, func(q int) stream.Stream[pair] {
		return stream.Map(c.Observe(q), func(v int) pair { return pair{q, v} })
	})
}

// askAll observes queries together and checks the rung and the values.
func askAll(t *testing.T, c *command.Command[int, int], queries []int, want report.Rung, values map[int]int) report.Part {
	t.Helper()
	got, part, err := run(t.Context(), all(c, queries))
	if part.Mark.Rung != want || !maps.Equal(byQuery(got), values) {
		t.Fatalf("%v %v (%v), want %v %v", part.Mark.Rung, got, err, want, values)
	}
	return part
}

func byQuery(pairs []pair) map[int]int {
	got := map[int]int{}
	for _, p := range pairs {
		got[p.query] = p.value
	}
	return got
}

func TestBatchAsksEachOnceInChunks(t *testing.T) {
	s, c := newShelf(t, command.Cache{})
	queries := append(upTo(450), upTo(450)...)
	got, part, err := run(t.Context(), all(c, queries))
	if err != nil || part.Mark.Rung != report.Live || len(got) != 900 || got[449].value != 4490 || got[899] != got[449] {
		t.Errorf("%d answers, %+v, %v", len(got), part.Mark, err)
	}
	chunks := s.asked()
	if len(chunks) != 3 || len(chunks[0]) != command.BatchLimit || len(chunks[1]) != command.BatchLimit || len(chunks[2]) != 50 {
		t.Errorf("%d chunks", len(chunks))
	}
	if !slices.Equal(slices.Concat(chunks...), upTo(450)) {
		t.Error("some were asked for twice, or not in order")
	}
}

func TestBatchIsRememberedOneByOne(t *testing.T) {
	s, c := newShelf(t, command.Cache{Fresh: forever, Stale: forever})
	askAll(t, c, []int{1, 2}, report.Live, map[int]int{1: 10, 2: 20})
	askAll(t, c, []int{2, 1, 2}, report.Cached, map[int]int{1: 10, 2: 20})
	if part := askAll(t, c, []int{1, 2, 3, 4}, report.Live, map[int]int{1: 10, 2: 20, 3: 30, 4: 40}); part.Mark.Age <= 0 {
		t.Errorf("%+v hides the age of what is remembered", part.Mark)
	}
	if asked := s.asked(); !slices.Equal(slices.Concat(asked...), []int{1, 2, 3, 4}) {
		t.Errorf("%v", asked)
	}
	if value, part, err := run(t.Context(), c.Observe(3)); value != 30 || err != nil || part.Mark.Rung != report.Cached {
		t.Errorf("the answer to one query: %d %v %v", value, part, err)
	}
}

func TestBatchFallsToStaleOneByOne(t *testing.T) {
	s, c := newShelf(t, command.Cache{Fresh: old, Stale: forever})
	askAll(t, c, []int{1, 2}, report.Live, map[int]int{1: 10, 2: 20})
	s.failing(failAll(errPlain))
	part := askAll(t, c, []int{1, 2}, report.Stale, map[int]int{1: 10, 2: 20})
	if part.Mark.Reason != fault.ReasonError || part.Mark.Age <= 0 || part.Holes.Count != 0 {
		t.Errorf("%+v", part)
	}
	// What is not there is not passed off as unknown to the backend.
	if part := askAll(t, c, []int{1, 3}, report.Stale, map[int]int{1: 10}); part.Holes != (report.Holes{Count: 1, Reason: fault.ReasonError}) {
		t.Errorf("%+v", part)
	}
	c.Default(func(q int) int { return -q })
	askAll(t, c, []int{1, 3}, report.Default, map[int]int{1: 10, 3: -3})
}

func TestBatchForgetsTheUnknown(t *testing.T) {
	s, c := newShelf(t, command.Cache{Fresh: old, Stale: forever})
	part := askAll(t, c, []int{1, 2, 5000}, report.Live, map[int]int{1: 10, 2: 20})
	if part.Holes != (report.Holes{Count: 1, Reason: fault.ReasonNotFound}) {
		t.Errorf("%+v", part)
	}
	s.gone[2] = true
	askAll(t, c, []int{1, 2}, report.Live, map[int]int{1: 10})
	s.failing(failAll(errPlain))
	askAll(t, c, []int{1, 2}, report.Stale, map[int]int{1: 10})
}

func TestBatchWithAChunkThatFails(t *testing.T) {
	s, c := newShelf(t, command.Cache{})
	s.failing(failWith(250))
	got, part, err := run(t.Context(), all(c, upTo(500)))
	if err != nil || len(got) != 300 || part.Holes != (report.Holes{Count: 200, Reason: fault.ReasonError}) {
		t.Errorf("%d answers, %+v, %v", len(got), part, err)
	}
	if s := c.Stats(); s.Outcomes["success"] != 2 || s.Outcomes["failure"] != 1 || s.Rungs["live"] != 300 || s.Rungs["missing"] != 200 {
		t.Errorf("%+v", s)
	}
}

func TestBatchWithoutAnyAnswer(t *testing.T) {
	s, c := newShelf(t, command.Cache{Stale: forever})
	s.failing(failAll(errPlain))
	part := askAll(t, c, []int{1, 2}, report.Missing, map[int]int{})
	if !errors.Is(part.Err, errPlain) || part.Mark.Reason != fault.ReasonError {
		t.Errorf("%+v", part)
	}
	if rungs := c.Stats().Rungs; rungs["missing"] != 2 || rungs["cached"] != 0 {
		t.Errorf("%v", rungs)
	}
}

func TestBatchOfACallersFault(t *testing.T) {
	s, c := newShelf(t, command.Cache{Fresh: old, Stale: forever})
	askAll(t, c, []int{1, 2}, report.Live, map[int]int{1: 10, 2: 20})
	s.failing(failAll(fault.New(fault.Forbidden, "")))
	askAll(t, c.Default(func(int) int { return -1 }), []int{1, 2}, report.Missing, map[int]int{})
	s.failing(failAll(errPlain))
	askAll(t, c.Default(nil), []int{1, 2}, report.Missing, map[int]int{}) // the copies are gone
}

func TestBatchIsRecorded(t *testing.T) {
	s, c := newShelf(t, command.Cache{Fresh: old, Stale: forever})
	askAll(t, c, []int{1, 2}, report.Live, map[int]int{1: 10, 2: 20})
	s.failing(failAll(errPlain))
	for _, tc := range []struct {
		queries []int
		want    report.Rung
	}{{[]int{1, 2}, report.Stale}, {[]int{1, 3}, report.Missing}, {[]int{3, 4}, report.Missing}} {
		_, r, _ := runWith(t.Context(), report.New("", report.Trace{}), all(c, tc.queries))
		if calls := r.Calls(); len(calls) != 1 || calls[0].Mark.Rung != tc.want || calls[0].Outcome != report.Failure || calls[0].Keys != 2 {
			t.Errorf("%v: %+v", tc.queries, *calls[0])
		}
	}
}

// TestBatchesOfOneTakeTheFormForOne: a page of one thing asks as it always did.
func TestBatchesOfOneTakeTheFormForOne(t *testing.T) {
	single := func(_ context.Context, q int) (int, error) { return -q, nil }
	s, _ := newShelf(t, command.Cache{})
	c := command.New("test.one", single).Batch(s.askAll)
	value, r, err := runWith(t.Context(), report.New("", report.Trace{}), c.Observe(7))
	if value != -7 || err != nil || len(s.asked()) != 0 || r.Calls()[0].Keys != 0 {
		t.Errorf("%d %v, %v, %+v", value, err, s.asked(), r.Calls()[0])
	}
}

// TestRequiredKeyOfABatchFailsAtOnce: it does not wait for what hangs beside it.
func TestRequiredKeyOfABatchFailsAtOnce(t *testing.T) {
	_, c := newShelf(t, command.Cache{})
	hung := command.New("test.hung", func(ctx context.Context, _ int) (int, error) {
		<-ctx.Done()
		return 0, context.Cause(ctx)
	})
	ctx, scope := stream.Open(t.Context(), report.New("", report.Trace{}))
	defer scope.Close()
	set := func(*int, int) {}
	began := time.Now()
	_, err := stream.Assemble(
		stream.Optional("hung", hung.Observe(1), set),
		stream.Optional("known", c.Observe(1), set),
		stream.Required("unknown", c.Observe(5000), set),
	).Run(ctx)
	if fault.CodeOf(err) != fault.NotFound || time.Since(began) > hung.Policy().Timeout {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}
