// Package stream is the vocabulary in which a page is declared: a [Stream] is
// one value to come, the verbs (Map, Then, Or, Each, Some) make streams of
// streams, and an [Assembly] of parts makes a page of them, or an element of a
// larger one. Nothing runs before the assembly does; then everything that waits
// for nothing runs at once, so the dependency graph is the code. Calls that have
// a form for many keys ([Collapser]) wait for each other, until nothing in the
// request can add to them.
//
// RxGo is inside, in the one form that is safe and cheap: whatever runs beside
// the rest is an observable of a channel with room for its one item, which one
// of the [Workers] sends. RxGo's operators are not used, because each costs a
// goroutine and a channel, ends the process when a callback panics, and takes a
// cancel for a completion: Map and Or run where their value is read, Then runs
// both its calls on one goroutine. A graph of seven calls that do nothing costs
// 9 to 12 µs of CPU.
//
// A stream belongs to the request (the [Scope]) that runs it first, and runs
// once in it however often it is used. Streams may be used from several
// goroutines. Values are shared between all that use a stream: nobody may
// change what it is given.
package stream

import (
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// Stream is one value of type T to come, or the error that came instead.
// The zero Stream fails.
type Stream[T any] struct{ node node[T] }

// node is a vertex of the dependency graph.
type node[T any] interface {
	// begin starts whatever waits for nothing; it does not block. Beginning
	// twice is beginning once. The failure of a vital node ends the scope.
	begin(s *Scope, vital bool)
	// await returns the answer as soon as there is one.
	await(s *Scope) answer[T]
	// settle waits as await does, and returns the answer's error: a value may be
	// large, and is not always wanted.
	settle(s *Scope) error
}

// answer is what a stream came to.
type answer[T any] struct {
	value T
	mark  report.Mark
	holes report.Holes // in value, if it is made of lists
	ready stamp        // when
	err   error
}

func failed[T any](err error) answer[T] {
	return answer[T]{mark: report.Mark{Rung: report.Missing, Reason: fault.ReasonOf(err)}, err: err}
}

// answered returns what was answered to a question, which was ready then.
func answered[T any](a *Answered[T], ready stamp) answer[T] {
	if a.Err != nil {
		failure := failed[T](a.Err)
		failure.ready = ready
		return failure
	}
	return answer[T]{value: a.Value, mark: a.Mark, ready: ready}
}

var errZero = fault.New(fault.Internal, "a zero stream was run")

func (s Stream[T]) begin(scope *Scope, vital bool) {
	switch {
	case s.node != nil:
		s.node.begin(scope, vital)
	case vital:
		scope.fail(errZero)
	}
}

func (s Stream[T]) await(scope *Scope) answer[T] {
	if s.node == nil {
		return failed[T](errZero)
	}
	return s.node.await(scope)
}

func (s Stream[T]) settle(scope *Scope) error {
	if s.node == nil {
		return errZero
	}
	return s.node.settle(scope)
}

// Of returns the stream of a value that is already there.
func Of[T any](value T) Stream[T] {
	return Stream[T]{constant[T]{answer[T]{value: value, mark: report.Mark{Rung: report.Live}}}}
}

// Fail returns the stream that fails with err.
func Fail[T any](err error) Stream[T] { return Stream[T]{constant[T]{failed[T](err)}} }

type constant[T any] struct{ answer answer[T] }

func (c constant[T]) begin(s *Scope, vital bool) {
	if vital && c.answer.err != nil {
		s.fail(c.answer.err)
	}
}

func (c constant[T]) await(*Scope) answer[T] { return c.answer }

func (c constant[T]) settle(*Scope) error { return c.answer.err }
