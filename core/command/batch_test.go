package command_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// shelf is a backend that knows the queries below 1,000 and answers many at once.
type shelf struct {
	chunks [][]int
	gone   map[int]bool
	fail   func(chunk []int) error
	value  int
}

func (s *shelf) askAll(_ context.Context, queries []int) (map[int]int, error) {
	s.chunks = append(s.chunks, slices.Clone(queries))
	if s.fail != nil {
		if err := s.fail(queries); err != nil {
			return nil, err
		}
	}
	got := map[int]int{-1: 0} // what nobody asked for is not taken
	for _, q := range queries {
		if q < 1000 && !s.gone[q] {
			got[q] = q*10 + s.value
		}
	}
	return got, nil
}

func newShelf(t *testing.T, cache command.Cache) (*shelf, *command.Command[int, int]) {
	t.Helper()
	s := &shelf{gone: map[int]bool{}}
	one := func(context.Context, int) (int, error) { return 0, errPlain }
	c := command.New("test.batch", one).Batch(s.askAll)
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

// askAll observes queries and checks the rung and the values.
func askAll(t *testing.T, c *command.Command[int, int], queries []int, want report.Rung, values map[int]int) report.Mark {
	t.Helper()
	got, part, err := run(t.Context(), c.ObserveAll(queries))
	if part.Mark.Rung != want || !maps.Equal(got, values) {
		t.Fatalf("%v %v (%v), want %v %v", part.Mark.Rung, got, err, want, values)
	}
	return part.Mark
}

func TestBatchAsksEachOnceInChunks(t *testing.T) {
	s, c := newShelf(t, command.Cache{})
	queries := append(upTo(450), upTo(450)...)
	got, part, err := run(t.Context(), c.ObserveAll(queries))
	if err != nil || part.Mark.Rung != report.Live || len(got) != 450 || got[449] != 4490 {
		t.Errorf("%d answers, %+v, %v", len(got), part.Mark, err)
	}
	if len(s.chunks) != 3 || len(s.chunks[0]) != command.BatchLimit || len(s.chunks[1]) != command.BatchLimit || len(s.chunks[2]) != 50 {
		t.Errorf("%d chunks", len(s.chunks))
	}
	if !slices.Equal(slices.Concat(s.chunks...), upTo(450)) {
		t.Error("some were asked for twice, or not in order")
	}
}

func TestBatchOfNothing(t *testing.T) {
	s, c := newShelf(t, command.Cache{})
	s.fail = failAll(errPlain)
	askAll(t, c, nil, report.Cached, nil)
	if len(s.chunks) != 0 {
		t.Errorf("%v", s.chunks)
	}
}

func TestBatchIsRememberedOneByOne(t *testing.T) {
	s, c := newShelf(t, command.Cache{Fresh: forever, Stale: forever})
	askAll(t, c, []int{1, 2}, report.Live, map[int]int{1: 10, 2: 20})
	askAll(t, c, []int{2, 1, 2}, report.Cached, map[int]int{1: 10, 2: 20})
	if mark := askAll(t, c, []int{1, 2, 3}, report.Live, map[int]int{1: 10, 2: 20, 3: 30}); mark.Age <= 0 {
		t.Errorf("%+v hides the age of what is remembered", mark)
	}
	if !slices.Equal(slices.Concat(s.chunks...), []int{1, 2, 3}) {
		t.Errorf("%v", s.chunks)
	}
	if value, _, err := run(t.Context(), c.Observe(3)); value != 30 || err != nil {
		t.Errorf("the answer to one query: %d %v", value, err)
	}
}

func TestBatchFallsToStaleOneByOne(t *testing.T) {
	s, c := newShelf(t, command.Cache{Fresh: old, Stale: forever})
	askAll(t, c, []int{1, 2}, report.Live, map[int]int{1: 10, 2: 20})
	s.fail = failAll(errPlain)
	mark := askAll(t, c, []int{1, 2}, report.Stale, map[int]int{1: 10, 2: 20})
	if mark.Reason != fault.ReasonError || mark.Age <= 0 {
		t.Errorf("%+v", mark)
	}
	// What is not there is not passed off as unknown to the backend.
	if mark := askAll(t, c, []int{1, 3}, report.Default, map[int]int{1: 10}); mark.Reason != fault.ReasonError {
		t.Errorf("%+v", mark)
	}
	c.Default(func(q int) int { return -q })
	askAll(t, c, []int{1, 3}, report.Default, map[int]int{1: 10, 3: -3})
}

func TestBatchForgetsTheUnknown(t *testing.T) {
	s, c := newShelf(t, command.Cache{Fresh: old, Stale: forever})
	askAll(t, c, []int{1, 2, 5000}, report.Live, map[int]int{1: 10, 2: 20})
	s.gone[2] = true
	askAll(t, c, []int{1, 2}, report.Live, map[int]int{1: 10})
	s.fail = failAll(errPlain)
	askAll(t, c, []int{1, 2}, report.Default, map[int]int{1: 10})
}

func TestBatchWithAChunkThatFails(t *testing.T) {
	s, c := newShelf(t, command.Cache{})
	s.fail = failWith(250)
	got, part, err := run(t.Context(), c.ObserveAll(upTo(500)))
	if err != nil || len(got) != 300 || part.Mark.Rung != report.Default || part.Mark.Reason != fault.ReasonError {
		t.Errorf("%d answers, %+v, %v", len(got), part.Mark, err)
	}
	if s := c.Stats(); s.Outcomes["success"] != 2 || s.Outcomes["failure"] != 1 || s.Rungs["default"] != 1 {
		t.Errorf("%+v", s)
	}
}

func TestBatchWithoutAnyAnswer(t *testing.T) {
	s, c := newShelf(t, command.Cache{Stale: forever})
	s.fail = failAll(errPlain)
	mark := askAll(t, c, []int{1, 2}, report.Missing, nil)
	if _, _, err := run(t.Context(), c.ObserveAll([]int{1})); !errors.Is(err, errPlain) || mark.Reason != fault.ReasonError {
		t.Errorf("%v %+v", err, mark)
	}
	if rungs := c.Stats().Rungs; rungs["missing"] != 2 || rungs["cached"] != 0 {
		t.Errorf("%v", rungs)
	}
}

func TestBatchOfACallersFault(t *testing.T) {
	s, c := newShelf(t, command.Cache{Fresh: old, Stale: forever})
	askAll(t, c, []int{1}, report.Live, map[int]int{1: 10})
	s.fail = failAll(fault.New(fault.Forbidden, ""))
	askAll(t, c.Default(func(int) int { return -1 }), []int{1}, report.Missing, nil)
	s.fail = failAll(errPlain)
	askAll(t, c.Default(nil), []int{1}, report.Missing, nil) // the copy is gone
}

func TestBatchIsRecorded(t *testing.T) {
	s, c := newShelf(t, command.Cache{Fresh: old, Stale: forever})
	askAll(t, c, []int{1}, report.Live, map[int]int{1: 10})
	s.fail = failAll(errPlain)
	for _, tc := range []struct {
		queries []int
		want    report.Rung
	}{{[]int{1}, report.Stale}, {[]int{1, 2}, report.Default}, {[]int{2}, report.Missing}} {
		_, r, _ := runWith(t.Context(), report.New("", report.Trace{}), c.ObserveAll(tc.queries))
		if calls := r.Calls(); len(calls) != 1 || calls[0].Mark.Rung != tc.want || calls[0].Outcome != report.Failure {
			t.Errorf("%v: %+v", tc.queries, *calls[0])
		}
	}
}

func TestBatchNotDeclared(t *testing.T) {
	c := command.New("test.single", func(context.Context, int) (int, error) { return 1, nil })
	if _, _, err := run(t.Context(), c.ObserveAll([]int{1})); fault.CodeOf(err) != fault.Internal {
		t.Errorf("%v", err)
	}
}
