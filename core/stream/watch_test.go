package stream_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// witness notes what a watcher sees, in order.
type witness struct {
	mu   sync.Mutex
	seen []string
}

func (w *witness) note(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, text)
}

func (w *witness) watch(where string, _ any) func() {
	w.note("before " + where)
	return func() { w.note("after " + where) }
}

type tile struct{ id string }

func TestWatcherSeesEveryFunction(t *testing.T) {
	w := &witness{}
	element := func(id string) stream.Stream[tile] {
		return stream.Assemble(stream.Required("name", at(id, live), func(c *tile, id string) { c.id = id; w.note("set name") })).Stream()
	}
	ids := stream.Then(at(1, live), func(int) stream.Stream[[]string] { w.note("then"); return at([]string{"a"}, live) })
	tiles := stream.Map(stream.Some(ids, 1, element), func(all []tile) []tile { w.note("map"); return all })
	ctx, scope := open(t.Context(), t)
	scope.Watch(w.watch)
	_, err := stream.Assemble(
		stream.Required("tiles", tiles, func(p *page, all []tile) { p.a = len(all) }),
	).Run(ctx)
	want := []string{
		"before a function of int", "then", "after a function of int",
		"before a function of string", "after a function of string",
		"before name", "set name", "after name",
		"before a function of []stream_test.tile", "map", "after a function of []stream_test.tile",
		"before tiles", "after tiles",
	}
	if err != nil || !slices.Equal(w.seen, want) {
		t.Errorf("%v; the watcher saw %q, want %q", err, w.seen, want)
	}
}

func TestWatcherSeesTheEndOfWhatPanics(t *testing.T) {
	w := &witness{}
	ctx, scope := open(context.Background(), t)
	scope.Watch(w.watch)
	_, err := stream.Assemble(
		stream.Optional("bad", at(1, live), func(*page, int) { panic("bad") }),
	).Run(ctx)
	bad := scope.Report().Parts[0]
	if err != nil || bad.Mark.Rung != report.Missing || !slices.Equal(w.seen, []string{"before bad", "after bad"}) {
		t.Errorf("%v; %v; the watcher saw %q", err, bad, w.seen)
	}
}
