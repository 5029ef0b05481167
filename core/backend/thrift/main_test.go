package thrift_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/backend/thrift"
	"github.com/facet-gateway/facet/core/leaktest"
	"github.com/facet-gateway/facet/core/report"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func newClient(t testing.TB, options thrift.Options) *thrift.Client {
	t.Helper()
	if options.Service == "" {
		options.Service = "orders"
	}
	client, err := thrift.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func clientOf(t testing.TB, address string) *thrift.Client {
	t.Helper()
	return newClient(t, thrift.Options{Instances: []string{"thrift://" + address}})
}

// say makes a call and returns the answer's text.
func say(ctx context.Context, client *thrift.Client, words string) (string, error) {
	var reply text
	_, err := client.Call(ctx, method, &text{id: argument, value: words}, &reply)
	return reply.value, err
}

// withCall returns a context that belongs to a call of a request, and the call.
func withCall(ctx context.Context) (context.Context, *report.Call) {
	call := report.New("req-7", report.NewTrace()).Begin("orders.history")
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
