package stream

import (
	"sync"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// Map returns the stream of f of a value. f runs once, and must be pure.
func Map[A, B any](s Stream[A], f func(A) B) Stream[B] {
	return Stream[B]{&mapped[A, B]{up: s, f: f}}
}

type mapped[A, B any] struct {
	up Stream[A]
	f  func(A) B

	mu     sync.Mutex
	done   bool
	answer answer[B]
}

func (m *mapped[A, B]) begin(s *Scope, vital bool) { m.up.begin(s, vital) }

func (m *mapped[A, B]) await(s *Scope) answer[B] {
	up := m.up.await(s)
	if up.err != nil {
		return answer[B]{mark: up.mark, holes: up.holes, ready: up.ready, err: up.err}
	}
	m.mu.Lock() // for as long as f takes, not for as long as the value does
	defer m.mu.Unlock()
	if !m.done {
		m.done = true
		m.answer = m.apply(s, up)
	}
	return m.answer
}

func (m *mapped[A, B]) settle(s *Scope) error { return m.await(s).err }

// apply runs f; a panic in it is an error.
func (m *mapped[A, B]) apply(s *Scope, up answer[A]) (a answer[B]) {
	defer func() {
		if v := recover(); v != nil {
			a = failed[B](Panicked(v))
		}
	}()
	return answer[B]{value: give(s, m.f, up.value), mark: up.mark, holes: up.holes, ready: up.ready}
}

// Then returns the stream that f makes of a value: a call that needs the answer
// of another. It stands on the worse rung of the two. When the first fails, the
// second is not made, and fails for the reason "dependency" with the first's code.
func Then[A, B any](s Stream[A], f func(A) Stream[B]) Stream[B] {
	return Stream[B]{&then[A, B]{up: s, source: source[B]{eval: func(scope *Scope) answer[B] {
		up := s.await(scope)
		if up.err != nil {
			return failed[B](dependency(up.err))
		}
		down := give(scope, f, up.value).await(scope)
		if down.err == nil {
			down.mark, down.holes = up.mark.Join(down.mark), up.holes.Join(down.holes)
		}
		return down
	}}}}
}

// then begins what it waits for, so that both are one vertex of the graph.
type then[A, B any] struct {
	source[B]
	up Stream[A]
}

func (t *then[A, B]) begin(s *Scope, vital bool) {
	t.up.begin(s, false)
	t.source.begin(s, vital)
}

func dependency(err error) error {
	return &fault.Error{Code: fault.CodeOf(err), Reason: fault.ReasonDependency, Cause: err}
}

// Or returns a stream that stands in with a value when s fails: it is then on
// the rung "default", for the reason that s failed for.
func Or[T any](s Stream[T], standIn T) Stream[T] { return Stream[T]{or[T]{up: s, standIn: standIn}} }

type or[T any] struct {
	up      Stream[T]
	standIn T
}

func (o or[T]) begin(s *Scope, _ bool) { o.up.begin(s, false) }

func (o or[T]) await(s *Scope) answer[T] {
	a := o.up.await(s)
	if a.err == nil {
		return a
	}
	mark := report.Mark{Rung: report.Default, Reason: fault.ReasonOf(a.err)}
	return answer[T]{value: o.standIn, mark: mark, ready: a.ready}
}

func (o or[T]) settle(s *Scope) error {
	_ = o.up.settle(s) // what stands in does not fail
	return nil
}

// Each returns the streams that f makes of the elements of a list, as one list
// in the same order. At most limit of them (at least 1) run at once. It fails
// with the first element that fails, in the list's order: give an element its
// own Or to keep the others, or take [Some]. It stands on the worst rung of all.
func Each[A, B any](s Stream[[]A], limit int, f func(A) Stream[B]) Stream[[]B] {
	return fanOut(s, gathering[A, B]{limit: limit, f: f})
}

// Some is [Each] without the elements that fail: the list closes over the holes,
// and the part that it belongs to says how many there are and why; an element that
// is itself a list counts as many as it has lost. When nothing is left, it depends:
// a list of what nobody knows any more is an empty one, but if any element failed
// for another reason, the list fails for that.
func Some[A, B any](s Stream[[]A], limit int, f func(A) Stream[B]) Stream[[]B] {
	return fanOut(s, gathering[A, B]{limit: limit, f: f, holes: true})
}

func fanOut[A, B any](s Stream[[]A], g gathering[A, B]) Stream[[]B] {
	return Stream[[]B]{&then[[]A, []B]{up: s, source: source[[]B]{eval: func(scope *Scope) answer[[]B] {
		up := s.await(scope)
		if up.err != nil {
			return failed[[]B](dependency(up.err))
		}
		return g.gather(scope, up)
	}}}}
}

// gathering is how the elements of a list become one.
type gathering[A, B any] struct {
	limit int
	f     func(A) Stream[B]
	holes bool // whether an element that fails is left out
}

// gather keeps a window of limit elements running, and reads them in order.
func (g gathering[A, B]) gather(s *Scope, up answer[[]A]) answer[[]B] {
	all := answer[[]B]{value: make([]B, 0, len(up.value)), mark: up.mark, holes: up.holes}
	window := make([]Stream[B], 0, len(up.value))
	var first error // of an element that was left out, and not because nobody knows it
	for i := range up.value {
		for len(window) < min(i+max(g.limit, 1), len(up.value)) {
			element := give(s, g.f, up.value[len(window)])
			element.begin(s, false)
			window = append(window, element)
		}
		a := window[i].await(s)
		switch {
		case a.err == nil:
			all.value = append(all.value, a.value)
			all.mark, all.holes = all.mark.Join(a.mark), all.holes.Join(a.holes)
		case !g.holes:
			return failed[[]B](a.err)
		default:
			reason := fault.ReasonOf(a.err)
			if first == nil && reason != fault.ReasonNotFound {
				first = a.err
			}
			all.holes = all.holes.Join(report.Holes{Count: max(a.holes.Count, 1), Reason: reason})
		}
	}
	if first != nil && len(all.value) == 0 {
		lost := failed[[]B](first)
		lost.holes = all.holes
		return lost
	}
	return all
}
