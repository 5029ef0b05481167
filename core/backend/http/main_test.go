package http_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/facet-gateway/facet/core/backend/http"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

func newClient(t testing.TB, options http.Options) *http.Client {
	t.Helper()
	if options.Service == "" {
		options.Service = "catalog"
	}
	client, err := http.New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}
