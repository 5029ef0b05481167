package passthrough

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/fault"
)

// phase is when an exchange failed.
type phase uint8

const (
	lost   phase = iota // before the header of the answer
	broken              // in its body
	gone                // while the client took it
)

// failed turns what went wrong into what callers decide by. When the time is over, the
// connections are ended from here; so that comes first. Then comes what the client did:
// the transport tells of it as of a fault of its own.
func (x *exchange) failed(ctx context.Context, err error, when phase) error {
	finished, problem := x.settle()
	switch late := over(ctx) && errors.Is(ctx.Err(), context.DeadlineExceeded); {
	case late && x.client.waited() >= time.Since(x.began)/2:
		return slow(finished)
	case late:
		return x.ended(ctx)
	case problem != nil:
		return x.badBody(problem)
	case x.left():
		return x.ended(ctx)
	case when == gone:
		return left(err)
	}
	return x.ofService(err, when)
}

// outcome is what a request says of the instance that it went to.
func outcome(ctx context.Context, err error, took time.Duration) balance.Outcome {
	code := fault.CodeOf(err)
	switch {
	case err == nil, errors.Is(err, fault.ErrRefused) && code != fault.Canceled:
		return balance.Success
	case code == fault.Unavailable, code == fault.BadAnswer:
		return balance.Fault
	case errors.Is(ctx.Err(), context.DeadlineExceeded) && code != fault.Invalid && took >= balance.Patience:
		return balance.Fault
	}
	return balance.Silent
}

// settle ends the reading of the body, and tells whether it had come to its end, and
// what had gone wrong with it before.
func (x *exchange) settle() (finished bool, problem error) {
	if x.upload == nil {
		return true, nil
	}
	finished, problem = x.upload.state()
	x.upload.stop(x.w)
	return finished, problem
}

// ended is an exchange that its context ended. It carries no code of its own, so that
// the command says whose time was over.
func (x *exchange) ended(ctx context.Context) error {
	<-ctx.Done() // which may be a moment behind the client's
	return fmt.Errorf("%s: the call was ended: %w: %w", x.upstream.service, context.Cause(ctx), ctx.Err())
}

// left reports whether the client has gone.
func (x *exchange) left() bool { return x.r.Context().Err() != nil }

// left is the fault of a client that went away. It says nothing of the service.
func left(cause error) error {
	return &fault.Error{
		Code: fault.Canceled, Reason: fault.ReasonCanceled, Cause: fmt.Errorf("%w: the client went away: %w", fault.ErrRefused, cause),
	}
}

// slow is the fault of a client that took the time of the service for itself.
func slow(finished bool) error {
	if finished {
		return fault.New(fault.Invalid, "the answer was not taken in time")
	}
	return fault.InvalidField("body", "did not come in time")
}

// badBody is the fault of a body that cannot be passed on.
func (x *exchange) badBody(problem error) error {
	var network *net.OpError
	switch {
	case errors.Is(problem, errTooLarge):
		return x.tooLarge()
	case errors.Is(problem, os.ErrDeadlineExceeded):
		return slow(false)
	case errors.Is(problem, io.ErrUnexpectedEOF), errors.As(problem, &network):
		return left(problem)
	}
	return &fault.Error{Code: fault.Invalid, Reason: fault.ReasonInvalid, Field: "body", Detail: "cannot be read", Cause: problem}
}

// ofService is a fault of the service: it is not there, or it speaks no HTTP.
func (x *exchange) ofService(err error, when phase) error {
	var network *net.OpError
	away := errors.As(err, &network) || errors.Is(err, io.EOF)
	if when == lost && (away || errors.Is(err, io.ErrUnexpectedEOF)) || when == broken && away {
		return fault.Because(fault.ReasonError, fmt.Errorf("%s: %w", x.upstream.service, err))
	}
	return x.unreadable(err)
}

func (x *exchange) unreadable(err error) error {
	return fault.Because(fault.ReasonInvalid, fmt.Errorf("%s: %w", x.upstream.service, err))
}

// over reports whether ctx has ended. The connection's own timer may be ahead of the
// context's by microseconds: those are waited for.
func over(ctx context.Context) bool {
	if deadline, ok := ctx.Deadline(); ok && !time.Now().Before(deadline) {
		<-ctx.Done()
	}
	return ctx.Err() != nil
}
