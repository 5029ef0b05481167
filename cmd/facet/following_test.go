package main_test

import (
	"bufio"
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
