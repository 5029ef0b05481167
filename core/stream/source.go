package stream

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// source is a stream that runs beside the others, once.
type source[T any] struct {
	eval func(s *Scope) answer[T]

	mu     sync.Mutex
	scope  *Scope           // the request that ran it first
	items  <-chan rxgo.Item // closed when answer is there
	vital  atomic.Bool      // its failure ends the request
	done   atomic.Bool      // answer is there
	answer answer[T]
}

// Source returns the stream of what run returns: a value, where it stands on
// the ladder, and an error instead of both. It is how a command becomes a
// stream. Two sources of one key run once in a request; key is comparable, and
// belongs to one type T. A nil key is shared with nobody.
//
// run has a goroutine of its own, must end soon after its context does, and
// may panic: that is an error like any other.
func Source[T any](key any, run func(context.Context) (T, report.Mark, error)) Stream[T] {
	n := &source[T]{eval: func(s *Scope) answer[T] {
		value, mark, err := run(s.ctx)
		if err != nil {
			return failed[T](err)
		}
		return answer[T]{value: value, mark: mark}
	}}
	if key == nil {
		return Stream[T]{n}
	}
	return Stream[T]{&shared[T]{key: key, own: n}}
}

func (n *source[T]) begin(s *Scope, vital bool) {
	n.mu.Lock()
	if n.items == nil {
		n.scope = s
		s.enter()
		n.items = rxgo.Defer([]rxgo.Producer{n.produce}, s.options...).Observe()
	}
	n.mu.Unlock()
	if vital {
		n.setVital()
	}
}

// produce is the goroutine of a source: the one that RxGo starts.
func (n *source[T]) produce(_ context.Context, next chan<- rxgo.Item) {
	defer n.scope.leave()
	n.run()
	next <- rxgo.Of(n)
}

func (n *source[T]) run() {
	n.answer = protect(n.scope, n.eval)
	if n.answer.ready == 0 {
		n.answer.ready = n.scope.now()
	}
	n.done.Store(true)
	n.failIfVital()
}

// setVital may come before or after the answer: whichever of the two is second
// sees the other.
func (n *source[T]) setVital() {
	n.vital.Store(true)
	if n.done.Load() {
		n.failIfVital()
	}
}

func (n *source[T]) failIfVital() {
	if n.vital.Load() && n.answer.err != nil {
		n.scope.fail(n.answer.err)
	}
}

var errOtherRequest = fault.New(fault.Internal, "a stream was used in a request that did not make it")

func (n *source[T]) await(s *Scope) answer[T] {
	n.mu.Lock()
	if n.items == nil { // nobody waits for it yet: run it here
		items := make(chan rxgo.Item)
		n.scope, n.items = s, items
		n.mu.Unlock()
		defer close(items)
		n.run()
		return n.answer
	}
	items, scope := n.items, n.scope
	n.mu.Unlock()
	if scope != s {
		return failed[T](errOtherRequest)
	}
	return n.wait(s, items)
}

// wait blocks until the answer is there. When the request ends first, the
// answer has [Grace] to come all the same: a call that was cut short still
// finds its stale copy.
func (n *source[T]) wait(s *Scope, items <-chan rxgo.Item) answer[T] {
	select {
	case <-items:
		return n.answer
	case <-s.ctx.Done():
	}
	timer := time.NewTimer(Grace)
	defer timer.Stop()
	select {
	case <-items:
		return n.answer
	case <-timer.C:
		return failed[T](ended(s.ctx))
	}
}

// ended returns why the context of a request has ended, as a fault.
func ended(ctx context.Context) error {
	cause := context.Cause(ctx)
	var f *fault.Error
	if errors.As(cause, &f) {
		return f
	}
	return fault.Because(fault.ReasonOf(cause), cause)
}

// shared is a source that all streams of one key share in a request.
type shared[T any] struct {
	key   any
	own   *source[T]
	first atomic.Pointer[source[T]]
}

func (n *shared[T]) begin(s *Scope, vital bool) { n.resolve(s).begin(s, vital) }

func (n *shared[T]) await(s *Scope) answer[T] { return n.resolve(s).await(s) }

func (n *shared[T]) resolve(s *Scope) *source[T] {
	if first := n.first.Load(); first != nil {
		return first
	}
	first, ok := s.share(n.key, n.own).(*source[T])
	if !ok {
		first = n.own // the key belongs to another type: a defect of the caller, contained
	}
	n.first.Store(first)
	return first
}
