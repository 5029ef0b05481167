package main_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// serviceNames are in the order in which simulate prints them.
var serviceNames = []string{"catalog", "cart", "orders", "reviews", "inventory", "shipping", "recommendations", "profiles", "auth"}

// patient is a configuration in which nothing ends by itself during a test, so
// that what a test does is what happens.
const patient = `listen: 127.0.0.1:0
admin: 127.0.0.1:0
auth: {mode: header}
log: {format: text}
server: {write_timeout: 5m, shutdown_timeout: 2m, drain_delay: 200ms}
pages: {productdetails: {budget: 2m}}
services:
`

// commandsOf are the commands that a page of a phone needs.
var commandsOf = map[string]string{
	"catalog": "product", "cart": "cart", "orders": "orders", "reviews": "reviews",
	"inventory": "stock", "shipping": "options", "recommendations": "recommendations",
}

// shop is a gateway and, in another process, the services behind it.
type shop struct {
	gateway *program
	public  string
	admin   string
	faults  string
	config  string // the file
	text    string // that it held at the start
}

// open starts both. Each command has a minute, but for those of policies.
func open(t *testing.T, policies map[string]string) shop {
	t.Helper()
	return openWith(t, "", nil, policies)
}

// openWith does so with more in the file, and other files beside it.
func openWith(t *testing.T, more string, files, policies map[string]string) shop {
	t.Helper()
	services := start(t, "simulate")
	text := more + patient
	for _, name := range serviceNames {
		text += fmt.Sprintf("  %s:\n    instances: [%q]\n", name, services.announced("service "+name))
		policy := policies[name]
		if policy == "" {
			policy = "{timeout: 1m}"
		}
		if command := commandsOf[name]; command != "" {
			text += fmt.Sprintf("    commands: {%s: %s}\n", command, policy)
		}
	}
	s := shop{faults: services.announced("control"), config: file(t, "facet.yaml", text), text: text}
	for name, body := range files {
		if err := os.WriteFile(filepath.Join(filepath.Dir(s.config), name), []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.gateway = start(t, "serve", "--config", s.config)
	s.public, s.admin = s.gateway.announced("gateway"), s.gateway.announced("admin")
	eventually(t, "the gateway is ready", func() bool { return s.readiness(t) == http.StatusOK })
	return s
}

func (s shop) readiness(t *testing.T) int {
	t.Helper()
	return get(t, s.admin+"/readyz").status
}

// waiting asks for a page and returns when it waits for the stock.
func (s shop) waiting(t *testing.T) <-chan answer {
	t.Helper()
	breakService(t, s.faults, "inventory", "hang")
	pages := make(chan answer, 1)
	go func() {
		defer close(pages)
		a, err := send(t, http.MethodGet, s.public+"/productdetails?productid=p-1042", "", "X-Device-Type", "phone", "X-User-Id", "u-7")
		if err == nil {
			pages <- a
		}
	}()
	eventually(t, "the page waits for the stock", func() bool {
		now, _ := inFlight(t, s.faults, "inventory")
		return now == 1
	})
	return pages
}

func TestDrainFinishesRequestsAndTellsOfIt(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	pages := s.waiting(t)
	s.gateway.signal(syscall.SIGTERM)
	eventually(t, "the gateway is unready", func() bool { return s.readiness(t) == http.StatusServiceUnavailable })
	eventually(t, "the public port takes no new connection", func() bool {
		_, err := send(t, http.MethodGet, s.public+"/nowhere", "")
		return err != nil
	})
	if got := s.readiness(t); got != http.StatusServiceUnavailable {
		t.Errorf("readiness %d while a request is in progress, want 503", got)
	}
	select {
	case a, answered := <-pages:
		t.Fatalf("the page did not wait: %v %+v", answered, a)
	default:
	}
	breakService(t, s.faults, "inventory", "none")
	if a := <-pages; a.status != http.StatusOK || a.header.Get("Facet-Parts") != "" {
		t.Errorf("the page in progress: %d, parts %q, want a whole one", a.status, a.header.Get("Facet-Parts"))
	}
	if status := s.gateway.status(); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	pages := s.waiting(t)
	s.gateway.signal(syscall.SIGTERM)
	eventually(t, "the gateway is unready", func() bool { return s.readiness(t) == http.StatusServiceUnavailable })
	eventually(t, "a further signal ends the program", func() bool {
		_ = s.gateway.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-s.gateway.ended:
			return true
		default:
			return false
		}
	})
	if status := s.gateway.status(); status != -1 {
		t.Errorf("exit status %d, want an end by the signal", status)
	}
	if a, answered := <-pages; answered {
		t.Errorf("the page was answered: %d", a.status)
	}
}

// TestCircuitOpens counts: three faults open the circuit, and an open circuit
// makes no call.
func TestCircuitOpens(t *testing.T) {
	t.Parallel()
	s := open(t, map[string]string{"reviews": "{timeout: 1m, circuit: {consecutive: 3, sleep: 10m}}"})
	breakService(t, s.faults, "reviews", "status=503")
	for _, want := range []string{"error", "error", "error", "open", "open"} {
		a := page(t, s.public, "phone", "p-1042")
		if got := a.header.Get("Facet-Parts"); a.status != http.StatusOK || got != "reviews=missing;reason="+want {
			t.Errorf("%d with parts %q, want reviews missing for the reason %s", a.status, got, want)
		}
	}
	if _, calls := inFlight(t, s.faults, "reviews"); calls != 3 {
		t.Errorf("the service was called %d times, want 3", calls)
	}
	stats := decode[struct {
		Circuit  string         `json:"circuit"`
		Outcomes map[string]int `json:"outcomes"`
	}](t, get(t, s.admin+"/commands/reviews.reviews").body)
	if stats.Circuit != "open" || stats.Outcomes["failure"] != 3 {
		t.Errorf("the private port tells %+v, want an open circuit after 3 failures", stats)
	}
}

func TestBadRequestsReachNoService(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	long := strings.Repeat("x", 65)
	cases := []struct {
		name, path string
		headers    []string
		status     int
		field      string
	}{
		{"no product", "/productdetails", nil, 400, "productid"},
		{"malformed product", "/productdetails?productid=a%2Fb", nil, 400, "productid"},
		{"oversized product", "/productdetails?productid=" + long, nil, 400, "productid"},
		{"unknown device", "/productdetails?productid=p-1042", []string{"X-Device-Type", "fridge"}, 400, "X-Device-Type"},
		{"long device", "/productdetails?productid=p-1042", []string{"X-Device-Type", long}, 400, "X-Device-Type"},
		{"unknown path", "/nowhere", nil, 404, ""},
	}
	for _, c := range cases {
		a := get(t, s.public+c.path, c.headers...)
		if a.status != c.status || a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: %d %s, want %d and a problem", c.name, a.status, a.body, c.status)
			continue
		}
		if field, _ := decode[map[string]any](t, a.body)["field"].(string); field != c.field {
			t.Errorf("%s: field %q, want %q", c.name, field, c.field)
		}
	}
	if a, err := send(t, http.MethodPost, s.public+"/productdetails", ""); err != nil || a.status != 405 || a.header.Get("Allow") == "" {
		t.Errorf("POST: %d, Allow %q, %v", a.status, a.header.Get("Allow"), err)
	}
	for _, name := range serviceNames {
		if _, calls := inFlight(t, s.faults, name); calls != 0 {
			t.Errorf("%s was called %d times", name, calls)
		}
	}
	if a := page(t, s.public, "tv", "p-unknown"); a.status != 404 {
		t.Errorf("an unknown product: %d, want 404", a.status)
	}
}

// TestClientsInAHurryOpenNoCircuit: that a page had no time says nothing of a backend.
func TestClientsInAHurryOpenNoCircuit(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	breakService(t, s.faults, "catalog", "hang")
	for range 60 { // three times what opens a circuit
		a := get(t, s.public+"/productdetails?productid=p-1042", "X-Device-Type", "phone", "X-Request-Timeout-Ms", "20")
		if a.status != http.StatusGatewayTimeout {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	breakService(t, s.faults, "catalog", "none")
	if a := page(t, s.public, "phone", "p-1042"); a.status != http.StatusOK {
		t.Errorf("%d: who is in a hurry takes the page from all: %s", a.status, get(t, s.admin+"/commands/catalog.product").body)
	}
}

// TestRefusalsOpenNoCircuit: a backend that says what is wrong with a question is there
// for the others.
func TestRefusalsOpenNoCircuit(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	breakService(t, s.faults, "orders", "error=1,status=403")
	for range 60 { // three times what opens a circuit
		a := page(t, s.public, "phone", "p-1042")
		if parts := a.header.Get("Facet-Parts"); a.status != http.StatusOK || !strings.Contains(parts, "orders=missing;reason=error") {
			t.Fatalf("%d, %s", a.status, parts)
		}
	}
	breakService(t, s.faults, "orders", "none")
	if parts := page(t, s.public, "phone", "p-1042").header.Get("Facet-Parts"); strings.Contains(parts, "orders") {
		t.Errorf("%s: %s", parts, get(t, s.admin+"/commands/orders.orders").body)
	}
}
