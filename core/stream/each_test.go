package stream_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// waiting returns a source that answers v once gate is closed, and then calls after.
func waiting(v int, gate <-chan struct{}, after func()) stream.Stream[int] {
	return stream.Source(nil, func(ctx context.Context) (int, report.Mark, error) {
		select {
		case <-gate:
		case <-ctx.Done():
			return 0, report.Mark{}, context.Cause(ctx)
		}
		after()
		return v, live, nil
	})
}

// TestEachIsBounded lets the calls run into each other: one ends only when as
// many run as may, or none is left to begin.
func TestEachIsBounded(t *testing.T) {
	const elements = 23
	for _, limit := range []int{-1, 0, 1, 2, 5, elements, 100} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			bound := min(max(limit, 1), elements)
			var running, most, begun atomic.Int32
			full := make(chan struct{})
			list := make([]int, elements)
			s := stream.Each(stream.Of(list), limit, func(int) stream.Stream[int] {
				return stream.Source(nil, func(context.Context) (int, report.Mark, error) {
					now := running.Add(1)
					defer running.Add(-1)
					raise(&most, now)
					if int(begun.Add(1)) == bound {
						close(full)
					}
					<-full
					return 1, live, nil
				})
			})
			if got := optional(t, sum(s)); got.value != elements || int(most.Load()) != bound {
				t.Errorf("sum %d, at most %d at once, want %d", got.value, most.Load(), bound)
			}
		})
	}
}

// raise makes most at least now.
func raise(most *atomic.Int32, now int32) {
	for {
		seen := most.Load()
		if now <= seen || most.CompareAndSwap(seen, now) {
			return
		}
	}
}

func TestEachFailsWithTheFirstInTheList(t *testing.T) {
	var begun atomic.Int32
	second := make(chan struct{})
	s := stream.Each(stream.Of([]int{0, 1, 2, 3, 4, 5, 6, 7}), 3, func(v int) stream.Stream[int] {
		begun.Add(1)
		switch v {
		case 1:
			return stream.Source(nil, func(context.Context) (int, report.Mark, error) {
				<-second // the later element has failed before
				return 0, report.Mark{}, fault.Because(fault.ReasonOpen, nil)
			})
		case 2:
			return stream.Source(nil, func(context.Context) (int, report.Mark, error) {
				defer close(second)
				return 0, report.Mark{}, fault.Because(fault.ReasonFull, nil)
			})
		}
		return at(v, live)
	})
	got := optional(t, s)
	if got.part.Mark != (report.Mark{Rung: report.Missing, Reason: fault.ReasonOpen}) {
		t.Errorf("got %v", got.part)
	}
	if n := begun.Load(); n != 4 {
		t.Errorf("%d elements were begun, want those of the window", n)
	}
}

// TestEachStopsWhenThePageFails: elements that have an Or of their own must not
// begin one after the other in a page that is lost.
func TestEachStopsWhenThePageFails(t *testing.T) {
	const limit = 2
	var called atomic.Int32
	began := make(chan struct{}, limit)
	grid := stream.Each(stream.Of(make([]int, 1000)), limit, func(int) stream.Stream[int] {
		return stream.Or(stream.Source(nil, func(ctx context.Context) (int, report.Mark, error) {
			called.Add(1)
			began <- struct{}{}
			<-ctx.Done()
			return 0, report.Mark{}, context.Cause(ctx)
		}), 0)
	})
	lost := stream.Source(nil, func(context.Context) (int, report.Mark, error) {
		for range limit {
			<-began
		}
		return 0, report.Mark{}, fault.New(fault.NotFound, "gone")
	})
	ctx, _ := open(t.Context(), t)
	_, err := stream.Assemble(
		stream.Optional("grid", grid, func(*page, []int) {}),
		stream.Required("lost", lost, func(*page, int) {}),
	).Run(ctx)
	if fault.CodeOf(err) != fault.NotFound || called.Load() != limit {
		t.Errorf("%v, %d calls, want %d", err, called.Load(), limit)
	}
}
