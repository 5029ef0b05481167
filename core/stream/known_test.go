package stream_test

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// riddle is a question whose answer may be at hand.
type riddle struct {
	known func() (stream.Answered[int], bool)
	asked *atomic.Int64
}

func (r *riddle) Known(context.Context) (stream.Answered[int], bool) { return r.known() }

func (r *riddle) Ask(context.Context) (int, report.Mark, error) {
	r.asked.Add(1)
	return 7, live, nil
}

// TestKnownAnswers: what is at hand is not asked for, whatever it is, and what goes
// wrong in looking is no answer.
func TestKnownAnswers(t *testing.T) {
	gone := fault.Because(fault.ReasonNotFound, errOdd)
	old := report.Mark{Rung: report.Cached, Age: time.Minute}
	for _, c := range []struct {
		name  string
		known func() (stream.Answered[int], bool)
		value int
		mark  report.Mark
		asked int64
	}{
		{"a value", func() (stream.Answered[int], bool) { return stream.Answered[int]{Value: 3, Mark: old}, true }, 3, old, 0},
		{"an error", func() (stream.Answered[int], bool) { return stream.Answered[int]{Err: gone}, true }, 0,
			report.Mark{Rung: report.Missing, Reason: fault.ReasonNotFound}, 0},
		{"nothing", func() (stream.Answered[int], bool) { return stream.Answered[int]{Value: 3}, false }, 7, live, 1},
		{"a panic", func() (stream.Answered[int], bool) { panic("odd") }, 7, live, 1},
	} {
		var asked atomic.Int64
		many := stream.Collapser[int, int]{
			Limit: 3,
			Known: func(context.Context, int) (stream.Answered[int], bool) { return c.known() },
			One:   func(ctx context.Context, _ int) (int, report.Mark, error) { return (&riddle{asked: &asked}).Ask(ctx) },
		}
		for how, ask := range map[string]func() stream.Stream[int]{
			"alone":      func() stream.Stream[int] { return stream.Answer(&riddle{known: c.known, asked: &asked}) },
			"among many": func() stream.Stream[int] { return many.Stream(1) },
		} {
			asked.Store(0)
			got := optional(t, ask())
			if got.value != c.value || got.part.Mark != c.mark || asked.Load() != c.asked || got.part.Took <= 0 {
				t.Errorf("%s %s: %d, %+v, asked %d times", c.name, how, got.value, got.part, asked.Load())
			}
			if got := required(t, ask()); (got.err != nil) != (c.mark.Rung == report.Missing) {
				t.Errorf("%s %s, required: %v", c.name, how, got.err)
			}
		}
	}
}

// TestKnownAnswersTakeNoRoom in a batch, and a key is looked for once in a request.
func TestKnownAnswersTakeNoRoom(t *testing.T) {
	s := newShelf(10)
	var looks atomic.Int64
	s.Known = func(_ context.Context, key int) (stream.Answered[int], bool) {
		looks.Add(1)
		return stream.Answered[int]{Value: -key, Mark: live}, key%2 == 0
	}
	list := append(numbers(6), numbers(6)...)
	all := stream.Each(stream.Of(list), len(list), s.Stream)
	want := []int{0, 10, -2, 30, -4, 50, 0, 10, -2, 30, -4, 50}
	var got []int
	ctx, _ := open(t.Context(), t)
	_, err := stream.Assemble(stream.Required("all", all, func(_ *page, v []int) { got = v })).Run(ctx)
	if err != nil || !slices.Equal(got, want) || !slices.Equal(s.batches(), []int{3}) || looks.Load() != 6 {
		t.Errorf("%v, %v, batches %v, %d looks", got, err, s.batches(), looks.Load())
	}
}
