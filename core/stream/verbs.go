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
		return answer[B]{mark: up.mark, ready: up.ready, err: up.err}
	}
	m.mu.Lock() // for as long as f takes, not for as long as the value does
	defer m.mu.Unlock()
	if !m.done {
		m.done = true
		m.answer = m.apply(up)
	}
	return m.answer
}

// apply runs f; a panic in it is an error.
func (m *mapped[A, B]) apply(up answer[A]) (a answer[B]) {
	defer func() {
		if v := recover(); v != nil {
			a = failed[B](Panicked(v))
		}
	}()
	return answer[B]{value: m.f(up.value), mark: up.mark, ready: up.ready}
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
		down := f(up.value).await(scope)
		if down.err == nil {
			down.mark = up.mark.Join(down.mark)
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

// Each returns the streams that f makes of the elements of a list, as one list
// in the same order. At most limit of them (at least 1) run at once. It fails
// with the first element that fails, in the list's order: give an element its
// own Or to keep the others. It stands on the worst rung of all.
func Each[A, B any](s Stream[[]A], limit int, f func(A) Stream[B]) Stream[[]B] {
	limit = max(limit, 1)
	return Stream[[]B]{&then[[]A, []B]{up: s, source: source[[]B]{eval: func(scope *Scope) answer[[]B] {
		up := s.await(scope)
		if up.err != nil {
			return failed[[]B](dependency(up.err))
		}
		return gather(scope, up, limit, f)
	}}}}
}

// gather keeps a window of limit elements running, and reads them in order.
func gather[A, B any](s *Scope, up answer[[]A], limit int, f func(A) Stream[B]) answer[[]B] {
	all := answer[[]B]{value: make([]B, 0, len(up.value)), mark: up.mark}
	window := make([]Stream[B], 0, len(up.value))
	for i := range up.value {
		for len(window) < min(i+limit, len(up.value)) {
			element := f(up.value[len(window)])
			element.begin(s, false)
			window = append(window, element)
		}
		a := window[i].await(s)
		if a.err != nil {
			return failed[[]B](a.err)
		}
		all.value = append(all.value, a.value)
		all.mark = all.mark.Join(a.mark)
	}
	return all
}
