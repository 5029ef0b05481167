package http_test

import (
	"testing"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

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
