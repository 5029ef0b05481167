package grpc_test

import (
	"errors"
	"strings"
	"testing"

	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/facet-gateway/facet/core/backend/grpc"
	"github.com/facet-gateway/facet/core/fault"
)

// checkFault holds an error to the table of the package comment.
func checkFault(t *testing.T, err error, address string, code fault.Code, reason fault.Reason, refused bool) {
	t.Helper()
	if fault.CodeOf(err) != code || fault.ReasonOf(err) != reason || errors.Is(err, fault.ErrRefused) != refused {
		t.Errorf("got %v (%v, %v, refused: %v), want %v, %v, %v",
			err, fault.CodeOf(err), fault.ReasonOf(err), errors.Is(err, fault.ErrRefused), code, reason, refused)
	}
	if err != nil && !strings.Contains(err.Error(), "cart at "+address) {
		t.Errorf("%v does not say who failed", err)
	}
}

func TestStatuses(t *testing.T) {
	cases := map[codes.Code]struct {
		code    fault.Code
		refused bool
	}{
		codes.Canceled:           {fault.Unavailable, false},
		codes.Unknown:            {fault.Unavailable, false},
		codes.InvalidArgument:    {fault.BadAnswer, true},
		codes.DeadlineExceeded:   {fault.Unavailable, false},
		codes.NotFound:           {fault.NotFound, false},
		codes.AlreadyExists:      {fault.BadAnswer, true},
		codes.PermissionDenied:   {fault.BadAnswer, true},
		codes.ResourceExhausted:  {fault.Unavailable, false},
		codes.FailedPrecondition: {fault.BadAnswer, true},
		codes.Aborted:            {fault.Unavailable, false},
		codes.OutOfRange:         {fault.BadAnswer, true},
		codes.Unimplemented:      {fault.BadAnswer, true},
		codes.Internal:           {fault.Unavailable, false},
		codes.Unavailable:        {fault.Unavailable, false},
		codes.DataLoss:           {fault.Unavailable, false},
		codes.Unauthenticated:    {fault.BadAnswer, true},
		codes.Code(99):           {fault.Unavailable, false},
	}
	for code := codes.Canceled; code <= codes.Unauthenticated; code++ {
		if _, ok := cases[code]; !ok {
			t.Errorf("%v is not in the table", code)
		}
	}
	hows := map[string]func(stream rpc.ServerStream) error{
		"alone":           func(rpc.ServerStream) error { return nil },
		"after headers":   func(stream rpc.ServerStream) error { return stream.SendHeader(metadata.Pairs("x", "y")) },
		"after a message": func(stream rpc.ServerStream) error { return stream.SendMsg(wrapperspb.String("half")) },
	}
	for code, want := range cases {
		for how, begin := range hows {
			t.Run(code.String()+" "+how, func(t *testing.T) {
				s := serve(t, func(stream rpc.ServerStream, _ string) error {
					return errors.Join(begin(stream), status.Error(code, strings.Repeat("x", 5000)))
				})
				_, err := say(t.Context(), clientOf(t, s.address), "a")
				reason := fault.ReasonError
				if code == codes.NotFound {
					reason = fault.ReasonNotFound
				}
				checkFault(t, err, s.address, want.code, reason, want.refused)
				if n := strings.Count(err.Error(), "x"); n > 210 {
					t.Errorf("the cause quotes %d bytes", n)
				}
			})
		}
	}
}

// TestServersThatSpeakLikeTheLibrary: what a Go server says of a request is no word
// about its own answer.
func TestServersThatSpeakLikeTheLibrary(t *testing.T) {
	s := serve(t, func(rpc.ServerStream, string) error {
		return status.Error(codes.ResourceExhausted, "grpc: received message larger than max (5 vs. 4)")
	})
	_, err := say(t.Context(), clientOf(t, s.address), "a")
	checkFault(t, err, s.address, fault.Unavailable, fault.ReasonError, false)
}

const limit = 100

func TestAnswers(t *testing.T) {
	send := func(messages ...any) func(rpc.ServerStream, string) error {
		return func(stream rpc.ServerStream, _ string) error {
			for _, m := range messages {
				if err := stream.SendMsg(m); err != nil {
					return err
				}
			}
			return nil
		}
	}
	cases := []struct {
		name   string
		handle func(rpc.ServerStream, string) error
		want   string
		ok     bool
	}{
		{"an echo", echo, "hello", true},
		{"an empty message", send([]byte{}), "", true},
		{"unknown fields", send([]byte{0x0a, 1, 'a', 0x10, 7}), "a", true},
		{"at the limit", send(wrapperspb.String(strings.Repeat("x", limit-2))), strings.Repeat("x", limit-2), true},
		{"over the limit", send(wrapperspb.String(strings.Repeat("x", limit-1))), "", false},
		{"far over the limit", send(wrapperspb.String(strings.Repeat("x", 1<<20))), "", false},
		{"no protobuf", send([]byte("<html>")), "", false},
		{"cut short", send([]byte{0x0a, 50, 'a'}), "", false},
		{"no UTF-8", send([]byte{0x0a, 2, 0xff, 0xfe}), "", false},
		{"no message", send(), "", false},
		{"two messages", send(wrapperspb.String("a"), wrapperspb.String("b")), "", false},
		{"a huge length within", send([]byte{0x0a, 0xff, 0xff, 0xff, 0xff, 0x07, 'a'}), "", false},
		{"groups without end", send([]byte(strings.Repeat("\x13", limit))), "", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, c.handle)
			client := newClient(t, grpc.Options{Instances: []string{"grpc://" + s.address}, MaxMessage: limit})
			got, err := say(t.Context(), client, "hello")
			switch {
			case c.ok && (err != nil || got != c.want):
				t.Errorf("got %q, %v", got, err)
			case !c.ok:
				checkFault(t, err, s.address, fault.BadAnswer, fault.ReasonInvalid, false)
			}
		})
	}
}
