package stream

import (
	"fmt"
	"runtime/debug"

	"github.com/facet-gateway/facet/core/fault"
)

// protect calls eval and turns a panic in it into an error.
func protect[T any](s *Scope, eval func(*Scope) answer[T]) (a answer[T]) {
	defer func() {
		if v := recover(); v != nil {
			a = failed[T](Panicked(v))
		}
	}()
	return eval(s)
}

// Panicked returns the error of a recovered panic. Its cause, for the log,
// holds the stack: call it from the deferred function.
func Panicked(value any) error {
	return fault.Because(fault.ReasonPanic, fmt.Errorf("panic: %v\n%s", value, debug.Stack()))
}
