// Package wiretest plays the services that speak other protocols than HTTP, for tests: each
// answers what a handler of the equal requests over HTTP answers. What the handler's JSON
// leaves out is left out on the wire, and a body that is no JSON is sent as it is. So one
// table of answers holds for every protocol.
package wiretest

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	backend "github.com/facet-gateway/facet/core/backend/http"
)

// ask returns what a handler answers to a GET.
func ask(ctx context.Context, h http.Handler, target backend.Target) (status int, body []byte) {
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, http.MethodGet, target.String(), http.NoBody))
	return answer.Code, answer.Body.Bytes()
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}
