package stream_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// shelf answers many keys at once, each with ten times itself, those below 0
// with nothing; it notes what it was asked for together.
type shelf struct {
	stream.Collapser[int, int]

	mu    sync.Mutex
	asked [][]int
}

func newShelf(limit int) *shelf {
	s := &shelf{}
	s.Collapser = stream.Collapser[int, int]{Limit: limit, One: s.one, Many: s.many}
	return s
}

func (s *shelf) one(ctx context.Context, key int) (int, report.Mark, error) {
	a := s.many(ctx, []int{key})[0]
	return a.Value, a.Mark, a.Err
}

func (s *shelf) many(_ context.Context, keys []int) []stream.Answered[int] {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, slices.Clone(keys))
	answers := make([]stream.Answered[int], len(keys))
	for i, key := range keys {
		answers[i] = stream.Answered[int]{Value: key * 10, Mark: live}
		if key < 0 {
			answers[i] = stream.Answered[int]{Err: fault.Because(fault.ReasonNotFound, errOdd)}
		}
	}
	return answers
}

// batches returns how many keys each batch had.
func (s *shelf) batches() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	sizes := make([]int, len(s.asked))
	for i, keys := range s.asked {
		sizes[i] = len(keys)
	}
	return sizes
}

func numbers(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// TestGridIsOneBatch: whatever a page asks for in all its rows leaves together.
func TestGridIsOneBatch(t *testing.T) {
	const rows, columns = 8, 20
	for range 50 {
		products, stocks, details := newShelf(200), newShelf(200), newShelf(200)
		rowsCall := stream.Source(nil, func(context.Context) ([]int, report.Mark, error) { return numbers(rows), live, nil })
		grid := stream.Each(rowsCall, rows, func(row int) stream.Stream[[]int] {
			return stream.Each(stream.Of(numbers(columns)), columns, func(column int) stream.Stream[int] {
				key := row*columns + column
				card := stream.Assemble(
					stream.Required("product", products.Stream(key), func(card *int, v int) { *card += v }),
					stream.Optional("stock", stocks.Stream(key), func(card *int, v int) { *card += v }),
				).Stream()
				// A second step, which only begins when the first batch is there.
				return stream.Then(card, func(sum int) stream.Stream[int] { return details.Stream(sum) })
			})
		})
		got := required(t, grid)
		if got.err != nil || len(got.value) != rows || len(got.value[7]) != columns || got.value[7][19] != 159*200 {
			t.Fatal(got.err, got.value)
		}
		for name, s := range map[string]*shelf{"products": products, "stocks": stocks, "details": details} {
			if sizes := s.batches(); !slices.Equal(sizes, []int{rows * columns}) {
				t.Fatalf("%s: batches of %v keys, want one of all", name, sizes)
			}
		}
	}
}

func TestFullBatchLeavesAtOnce(t *testing.T) {
	s := newShelf(100)
	got := optional(t, stream.Each(stream.Of(numbers(250)), 250, s.Stream))
	sizes := s.batches()
	slices.Sort(sizes)
	if got.part.Err != nil || !slices.Equal(sizes, []int{50, 100, 100}) || got.value[249] != 2490 {
		t.Errorf("batches of %v, %v", sizes, got.part.Err)
	}
}

func TestKeysAreAskedForOnce(t *testing.T) {
	s := newShelf(200)
	twice := append(numbers(10), numbers(10)...)
	again := stream.Then(stream.Each(stream.Of(twice), 20, s.Stream), func([]int) stream.Stream[int] { return s.Stream(3) })
	if got := optional(t, again); got.value != 30 || !slices.Equal(s.batches(), []int{10}) {
		t.Errorf("%v, batches of %v", got.part, s.batches())
	}
}

// TestBatchDoesNotWaitForCalls: what is under way elsewhere is not worth waiting for.
func TestBatchDoesNotWaitForCalls(t *testing.T) {
	s := newShelf(200)
	asked := make(chan struct{})
	waits := stream.Source(nil, func(ctx context.Context) (int, report.Mark, error) {
		select {
		case <-asked:
			return 1, live, nil
		case <-ctx.Done():
			return 0, live, context.Cause(ctx)
		}
	})
	many := s.Many
	s.Many = func(ctx context.Context, keys []int) []stream.Answered[int] {
		defer close(asked)
		return many(ctx, keys)
	}
	ctx, _ := open(budget(t, 5*time.Second), t)
	page, err := stream.Assemble(
		stream.Required("waits", waits, func(p *page, v int) { p.a = v }),
		stream.Required("inline", stream.Then(waits, func(int) stream.Stream[int] { return at(7, live) }), func(p *page, v int) { p.b = v }),
		stream.Required("one", s.Stream(1), func(p *page, v int) { p.c = v }),
		stream.Required("two", s.Stream(2), func(p *page, v int) { p.d = v }),
	).Run(ctx)
	if err != nil || page.a != 1 || page.b != 7 || page.c != 10 || page.d != 20 {
		t.Error(page, err)
	}
}

func TestBatchThatPanicsOrFails(t *testing.T) {
	broken := &stream.Collapser[int, int]{
		Limit: 10,
		Many:  func(context.Context, []int) []stream.Answered[int] { panic("many") },
		One:   func(context.Context, int) (int, report.Mark, error) { panic("one") },
	}
	for name, s := range map[string]stream.Stream[[]int]{
		"many": stream.Each(stream.Of([]int{1, 2}), 2, broken.Stream),
		"one":  stream.Each(stream.Of([]int{1}), 2, broken.Stream),
	} {
		if got := required(t, s); fault.ReasonOf(got.err) != fault.ReasonPanic {
			t.Errorf("%s: %v", name, got.err)
		}
	}
}

func TestSomeClosesOverHoles(t *testing.T) {
	s := newShelf(200)
	got := optional(t, stream.Some(stream.Of([]int{1, -1, 2, -2}), 4, s.Stream))
	if !slices.Equal(got.value, []int{10, 20}) || got.part.Holes != (report.Holes{Count: 2, Reason: fault.ReasonNotFound}) {
		t.Errorf("%v %+v", got.value, got.part)
	}
	none := optional(t, stream.Some(stream.Of([]int{-1, -2}), 4, s.Stream)) // of what nobody knows an empty list is left
	if none.placed != 1 || len(none.value) != 0 || none.part.Holes != (report.Holes{Count: 2, Reason: fault.ReasonNotFound}) {
		t.Errorf("%+v", none.part)
	}
	lost := optional(t, stream.Some(stream.Of([]int{-1, 5}), 4, func(key int) stream.Stream[int] {
		if key == 5 {
			return fails[int](fault.Because(fault.ReasonOpen, errOdd))
		}
		return s.Stream(key)
	}))
	if lost.placed != 0 || lost.part.Mark.Reason != fault.ReasonOpen || lost.part.Holes.Count != 0 {
		t.Errorf("%+v", lost.part)
	}
	if empty := optional(t, stream.Some(stream.Of([]int{}), 4, s.Stream)); empty.part.Err != nil || empty.placed != 1 {
		t.Errorf("%+v", empty.part)
	}
	// Holes of inner lists are the part's, too, also of one that is lost as a whole.
	rows := stream.Some(stream.Of([][]int{{1, -1}, {5, 5, 5}, {-1, -2}, {2}}), 4, func(row []int) stream.Stream[int] {
		return sum(stream.Some(stream.Of(row), 3, func(key int) stream.Stream[int] {
			if key == 5 {
				return fails[int](fault.Because(fault.ReasonOpen, errOdd))
			}
			return s.Stream(key)
		}))
	})
	if got := optional(t, rows); !slices.Equal(got.value, []int{10, 0, 20}) || got.part.Holes.Count != 6 {
		t.Errorf("%v %+v", got.value, got.part)
	}
}

// card is an element of a grid with two parts.
type card struct{ name, extra int }

func cards(keys []int, name, extra func(int) stream.Stream[int]) stream.Stream[[]card] {
	return stream.Some(stream.Of(keys), len(keys), func(key int) stream.Stream[card] {
		return stream.Assemble(
			stream.Required("name", name(key), func(c *card, v int) { c.name = v }),
			stream.Optional("extra", extra(key), func(c *card, v int) { c.extra = v }),
		).Stream()
	})
}

func TestNestedPartsArePartsOfThePage(t *testing.T) {
	stale := report.Mark{Rung: report.Stale, Age: time.Minute, Reason: fault.ReasonOpen}
	odd := func(key int) stream.Stream[int] { // every second one is there
		if key%2 == 0 {
			return fails[int](fault.Because(fault.ReasonTimeout, errOdd))
		}
		return at(key, stale)
	}
	alive := func(key int) stream.Stream[int] { return at(key, live) }
	never := func(int) stream.Stream[int] { return fails[int](fault.Because(fault.ReasonFull, errOdd)) }
	for _, c := range []struct {
		title       string
		name, extra func(int) stream.Stream[int]
		cards       int
		parts       string
	}{
		{"all there", alive, alive, 4, ""},
		{"some extras", alive, odd, 4, "extra=stale;age=60;holes=2;reason=open"},
		{"no extras", alive, never, 4, "extra=missing;reason=full"},
		{"some names", odd, alive, 2, "grid=live;holes=2;reason=timeout, name=stale;age=60;reason=open"},
		{"no names", never, alive, 0, "grid=missing;reason=full"},
	} {
		ctx, scope := open(t.Context(), t)
		got, err := stream.Assemble(
			stream.Optional("grid", cards(numbers(4), c.name, c.extra), func(to *[]card, v []card) { *to = v }),
		).Run(ctx)
		if err != nil || len(got) != c.cards || scope.Report().PartsHeader() != c.parts {
			t.Errorf("%s: %v %v, %q, want %q", c.title, got, err, scope.Report().PartsHeader(), c.parts)
		}
	}
}

func TestNestedFaults(t *testing.T) {
	alive := func(key int) stream.Stream[int] { return at(key, live) }
	run := func(name string, s stream.Stream[[]card]) error {
		ctx, _ := open(t.Context(), t)
		_, err := stream.Assemble(stream.Optional(name, s, func(*int, []card) {})).Run(ctx)
		return err
	}
	if err := run("name", cards(numbers(2), alive, alive)); fault.CodeOf(err) != fault.Internal {
		t.Errorf("a part of the page with the name of a nested one: %v", err)
	}
	unnamed := stream.Assemble(stream.Required("A", at(1, live), func(*card, int) {})).Stream()
	if got := optional(t, unnamed); fault.CodeOf(got.part.Err) != fault.Internal {
		t.Errorf("a nested part without a valid name: %v", got.part)
	}
	panics := stream.Assemble(stream.Required("a", at(1, live), func(*card, int) { panic("set") })).Stream()
	if got := optional(t, panics); fault.ReasonOf(got.part.Err) != fault.ReasonPanic {
		t.Errorf("a nested setter that panics: %v", got.part)
	}
}

// TestNestedIsMadeOnce also when it is used in two places.
func TestNestedIsMadeOnce(t *testing.T) {
	made := 0
	one := stream.Assemble(stream.Required("a", at(1, live), func(c *card, v int) { made++; c.name = v })).Stream()
	both := stream.Then(one, func(card) stream.Stream[card] { return one })
	ctx, scope := open(t.Context(), t)
	_, err := stream.Assemble(
		stream.Required("first", one, func(*int, card) {}),
		stream.Required("second", both, func(*int, card) {}),
	).Run(ctx)
	if err != nil || made != 1 || len(scope.Report().Parts) != 3 {
		t.Error(made, err, scope.Report().Parts)
	}
}

// TestRequiredPartOfARequiredElementFailsThePageAtOnce.
func TestRequiredPartOfARequiredElementFailsThePageAtOnce(t *testing.T) {
	began, ended := make(chan struct{}), make(chan struct{})
	failing := stream.Source(nil, func(context.Context) (int, report.Mark, error) {
		<-began
		return 0, live, errOdd
	})
	nested := stream.Assemble(
		stream.Optional("hangs", hangs(began, ended), func(*card, int) {}),
		stream.Required("fails", failing, func(*card, int) {}),
	).Stream()
	if got := required(t, nested); !errors.Is(got.err, errOdd) {
		t.Error(got.err)
	}
	soon(t, "the call beside it ends", ended)
}

// BenchmarkGrid is a page of 8 rows of 20 elements of three parts, each part
// collapsed into one call that does nothing.
func BenchmarkGrid(b *testing.B) {
	b.ReportAllocs()
	var workers stream.Workers
	none := func(_ context.Context, keys []int) []stream.Answered[int] {
		return make([]stream.Answered[int], len(keys))
	}
	shelves := make([]stream.Collapser[int, int], 3)
	for i := range shelves {
		shelves[i] = stream.Collapser[int, int]{Limit: 200, Many: none}
	}
	for b.Loop() {
		ctx, scope := workers.Open(context.Background(), report.New("", report.Trace{}))
		grid := stream.Each(stream.Of(numbers(8)), 8, func(row int) stream.Stream[[]card] {
			return stream.Some(stream.Of(numbers(20)), 20, func(column int) stream.Stream[card] {
				parts := make([]stream.Part[card], len(shelves))
				for i := range shelves {
					parts[i] = stream.Required(fmt.Sprintf("p%d", i), shelves[i].Stream(row*20+column), func(c *card, v int) { c.name += v })
				}
				return stream.Assemble(parts...).Stream()
			})
		})
		_, err := stream.Assemble(stream.Required("grid", grid, func(*page, [][]card) {})).Run(ctx)
		if err != nil || scope.Close() != 0 {
			b.Fatal(err)
		}
	}
}
