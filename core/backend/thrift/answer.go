package thrift

import (
	"context"
	"errors"
	"fmt"

	lib "github.com/apache/thrift/lib/go/thrift"

	"github.com/facet-gateway/facet/core/fault"
)

// quoted is how many bytes of what a server wrote a cause repeats.
const quoted = 200

var (
	errSequence = errors.New("the answer is to another call")
	errMethod   = errors.New("the answer is of another method")
	errKind     = errors.New("the message is neither an answer nor an exception")
	errRest     = errors.New("the frame has a rest after the answer")
)

// applicationError is an exception that the IDL does not declare: a server throws it
// that cannot make the call.
type applicationError struct {
	kind int32
	text string
}

func (e *applicationError) Error() string {
	return fmt.Sprintf("application exception %d: %q", e.kind, e.text)
}

// Is says what the exceptions mean that blame the request, with [fault.ErrRefused].
func (e *applicationError) Is(target error) bool {
	return target == fault.ErrRefused && refused(e.kind)
}

// refused is the row of the package comment that blames the request.
func refused(kind int32) bool {
	switch kind {
	case lib.UNKNOWN_METHOD, lib.INVALID_MESSAGE_TYPE_EXCEPTION, lib.WRONG_METHOD_NAME, lib.BAD_SEQUENCE_ID, lib.PROTOCOL_ERROR,
		lib.INVALID_TRANSFORM, lib.INVALID_PROTOCOL, lib.UNSUPPORTED_CLIENT_TYPE, lib.VALIDATION_FAILED:
		return true
	}
	return false
}

// readAnswer reads a message, which has to be the answer to r.
func readAnswer(ctx context.Context, from *lib.TCompactProtocol, r request) error {
	method, kind, sequence, err := from.ReadMessageBegin(ctx)
	switch {
	case err != nil:
		return unreadable(err)
	case sequence != r.sequence:
		return errSequence
	case kind != lib.REPLY && kind != lib.EXCEPTION:
		return errKind
	case method != r.method:
		return errMethod
	case kind == lib.EXCEPTION:
		return readException(ctx, from)
	}
	if err := r.result.Read(ctx, from); err != nil {
		return unreadable(err)
	}
	return nil
}

func readException(ctx context.Context, from *lib.TCompactProtocol) error {
	exception := lib.NewTApplicationException(lib.UNKNOWN_APPLICATION_EXCEPTION, "")
	if err := exception.Read(ctx, from); err != nil {
		return unreadable(err)
	}
	return &applicationError{exception.TypeId(), short(exception.Error())}
}

// unreadable keeps the words of a decoder, which may quote what it has read.
func unreadable(err error) error {
	return fmt.Errorf("the answer cannot be read: %q", short(err.Error()))
}

func short(text string) string { return text[:min(len(text), quoted)] }
