package simulator_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/adapters/simulator"
)

func TestControlSetsAndClears(t *testing.T) {
	s, c := start(t, simulator.Options{})
	tests := []struct {
		method, path, body string
		status             int
		answer             string // "": any
		after              string // the fault of the catalog
	}{
		{"PUT", "/faults/catalog", "latency=50ms,error=0.3", 200, `{"catalog":"latency=50ms,error=0.3"}`, "latency=50ms,error=0.3"},
		{"PUT", "/faults/catalog", `{"latency":"20ms","status":503,"hang":false}`, 200, "", "latency=20ms,status=503"},
		{"PUT", "/faults/catalog", `{"error":0.25,"garbage":true}`, 200, "", "error=0.25,garbage"},
		{"PUT", "/faults/catalog", "hang,reset", 400,
			`{"error":"invalid","field":"reset","detail":"it does not go with hang"}`, "error=0.25,garbage"},
		{"PUT", "/faults/catalog", `{"error":2}`, 400,
			`{"error":"invalid","field":"error","detail":"it must lie between 0 and 1"}`, "error=0.25,garbage"},
		{"PUT", "/faults/catalog", `{"error":`, 400,
			`{"error":"invalid","field":"body","detail":"it is not a JSON object"}`, "error=0.25,garbage"},
		{"PUT", "/faults/catalog", strings.Repeat(" ", 5000), 400, "", "error=0.25,garbage"},
		{"PUT", "/faults/warehouse", "hang", 404, "", "error=0.25,garbage"},
		{"DELETE", "/faults/warehouse", "", 404, "", "error=0.25,garbage"},
		{"DELETE", "/faults/catalog", "", 200, `{"catalog":"none"}`, "none"},
		{"PUT", "/faults/catalog", "down", 200, "", "down"},
		{"DELETE", "/faults", "", 200, "", "none"},
		{"GET", "/elsewhere", "", 404, `{"error":"not_found"}`, "none"},
	}
	for _, tt := range tests {
		r, err := send(t.Context(), c, tt.method, s.ControlURL()+tt.path, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		if r.status != tt.status || tt.answer != "" && string(r.body) != tt.answer {
			t.Errorf("%s %s %.50s: got %d %s, want %d %s", tt.method, tt.path, tt.body, r.status, r.body, tt.status, tt.answer)
		}
		faults := decode[map[string]string](t, get(t, c, s.ControlURL()+"/faults").body)
		if len(faults) != 9 || faults["catalog"] != tt.after {
			t.Errorf("%s %s %.50s: the faults are %v, want %s", tt.method, tt.path, tt.body, faults, tt.after)
		}
	}
}

func TestControlNamesAnUnknownService(t *testing.T) {
	s, c := start(t, simulator.Options{})
	r, err := send(t.Context(), c, http.MethodDelete, s.ControlURL()+"/faults/warehouse", nil)
	if err != nil {
		t.Fatal(err)
	}
	said := decode[map[string]string](t, r.body)
	if said["error"] != "not_found" || said["field"] != "service" || !strings.Contains(said["detail"], "catalog") {
		t.Errorf("got %v", said)
	}
}

func TestControlTellsStatsAndServices(t *testing.T) {
	s, c := start(t, simulator.Options{})
	for range 3 {
		get(t, c, s.URL("cart")+"/carts/u-7")
	}
	stats := func(method string) simulator.Stats {
		var all map[string]simulator.Stats
		r, err := send(t.Context(), c, method, s.ControlURL()+"/stats", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(r.body, &all); err != nil || len(all) != 9 {
			t.Fatalf("%v in %s", err, r.body)
		}
		return all["cart"]
	}
	eventually(t, time.Second, "three requests have ended", func() bool {
		return stats(http.MethodGet) == simulator.Stats{Requests: 3, MaxInFlight: 1}
	})
	if got := stats(http.MethodDelete); got != (simulator.Stats{}) {
		t.Errorf("after the reset: %+v", got)
	}
	services := decode[map[string]string](t, get(t, c, s.ControlURL()+"/services").body)
	if services["cart"] != s.URL("cart") {
		t.Errorf("got %v", services)
	}
}

// A fault that hangs must not make the control hang.
func TestControlWorksWhileAllHang(t *testing.T) {
	s, c := start(t, simulator.Options{})
	for _, name := range s.Services() {
		r, err := send(t.Context(), c, http.MethodPut, s.ControlURL()+"/faults/"+name, strings.NewReader("hang"))
		if err != nil || r.status != http.StatusOK {
			t.Fatalf("%s: %d, %v", name, r.status, err)
		}
	}
	done := ask(t.Context(), c, s.URL("catalog")+tent)
	eventually(t, patience, "the request hangs", inFlight(s, 1))
	if _, err := send(t.Context(), c, http.MethodDelete, s.ControlURL()+"/faults", nil); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("after healing: %v", err)
	}
}

func TestControlNamesTheMethodsOfAPath(t *testing.T) {
	s, c := start(t, simulator.Options{})
	for _, tt := range []struct{ method, path, allow string }{
		{http.MethodPost, "/faults/catalog", "PUT, DELETE"},
		{http.MethodGet, "/faults/catalog", "PUT, DELETE"},
		{http.MethodPost, "/faults", "GET, HEAD, DELETE"},
		{http.MethodPut, "/stats", "GET, HEAD, DELETE"},
		{http.MethodDelete, "/services", "GET, HEAD"},
	} {
		r, err := send(t.Context(), c, tt.method, s.ControlURL()+tt.path, strings.NewReader("hang"))
		if err != nil {
			t.Fatal(err)
		}
		if r.status != http.StatusMethodNotAllowed || string(r.body) != `{"error":"method_not_allowed"}` {
			t.Errorf("%s %s: %d %s", tt.method, tt.path, r.status, r.body)
		}
		if got := r.header.Get("Allow"); got != tt.allow {
			t.Errorf("%s %s: Allow %q, want %q", tt.method, tt.path, got, tt.allow)
		}
	}
}
