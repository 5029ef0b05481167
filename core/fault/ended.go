package fault

import (
	"context"
	"fmt"
	"time"
)

// endedError is a call that its context ended. It carries no code of its own,
// so that whoever ended the context says with the cause what that means.
type endedError struct {
	who        string
	cause, err error
}

// Ended is the error of a call to a backend that its context ended: it wraps both the
// context's cause and its error.
func Ended(ctx context.Context, backend string) error {
	return &endedError{who: backend, cause: context.Cause(ctx), err: ctx.Err()}
}

func (e *endedError) Error() string {
	return fmt.Sprintf("%s: the call was ended: %v", e.who, e.cause)
}

func (e *endedError) Unwrap() []error { return []error{e.cause, e.err} }

// Over reports whether ctx has ended. A timer of another may be ahead of the
// context's by microseconds: those are waited for, else a deadline would pass
// for a fault of the network.
func Over(ctx context.Context) bool {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		<-ctx.Done()
	}
	return ctx.Err() != nil
}
