package adapters_test

import (
	"context"
	"testing"

	"github.com/facet-gateway/facet/adapters"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// TestPagesAreTheSameOverEveryTransport, byte for byte, with the same marks of their parts.
func TestPagesAreTheSameOverEveryTransport(t *testing.T) {
	for _, transports := range []map[string]string{
		{"cart": "grpc", "orders": "thrift", "inventory": "nats", "shipping": "amqp"},
		{"inventory": "zmq"}, // which it can be reached over, too
	} {
		t.Run(transports["inventory"], func(t *testing.T) { comparePages(t, transports) })
	}
}

func comparePages(t *testing.T, transports map[string]string) {
	plain, other := open(t), openOver(t, transports, nil)
	asked := []struct{ path, query string }{
		{"/productdetails", "productid=p-1042&postcode=1011AB"},
		{"/productdetails", "productid=p-9"},
		{"/home", ""},
		{"/wishlist", ""},
	}
	versions, err := adapters.All(plain.services)
	must(t, err)
	others, err := adapters.All(other.services)
	must(t, err)
	compared := 0
	for class, names := range versions.Names() {
		for _, name := range names {
			for _, ask := range asked {
				for _, user := range []string{"u-7", "u-1", "u-99", ""} {
					one, there := versions.Find(class, name).Endpoint(ask.path)
					if !there {
						continue
					}
					two, _ := others.Find(class, name).Endpoint(ask.path)
					r := &adapter.Request{Device: profile(t, class), User: user, RawQuery: ask.query}
					want, wantParts, wantErr := serve(one, r)
					got, parts, err := serve(two, r)
					if err != nil {
						parts, wantParts = "", "" // what a page that fails is cut short in is chance
					}
					if got != want || parts != wantParts || fault.CodeOf(err) != fault.CodeOf(wantErr) {
						t.Errorf("%s/%s %s?%s of %q:\n%s %s %v\nover HTTP\n%s %s %v",
							class, name, ask.path, ask.query, user, got, parts, err, want, wantParts, wantErr)
					}
					compared++
				}
			}
		}
	}
	if compared < 30 {
		t.Errorf("only %d pages were compared", compared)
	}
	for service := range transports {
		if plain, other := plain.Stats(service).Requests, other.Stats(service).Requests; plain != other || plain == 0 {
			t.Errorf("%s was asked %d times, and over HTTP %d", service, other, plain)
		}
	}
}

// serve returns a page's body, and what is told of its parts.
func serve(e adapter.Endpoint, asked *adapter.Request) (body, parts string, err error) {
	r := report.New("test", report.NewTrace())
	ctx, scope := stream.Open(context.Background(), r)
	defer scope.Close()
	answer, err := e.Serve(ctx, asked)
	for _, p := range r.Parts {
		parts += p.Name + "=" + p.Mark.Rung.String() + " " + p.Mark.Reason.String() + ", "
	}
	return string(answer.Body), parts, err
}
