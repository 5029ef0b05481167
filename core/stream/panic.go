package stream

import (
	"fmt"
	"runtime/debug"

	"github.com/facet-gateway/facet/core/fault"
)

// Panicked returns the error of a recovered panic. Its cause, for the log,
// holds the stack: call it from the deferred function.
func Panicked(value any) error {
	return fault.Because(fault.ReasonPanic, fmt.Errorf("panic: %v\n%s", value, debug.Stack()))
}
