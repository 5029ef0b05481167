package wiretest

import (
	"context"
	"net/http"
	"testing"

	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"

	wire "github.com/facet-gateway/facet/adapters/wire/cart"
	backend "github.com/facet-gateway/facet/core/backend/http"
)

// Cart serves the cart service over gRPC until the test ends, and returns its URL.
func Cart(t testing.TB, h http.Handler) string {
	t.Helper()
	l := listen(t)
	server := rpc.NewServer(rpc.ForceServerCodecV2(loose{}), rpc.WaitForHandlers(true), rpc.UnaryInterceptor(
		func(ctx context.Context, request any, _ *rpc.UnaryServerInfo, _ rpc.UnaryHandler) (any, error) {
			get, _ := request.(*wire.GetRequest)
			return cart(ask(ctx, h, backend.Path("/carts/", get.GetUser())))
		}))
	wire.RegisterCartsServer(server, wire.UnimplementedCartsServer{})
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return "grpc://" + l.Addr().String()
}

func cart(httpStatus int, body []byte) (any, error) {
	switch httpStatus {
	case http.StatusOK:
		return message(body), nil
	case http.StatusNotFound:
		return nil, status.Error(codes.NotFound, string(body))
	case http.StatusBadRequest:
		return nil, status.Error(codes.InvalidArgument, string(body))
	}
	return nil, status.Error(codes.Unavailable, string(body))
}

// message is the one that a body says, or the body.
func message(body []byte) any {
	said := &wire.Cart{}
	if (protojson.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(body, said) != nil {
		return body
	}
	return said
}

// loose sends bytes as they are, and messages as protobuf.
type loose struct{}

// Marshal encodes a message, or passes bytes on.
func (loose) Marshal(v any) (mem.BufferSlice, error) {
	if raw, ok := v.([]byte); ok {
		return mem.BufferSlice{mem.SliceBuffer(raw)}, nil
	}
	return encoding.GetCodecV2(proto.Name).Marshal(v) //nolint:wrapcheck // as if it was that one
}

// Unmarshal decodes a message.
func (loose) Unmarshal(data mem.BufferSlice, v any) error {
	return encoding.GetCodecV2(proto.Name).Unmarshal(data, v) //nolint:wrapcheck // as if it was that one
}

// Name is the content's subtype.
func (loose) Name() string { return proto.Name }
