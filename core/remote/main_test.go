package remote_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/leaktest"
	"github.com/facet-gateway/facet/core/remote"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

func TestMain(m *testing.M) { leaktest.Main(m, leaktest.Circuits()...) }

const jsonType = "application/json"

// served starts the server of a remote version, and returns the version.
func served(t testing.TB, handle http.HandlerFunc, change ...func(*remote.Options)) *remote.Remote {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	o := remote.Options{
		Class: devices.Phone, Name: "v9", Paths: []string{"/item", "/home"},
		Instances: []string{server.URL}, MaxBody: 1 << 20, MaxConns: 100, Policy: command.DefaultPolicy(),
	}
	o.Policy.Timeout = 2 * time.Second // a test that waits for it says so
	for _, c := range change {
		c(&o)
	}
	r, err := remote.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// reply is a server that answers all with one answer.
func reply(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // a client may have had enough
	}
}

// ask has a page made as the server of the public port does.
func ask(t testing.TB, r *remote.Remote, of adapter.Request, budget time.Duration) (adapter.Answer, *report.Report, error) {
	t.Helper()
	profiles := devices.Standard()
	of.Device = &profiles[1]
	record := report.New("req-1", report.NewTrace())
	record.Budget = budget
	timed, cancel := context.WithTimeout(t.Context(), budget)
	defer cancel()
	ctx, scope := stream.Open(timed, record)
	e, ok := r.Version().Endpoint("/item")
	if !ok {
		t.Fatal("there is no such page")
	}
	a, err := e.Serve(ctx, &of)
	if left := scope.Close(); left != 0 {
		t.Errorf("%d runaways", left)
	}
	return a, record, err
}
