package stream_test

import (
	"context"
	"slices"
	"testing"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// TestAPageGrows: it is told once all is there that it needs, then with each part but
// the last, and its setters always run in declared order.
func TestAPageGrows(t *testing.T) {
	t.Parallel()
	open1, open2, open3 := make(chan struct{}), make(chan struct{}), make(chan struct{})
	add := func(list *[]int, v int) { *list = append(slices.Clone(*list), v) }
	ctx, scope := open(t.Context(), t)
	close(open1) // an optional part is the first to come
	var told [][]int
	page, err := stream.Assemble(
		stream.Optional("d", waiting(4, open3, func() {}), add),
		stream.Required("b", waiting(2, open2, func() {}), add),
		stream.Optional("a", waiting(1, open1, func() { close(open2) }), add),
		stream.Optional("c", fails[int](errOdd), add),
	).RunInParts(ctx, func(page []int) {
		told = append(told, page)
		if len(page) == 2 {
			close(open3)
		}
	})
	if err != nil || !slices.Equal(page, []int{4, 2, 1}) {
		t.Errorf("the page is %v, %v", page, err)
	}
	for _, page := range told {
		if !slices.Equal(page, []int{2}) && !slices.Equal(page, []int{2, 1}) {
			t.Errorf("it was told of %v", page)
		}
	}
	if len(told) == 0 || !slices.Equal(told[len(told)-1], []int{2, 1}) {
		t.Errorf("it was told of %v", told)
	}
	if got := scope.Report().PartsHeader(); got != "c=missing;reason=error" {
		t.Errorf("its parts are %q", got)
	}
}

// TestAPageThatCannotBeDoesNotGrow: nobody is told of one that lacks what it needs.
func TestAPageThatCannotBeDoesNotGrow(t *testing.T) {
	t.Parallel()
	gone := fault.New(fault.NotFound, "gone")
	for name, s := range map[string]stream.Stream[int]{
		"a failure": fails[int](gone), "one of its own code": stream.Map(stream.Of(1), func(int) int { panic("broken") }),
		"none": {},
	} {
		ctx, scope := open(t.Context(), t)
		_, err := stream.Assemble(
			stream.Optional("other", hangs(nil, nil), func(*int, int) {}),
			stream.Optional("quick", stream.Of(1), func(*int, int) {}),
			stream.Required("needed", s, func(*int, int) {}),
		).RunInParts(ctx, func(int) { t.Errorf("%s: it was told", name) })
		if err == nil || len(scope.Report().Parts) != 3 {
			t.Errorf("%s: %v, %+v", name, err, scope.Report().Parts)
		}
	}
}

// TestASetterThatPanicsLeavesThePage as it was, each time.
func TestASetterThatPanicsLeavesThePage(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	ctx, scope := open(t.Context(), t)
	told := 0
	page, err := stream.Assemble(
		stream.Optional("broken", stream.Of(1), func(n *int, v int) { *n += v; panic("broken") }),
		stream.Optional("late", waiting(2, gate, func() {}), func(n *int, v int) { *n += v }),
	).RunInParts(ctx, func(n int) {
		told++
		if n != 0 {
			t.Errorf("it was told of %d", n)
		}
		close(gate)
	})
	if err != nil || page != 2 || told != 1 || scope.Report().PartsHeader() != "broken=missing;reason=panic" {
		t.Errorf("it is %d, %v, told %d times, %q", page, err, told, scope.Report().PartsHeader())
	}
}

// TestABatchIsOneInParts, too: who waits for a part keeps no batch from leaving, nor
// sends off half of one.
func TestABatchIsOneInParts(t *testing.T) {
	t.Parallel()
	for range 200 {
		s := newShelf(100)
		ctx, _ := open(t.Context(), t)
		ids := stream.Source(nil, func(context.Context) ([]int, report.Mark, error) { return []int{1, 2, 3}, live, nil })
		list := func() stream.Stream[[]int] { return stream.Each(ids, 10, s.Stream) }
		type lists struct{ a, b []int }
		page, err := stream.Assemble(
			stream.Required("a", list(), func(p *lists, v []int) { p.a = v }),
			stream.Optional("b", stream.Then(ids, func([]int) stream.Stream[int] { return s.Stream(4) }), func(p *lists, v int) { p.b = []int{v} }),
		).RunInParts(ctx, func(lists) {})
		if err != nil || !slices.Equal(page.a, []int{10, 20, 30}) || !slices.Equal(page.b, []int{40}) {
			t.Fatalf("%+v, %v", page, err)
		}
		if got := s.batches(); !slices.Equal(got, []int{4}) {
			t.Fatalf("batches of %v", got)
		}
	}
}
