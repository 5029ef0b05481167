package grpc

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"

	"github.com/facet-gateway/facet/core/report"
)

// exchange is one call. It is the codec of its messages: whoever decodes them knows what
// the status that grpc-go makes of it does not tell. And it is what grpc-go calls its
// credentials, which are metadata that is made for each request that is written.
type exchange struct {
	call    *report.Call // nil: the call belongs to no record
	told    time.Duration
	request mem.BufferSlice
	header  metadata.MD // of the answer; nil: there was none, or only a status

	answers   int   // messages that came whole
	undecoded error // why one cannot be read
}

var _ credentials.PerRPCCredentials = (*exchange)(nil)

var (
	errEncode  = errors.New("the request cannot be encoded")
	errSeveral = errors.New("the answer has more than one message")
)

// newExchange encodes the request, so that one which is none never reaches an instance.
func newExchange(call *report.Call, args any) (*exchange, error) {
	request, err := encoding.GetCodecV2(proto.Name).Marshal(args)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errEncode, err)
	}
	return &exchange{call: call, request: request}, nil
}

// Marshal returns the request that was encoded already.
func (x *exchange) Marshal(any) (mem.BufferSlice, error) { return x.request, nil }

// Unmarshal decodes the answer.
func (x *exchange) Unmarshal(data mem.BufferSlice, reply any) error {
	if x.answers++; x.answers > 1 {
		x.undecoded = errSeveral
		return x.undecoded
	}
	if x.call != nil {
		x.call.Bytes = data.Len()
	}
	x.undecoded = encoding.GetCodecV2(proto.Name).Unmarshal(data, reply)
	return x.undecoded
}

// Name is the content's subtype.
func (*exchange) Name() string { return proto.Name }

// GetRequestMetadata is asked for whenever a request is about to be written, on the
// goroutine of the call, so that it counts what is sent again by grpc-go, too. It is all
// that a backend learns beside the request: nothing of the client's own headers gets
// there.
func (x *exchange) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	if x.call != nil {
		x.call.Attempts++
	}
	trace, id := x.call.Identity()
	md := make(map[string]string, 3)
	md["traceparent"] = string(trace.AppendTraceparent(nil))
	if visible(id) {
		md["x-request-id"] = id
	}
	if x.told > 0 {
		md["x-request-timeout-ms"] = strconv.FormatInt(x.told.Milliseconds(), 10)
	}
	return md, nil
}

// RequireTransportSecurity is false, as none of it is secret.
func (*exchange) RequireTransportSecurity() bool { return false }
