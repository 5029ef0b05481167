package simulator_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/facet-gateway/facet/adapters/simulator"
	"github.com/facet-gateway/facet/core/leaktest"
)

// patience is how long a test waits for what should come at once.
const patience = 5 * time.Second

func TestMain(m *testing.M) { leaktest.Main(m) }

// noon is the clock of tests: the day of the examples.
func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// start returns a running simulator and a client, both ended with the test.
func start(t testing.TB, o simulator.Options) (*simulator.Simulator, *http.Client) {
	t.Helper()
	if o.Now == nil {
		o.Now = noon
	}
	s, err := simulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(func() {
		s.Close()
		transport.CloseIdleConnections()
	})
	return s, &http.Client{Transport: transport, Timeout: patience}
}

// reply is what a test looks at of a response.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// send makes one request; the error is that of the request or of its body.
func send(ctx context.Context, c *http.Client, method, url string, body io.Reader, header ...string) (reply, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return reply{}, err
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := c.Do(req)
	if err != nil {
		return reply{}, err
	}
	data, err := io.ReadAll(resp.Body)
	err = errors.Join(err, resp.Body.Close())
	return reply{resp.StatusCode, resp.Header, data}, err
}

func get(t testing.TB, c *http.Client, url string) reply {
	t.Helper()
	r, err := send(t.Context(), c, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func decode[T any](t testing.TB, data []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%v in %.200s", err, data)
	}
	return v
}

// eventually polls until a condition holds.
func eventually(t testing.TB, within time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(within)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("not within %v: %s", within, what)
		case <-tick.C:
		}
	}
}
