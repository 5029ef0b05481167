package grpc_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/facet-gateway/facet/core/backend/grpc"
	"github.com/facet-gateway/facet/core/leaktest"
	"github.com/facet-gateway/facet/core/report"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

const method = "/shop.Echo/Say"

func newClient(t testing.TB, options grpc.Options) *grpc.Client {
	t.Helper()
	if options.Service == "" {
		options.Service = "cart"
	}
	client, err := grpc.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func clientOf(t testing.TB, address string) *grpc.Client {
	t.Helper()
	return newClient(t, grpc.Options{Instances: []string{"grpc://" + address}})
}

// say makes a call and returns the answer's text.
func say(ctx context.Context, client *grpc.Client, text string) (string, error) {
	var reply wrapperspb.StringValue
	err := client.Invoke(ctx, method, wrapperspb.String(text), &reply)
	return reply.GetValue(), err
}

// withCall returns a context that belongs to a call of a request, and the call.
func withCall(ctx context.Context) (context.Context, *report.Call) {
	call := report.New("req-7", report.NewTrace()).Begin("cart.contents")
	return report.WithCall(ctx, call), call
}

// soon polls until ok holds.
func soon(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("after 5s still not: %s", what)
		}
		runtime.Gosched()
	}
}
