package stream

import (
	"context"
	"slices"
)

// RunInParts is [Assembly.Run] of a page that is wanted while it grows: grown is told of
// it each time more parts have come, once every required part has, and not of the
// whole page, which is returned. It is called on the caller's goroutine; what it takes
// is taken from the page's time. Setters run anew for each, in declared order, so that a
// page that grows is what it would be without the parts that are not there yet.
//
// Each part costs a worker that waits for it, beside what Run costs.
func (a Assembly[P]) RunInParts(ctx context.Context, grown func(page P)) (P, error) {
	return a.in(ctx, func(s *Scope) (P, error) { return a.run(s, grown) })
}

// grow waits for every part, and returns them with their answers. Meanwhile it tells of
// the page. The caller is at work, but not while it waits: a setter asks for nothing.
func (a Assembly[P]) grow(s *Scope, grown func(P)) Assembly[P] {
	came := make(chan *arrival[P], len(a.parts))
	for i, p := range a.parts {
		s.atWork(1)
		s.enter()
		s.workers.run(&arrival[P]{s, p.piece, i, came})
	}
	s.rest()
	all, there := Assembly[P]{slices.Clone(a.parts)}, make([]bool, len(a.parts))
	for left := len(there); left > 0; {
		left -= all.take(came, there)
		if left > 0 && s.failed() == nil && all.vital(there) {
			grown(all.soFar(s, there))
		}
	}
	s.atWork(1)
	return all
}

// take waits for a part, and takes those that have come by then, too.
func (a Assembly[P]) take(came <-chan *arrival[P], there []bool) (n int) {
	for next := <-came; ; n++ {
		there[next.index], a.parts[next.index].piece = true, next.piece
		select {
		case next = <-came:
		default:
			return n + 1
		}
	}
}

// vital reports whether all parts that the page cannot do without are there.
func (a Assembly[P]) vital(there []bool) bool {
	for i, p := range a.parts {
		if !there[i] && p.piece.vital() {
			return false
		}
	}
	return true
}

// soFar is the page of the parts that are there.
func (a Assembly[P]) soFar(s *Scope, there []bool) (page P) {
	for i, p := range a.parts {
		if there[i] {
			p.piece.place(s, &page)
		}
	}
	return page
}

// arrival waits for a part, beside the others, and comes with its answer. It ends when
// its stream does: a [Grace] after the scope at the latest.
type arrival[P any] struct {
	scope *Scope
	piece piece[P]
	index int
	came  chan<- *arrival[P] // with room for all
}

func (a *arrival[P]) work() {
	defer a.scope.leave()
	a.piece = a.piece.answered(a.scope)
	a.scope.rest()
	a.came <- a
}
