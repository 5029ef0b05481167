package telemetry_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/leaktest"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/core/telemetry"
)

func TestMain(m *testing.M) { leaktest.Main(m, leaktest.Circuits()...) }

// backend answers queries as they say.
const (
	good = iota
	failing
	unknown
	hanging
)

var errBackend = errors.New("connection refused")

func newCommand(name string) *command.Command[int, int] {
	return command.New(name, func(ctx context.Context, query int) (int, error) {
		switch query {
		case failing:
			return 0, errBackend
		case unknown:
			return 0, errUnknown
		case hanging:
			<-ctx.Done()
			return 0, ctx.Err()
		}
		return query, nil
	}).Safe()
}

// ask runs a page of one call.
func ask(t testing.TB, c *command.Command[int, int], query int) {
	t.Helper()
	ctx, scope := stream.Open(context.Background(), report.New("", report.Trace{}))
	defer scope.Close()
	part := stream.Optional("part", c.Observe(query), func(*struct{}, int) {})
	if _, err := stream.Assemble(part).Run(ctx); err != nil {
		t.Fatal(err)
	}
}

func newTelemetry(t testing.TB, o telemetry.Options) *telemetry.Telemetry {
	t.Helper()
	made, err := telemetry.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// get asks a handler of the telemetry without a network.
func get(t testing.TB, on *telemetry.Telemetry, method, path string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, http.NoBody)
	w := httptest.NewRecorder()
	on.Handlers()[r.URL.Path].ServeHTTP(w, r)
	return w.Result()
}

// eventually polls until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never came true: %s", what)
		}
	}
}
