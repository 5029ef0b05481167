package wrk

import (
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

func TestParse(t *testing.T) {
	t.Parallel()
	const head = "Running 8s test @ http://127.0.0.1:1\n  1 threads and 32 connections\n"
	cases := []struct {
		name, text, fault string
	}{
		{"whole", head + "\nload " + `{"requests":100,"micros":2000000,"bytes":5,"bad_status":0,"p50":900,"p99":4000}` + "\n", ""},
		{"script failed", head + "load.lua:3: attempt to call nil\n", "did not run its script"},
		{"not JSON", head + "\nload {requests}\n", "invalid character"},
		{"no answer", head + "\nload {\"requests\":0,\"micros\":2000000}\n", "nothing was answered"},
		{"errors", head + "\nload {\"requests\":100,\"micros\":2000000,\"bad_status\":3}\n", "3 of 100 answers"},
		{"broken", head + "\nload {\"requests\":100,\"micros\":2000000,\"bad_socket\":2}\n", "2 never came"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l, err := parse(c.text)
			if c.fault == "" && (err != nil || l.Requests != 100 || l.Micros != 2_000_000 || l.P50 != 900 || l.P99 != 4000) {
				t.Errorf("got %+v, %v", l, err)
			}
			if c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)) {
				t.Errorf("got %v, want a fault with %q", err, c.fault)
			}
		})
	}
}
