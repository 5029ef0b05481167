package main_test

import (
	"bufio"
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLiveOverHTTP: the inventory publishes no changes over this protocol, and says so
// before an answer begins.
func TestLiveOverHTTP(t *testing.T) {
	s := openWith(t, "live: {max_clients: 7}\n", nil, nil)
	a := get(t, s.public+"/live/stock?productid=p-1042&device=tv")
	if a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "inventory publishes no changes over http") ||
		a.header.Get("Content-Type") != "application/problem+json" || a.header.Get("Retry-After") == "" {
		t.Errorf("%d %s %v", a.status, a.body, a.header)
	}
	if a := get(t, s.public+"/live/stock?productid=p/1&device=tv"); a.status != http.StatusBadRequest {
		t.Errorf("%d %s", a.status, a.body)
	}
	text := get(t, s.admin+"/metrics").body
	for _, series := range []string{
		`facet_live_clients{device="tv",transport="sse"} 0`, `facet_live_clients{device="phone",transport="websocket"} 0`,
		`facet_live_events_total 0`,
		`facet_live_dropped_total{reason="fault"} 1`, `facet_live_upstreams{service="inventory"} 0`,
		`facet_requests_total{code="503",device="tv",page="live/stock",version="v1"} 1`,
	} {
		if !strings.Contains(text, series+"\n") {
			t.Errorf("there is no %s", series)
		}
	}
	if a := get(t, s.admin+"/live"); a.status != http.StatusOK || !strings.Contains(a.body, `"upstreams"`) {
		t.Errorf("%d %s", a.status, a.body)
	}
	s.rewrite(t, "max_clients: 7", "max_clients: 9")
	if told := s.hangUp(t); told.Reloads != 1 || told.Settings["live.max_clients"] != "9" {
		t.Errorf("%d %s", told.Reloads, told.LastError)
	}
}

// TestLiveStock follows a product through the real program: from the inventory over NATS to a
// screen each, and on to a drain.
func TestLiveStock(t *testing.T) {
	t.Parallel()
	p, gateway, control := demo(t)
	wants := map[string][2]string{
		"tv":    {`{"availability":"low"}`, `{"availability":"sold_out"}`},
		"phone": {`{"availability":"low","left":3}`, `{"availability":"sold_out","left":0}`},
		"tablet": {
			`{"availability":"low","left":3,"restock_at":"2026-12-01T00:00:00Z"}`,
			`{"availability":"sold_out","left":0,"restock_at":"2026-12-01T00:00:00Z"}`,
		},
	}
	streams := map[string]*bufio.Scanner{}
	client := &http.Client{Timeout: time.Minute}
	for device, want := range wants {
		var r *http.Response
		eventually(t, "the broker is there", func() bool {
			var err error
			r, err = client.Get(gateway + "/live/stock?productid=p-1042&device=" + device)
			if err == nil && r.StatusCode != http.StatusOK {
				_ = r.Body.Close()
			}
			return err == nil && r.StatusCode == http.StatusOK
		})
		defer r.Body.Close() //nolint:errcheck // it was only read
		streams[device] = bufio.NewScanner(r.Body)
		data(t, streams[device], want[0])
	}
	if a, err := send(t, http.MethodPut, control+"/stock/p-1042", `{"available": 0}`); err != nil || a.status != http.StatusOK {
		t.Fatalf("%d %s %v", a.status, a.body, err)
	}
	for device, want := range wants {
		data(t, streams[device], want[1])
	}
	if told := get(t, p.announced("admin")+"/live").body; !strings.Contains(told, `"keys": 1`) || !strings.Contains(told, `"followers": 3`) {
		t.Errorf("the private port tells %s", told)
	}
	p.signal(syscall.SIGTERM)
	for _, s := range streams {
		data(t, s, `{"reason":"drain"}`)
	}
	if status := p.status(); status != 0 {
		t.Errorf("exit status %d: %s", status, p.stderr.String())
	}
}

// TestLiveStockOverZMQ follows a product whose inventory is reached, and listened to,
// without a broker: at a publisher that is listed, and at a port of each instance. What
// changes while it is down is told when it is back.
func TestLiveStockOverZMQ(t *testing.T) {
	t.Parallel()
	simulated := start(t, "simulate", "--transport", "zmq")
	faults, at := simulated.announced("control"), simulated.announced("live zmq inventory")
	text := ""
	for _, name := range serviceNames {
		if name != "inventory" {
			text += fmt.Sprintf("  %s: {instances: [%q]}\n", name, simulated.announced("service "+name))
		}
	}
	const inventory = "  inventory: {transport: zmq, instances: [%q], live: {%s}, commands: {stock: {timeout: 1m}}}\n"
	for kind, live := range map[string]string{
		"listed": fmt.Sprintf("instances: [%q]", at), "port": "port: " + at[strings.LastIndex(at, ":")+1:],
	} {
		config := patient + text + fmt.Sprintf(inventory, simulated.announced("over zmq inventory"), live)
		gateway := start(t, "serve", "--config", file(t, kind+".yaml", config))
		change := func(available string) {
			t.Helper()
			if a, err := send(t, http.MethodPut, faults+"/stock/p-1042", `{"available": `+available+`}`); err != nil || a.status != http.StatusOK {
				t.Fatalf("%d %s %v", a.status, a.body, err)
			}
		}
		change("3")
		client := &http.Client{Timeout: time.Minute}
		r, err := client.Get(gateway.announced("gateway") + "/live/stock?productid=p-1042&device=phone")
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close() //nolint:errcheck // it was only read
		events := bufio.NewScanner(r.Body)
		data(t, events, `{"availability":"low","left":3}`)
		change("0")
		data(t, events, `{"availability":"sold_out","left":0}`)
		breakService(t, faults, "inventory", "down")
		change("2")
		breakService(t, faults, "inventory", "none")
		data(t, events, `{"availability":"low","left":2}`)
		told := get(t, gateway.announced("admin")+"/instances").body
		if !strings.Contains(told, `"publishers": [`) || strings.Count(told, strings.TrimPrefix(at, "tcp://")) != 1 {
			t.Errorf("%s: the private port tells %s", kind, told)
		}
		gateway.signal(syscall.SIGTERM)
		data(t, events, `{"reason":"drain"}`)
		if status := gateway.status(); status != 0 {
			t.Errorf("exit status %d: %s", status, gateway.stderr.String())
		}
	}
}

// data wants the data of the next event.
func data(t *testing.T, events *bufio.Scanner, want string) {
	t.Helper()
	for events.Scan() {
		if got, is := strings.CutPrefix(events.Text(), "data: "); is {
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			return
		}
	}
	t.Errorf("it ended before %s: %v", want, events.Err())
}
