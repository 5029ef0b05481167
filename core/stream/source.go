package stream

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// source is a stream that runs beside the others, once.
type source[T any] struct {
	key      any         // what it is shared under; nil: it is not
	question Question[T] // what it asks, or
	eval     func(*Scope) answer[T]

	mu      sync.Mutex
	scope   *Scope           // the request that ran it first
	first   *source[T]       // the source that runs for all of its key
	items   <-chan rxgo.Item // closed when answer is there
	result  chan<- rxgo.Item // the end of items that the source has
	waiting int              // goroutines that the answer will set to work again
	vital   atomic.Bool      // its failure ends the request
	done    atomic.Bool      // answer is there
	answer  answer[T]
}

// Question is what a stream of an answer asks. Its methods may panic: that is an
// error like any other.
type Question[T any] interface {
	// Known returns the answer if it is at hand. It is asked for where the page
	// begins, on the goroutine of the page, and must return at once.
	Known(ctx context.Context) (a Answered[T], ok bool)
	// Ask makes the call for the answer that was not: a value, where it stands on
	// the ladder, and an error instead of both. It has a goroutine of its own, and
	// must end soon after its context does.
	Ask(ctx context.Context) (T, report.Mark, error)
}

// Answer returns the stream of the answer to a question. It is how a command
// becomes a stream. Two equal questions are asked once in a request, so they are
// comparable.
func Answer[T any](q Question[T]) Stream[T] {
	return Stream[T]{&source[T]{key: q, question: q}}
}

// Source returns the stream of what a call returns: [Answer] of what is never at
// hand. Two sources of one key run once in a request; key is comparable, and
// belongs to one type T. A nil key is shared with nobody.
func Source[T any](key any, call func(context.Context) (T, report.Mark, error)) Stream[T] {
	return Stream[T]{&source[T]{key: key, question: caller[T](call)}}
}

// caller is the question of a call.
type caller[T any] func(context.Context) (T, report.Mark, error)

// Known has nothing at hand.
func (caller[T]) Known(context.Context) (a Answered[T], ok bool) { return a, false }

// Ask makes the call.
func (c caller[T]) Ask(ctx context.Context) (T, report.Mark, error) { return c(ctx) }

func (n *source[T]) begin(s *Scope, vital bool) {
	if first := n.shared(s); first != n {
		first.begin(s, vital)
		return
	}
	if n.scope != s { // await says so too
		if vital {
			s.fail(errOtherRequest)
		}
		return
	}
	n.start(s)
	if vital {
		n.setVital()
	}
}

// start runs the source beside the others, unless it runs already, the request is
// over, or the answer is at hand.
func (n *source[T]) start(s *Scope) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.items == nil && !n.done.Load() && !s.over() && !n.inherit(s) && !n.known(s) {
		n.open()
		n.launch(s)
	}
}

// known takes the answer that is at hand, if there is one. A panic says that there
// is none: the call will say what is wrong.
func (n *source[T]) known(s *Scope) (ok bool) {
	if n.question == nil {
		return false
	}
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	a, ok := n.question.Known(s.ctx)
	if ok {
		n.answer = answered(&a, s.now())
		n.done.Store(true)
	}
	return ok
}

// open makes what whoever waits for the source waits on.
func (n *source[T]) open() {
	result := make(chan rxgo.Item, 1) // with room for the item: the source ends also when nobody reads it
	n.result, n.items = result, rxgo.FromChannel(result).Observe()
}

// launch has a worker run the source, which is open.
func (n *source[T]) launch(s *Scope) {
	if n.eval != nil {
		s.atWork(1)
	}
	s.enter()
	s.workers.run(n)
}

// shared returns the source that runs in the request for all of n's key.
func (n *source[T]) shared(s *Scope) *source[T] {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.scope == nil {
		n.scope, n.first = s, n
		if n.key != nil {
			if first, ok := s.share(n.key, n).(*source[T]); ok {
				n.first = first
			}
		}
	}
	return n.first
}

// work runs the source on the goroutine of a worker.
func (n *source[T]) work() {
	defer n.scope.leave()
	n.run(0)
	if n.eval != nil {
		n.scope.rest()
	}
	n.result <- rxgo.Of(n)
	close(n.result)
}

// inline runs the source on the goroutine that waits for it, which is not at work
// for as long as a call takes.
func (n *source[T]) inline() {
	if n.eval != nil {
		n.run(0)
		return
	}
	n.scope.rest()
	n.run(1)
}

// run makes the answer, and sets to work whoever waits for it, and more.
func (n *source[T]) run(more int) {
	n.answer = n.evaluate()
	n.answer.ready = n.scope.now()
	n.mu.Lock()
	n.scope.atWork(n.waiting + more) // before done: who sees that it is may be the last to rest
	n.done.Store(true)
	n.mu.Unlock()
	n.failIfVital()
}

// evaluate makes the answer; a panic on the way is an error.
func (n *source[T]) evaluate() (a answer[T]) {
	defer func() {
		if v := recover(); v != nil {
			a = failed[T](Panicked(v))
		}
	}()
	if n.scope.over() {
		return failed[T](n.scope.ended())
	}
	if n.question == nil {
		return n.eval(n.scope)
	}
	value, mark, err := n.question.Ask(n.scope.ctx)
	if err != nil {
		return failed[T](err)
	}
	return answer[T]{value: value, mark: mark}
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
	err := n.settle(s)
	if first := n.shared(s); first.scope == s && first.done.Load() {
		return first.answer
	}
	a := failed[T](err)
	a.ready = s.now()
	return a
}

func (n *source[T]) settle(s *Scope) error {
	if first := n.shared(s); first != n {
		return first.settle(s)
	}
	if n.scope != s {
		return errOtherRequest
	}
	if n.claim() {
		n.inline()
		close(n.result)
	}
	return n.wait(s)
}

// claim reports whether nobody has begun the source, nor is its answer at hand. It
// is the caller's to run then.
func (n *source[T]) claim() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.items != nil || n.done.Load() || n.inherit(n.scope) {
		return false
	}
	over := make(chan rxgo.Item)
	n.result, n.items = over, over
	return true
}

// wait blocks until the answer is there, and returns its error. When the request
// ends first, the answer has [Grace] to come all the same: a call that was cut
// short still finds its stale copy. A request that has failed has no use for it.
func (n *source[T]) wait(s *Scope) error {
	if !n.queue() {
		return n.answer.err
	}
	defer n.resume(s)
	s.rest()
	select {
	case <-n.items:
		return n.answer.err
	case <-s.ctx.Done():
	}
	if s.failed() == nil {
		n.linger(s)
	}
	if n.done.Load() { // which of two ready channels a select takes is chance
		return n.answer.err
	}
	return s.ended()
}

// queue counts this goroutine among those that wait for the answer. It reports
// false if there is nothing to wait for.
func (n *source[T]) queue() bool {
	if n.done.Load() {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.done.Load() {
		return false
	}
	n.waiting++
	return true
}

// resume sets this goroutine to work again, unless the answer has done so.
func (n *source[T]) resume(s *Scope) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.done.Load() {
		n.waiting--
		s.atWork(1)
	}
}

// linger waits for the answer for what is left of the grace.
func (n *source[T]) linger(s *Scope) {
	timer := time.NewTimer(s.graceLeft())
	defer timer.Stop()
	select {
	case <-n.items:
	case <-timer.C:
	}
}
