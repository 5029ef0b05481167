package simulator

import (
	"bytes"
	"encoding/binary"
	"net/http"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
)

// spoilt is the codec of protobuf that also sends bytes as they are.
type spoilt struct{}

// Marshal encodes a message, or passes bytes on.
func (spoilt) Marshal(v any) (mem.BufferSlice, error) {
	if raw, ok := v.(mem.BufferSlice); ok {
		return raw, nil
	}
	return encoding.GetCodecV2(proto.Name).Marshal(v) //nolint:wrapcheck // as if it was that one
}

// Unmarshal decodes a message.
func (spoilt) Unmarshal(data mem.BufferSlice, v any) error {
	return encoding.GetCodecV2(proto.Name).Unmarshal(data, v) //nolint:wrapcheck // as if it was that one
}

// Name is the content's subtype.
func (spoilt) Name() string { return proto.Name }

// What an unknown field 15 of protobuf begins with: a text, and the two ends of a group.
const (
	unknownText  = 15<<3 | 2
	unknownGroup = 15<<3 | 3
	endOfGroup   = 15<<3 | 4
)

// spoilMessage makes of a message of protobuf what [spoil] makes of a body; there is no
// gzip, so that Bomb is Huge.
func spoilMessage(message []byte, f *Fault) mem.BufferSlice {
	switch {
	case f.Truncated:
		message = message[:len(message)/2]
	case f.Garbage:
		message = append(bytes.Clone(message[:len(message)/2]), "\x00}{"...)
	case f.WrongType:
		message = []byte(maintenance)
	case f.Deep:
		begin, end := bytes.Repeat([]byte{unknownGroup}, lists), bytes.Repeat([]byte{endOfGroup}, lists)
		message = append(append(begin, end...), message...)
	case f.Oversize:
		return padMessage(message, oversizeBytes)
	case f.Huge || f.Bomb:
		return padMessage(message, hugeBytes)
	}
	return mem.BufferSlice{mem.SliceBuffer(message)}
}

// padMessage puts a field of some bytes before the others. It takes no more memory than
// one chunk of it.
func padMessage(message []byte, padding int) mem.BufferSlice {
	head := binary.AppendUvarint([]byte{unknownText}, uint64(padding)) //nolint:gosec // it is positive
	padded := mem.BufferSlice{mem.SliceBuffer(head)}
	chunk := mem.SliceBuffer(bytes.Repeat([]byte{'x'}, chunkBytes))
	for sent := 0; sent < padding; sent += chunkBytes {
		padded = append(padded, chunk)
	}
	return append(padded, mem.SliceBuffer(message))
}

// statusOf is an answer that is an error, as gRPC has it.
func statusOf(a *answer) error {
	p, _ := a.value.(problem)
	if p.Field != "" {
		return status.Errorf(codeOf(a.status), "%s: %s", p.Error, p.Field)
	}
	return status.Error(codeOf(a.status), p.Error)
}

func codeOf(httpStatus int) codes.Code {
	switch httpStatus {
	case http.StatusBadRequest:
		return codes.InvalidArgument
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusNotFound:
		return codes.NotFound
	case http.StatusRequestTimeout, http.StatusServiceUnavailable:
		return codes.Unavailable
	case http.StatusTooManyRequests:
		return codes.ResourceExhausted
	case http.StatusGatewayTimeout:
		return codes.DeadlineExceeded
	}
	if httpStatus < http.StatusInternalServerError {
		return codes.FailedPrecondition
	}
	return codes.Internal
}
