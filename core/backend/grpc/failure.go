package grpc

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/facet-gateway/facet/core/fault"
)

// quoted is how many bytes of what a server wrote a cause repeats.
const quoted = 200

// statusError is how a call ended that has no answer.
type statusError struct {
	code codes.Code
	text string
}

func (e statusError) Error() string { return fmt.Sprintf("status %v: %q", e.code, e.text) }

// Is says what the statuses mean that blame the request, with [fault.ErrRefused].
func (e statusError) Is(target error) bool { return target == fault.ErrRefused && refused(e.code) }

// refused is the row of the package comment that blames the request.
func refused(code codes.Code) bool {
	switch code {
	case codes.InvalidArgument, codes.FailedPrecondition, codes.OutOfRange, codes.AlreadyExists,
		codes.PermissionDenied, codes.Unauthenticated, codes.Unimplemented:
		return true
	default:
		return false
	}
}

// failure turns what a call ended with into what callers decide by. where says of which
// service and instance.
func (x *exchange) failure(err error, where func(error) error) error {
	s := status.Convert(err)
	cause := statusError{code: s.Code(), text: s.Message()[:min(len(s.Message()), quoted)]}
	switch {
	case x.undecoded != nil:
		return fault.Because(fault.ReasonInvalid, where(fmt.Errorf("the answer cannot be read: %w", x.undecoded)))
	case x.unread(s):
		return fault.Because(fault.ReasonInvalid, where(errors.New(cause.text)))
	case s.Code() == codes.NotFound:
		return fault.Because(fault.ReasonNotFound, where(cause))
	}
	failure := fault.Because(fault.ReasonError, where(cause))
	if refused(s.Code()) {
		failure.Code = fault.BadAnswer
	}
	return failure
}

// unread reports an answer that grpc-go refused to hand over: too large, compressed, or
// no message at all. It says so with a status like those of servers, which its words alone
// tell from them; a server that uses them of a request, before any answer, does not pass
// for it.
func (x *exchange) unread(s *status.Status) bool {
	begun := x.header != nil && strings.HasPrefix(s.Message(), "grpc: ")
	return begun || strings.HasPrefix(s.Message(), "cardinality violation: received no response message")
}
