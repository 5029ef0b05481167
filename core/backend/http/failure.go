package http

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

// endedError is a call that its context ended. It carries no code of its own,
// so that whoever ended the context says with the cause what that means.
type endedError struct {
	service    string
	cause, err error
}

func ended(ctx context.Context, service string) error {
	return &endedError{service: service, cause: context.Cause(ctx), err: ctx.Err()}
}

func (e *endedError) Error() string {
	return fmt.Sprintf("%s: the call was ended: %v", e.service, e.cause)
}

func (e *endedError) Unwrap() []error { return []error{e.cause, e.err} }

// failed turns what went wrong in an exchange into what callers decide by.
func (c *Client) failed(ctx context.Context, in *instance, reason fault.Reason, err error) error {
	if over(ctx) {
		return ended(ctx, c.service)
	}
	failure := fault.Because(reason, fmt.Errorf("%s at %s: %w", c.service, in.address, err))
	var status statusError
	if errors.As(err, &status) && status.code() != fault.OK {
		failure.Code = status.code()
	}
	return failure
}

// over reports whether ctx has ended. A dial's own timer may be ahead of the
// context's by microseconds: those are waited for, else a deadline would pass
// for a fault of the network.
func over(ctx context.Context) bool {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		<-ctx.Done()
	}
	return ctx.Err() != nil
}

func (c *Client) because(err error) error { return fmt.Errorf("%s: %w", c.service, err) }
