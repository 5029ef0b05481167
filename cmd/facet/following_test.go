package main_test

import (
	"net/http"
	"strings"
	"testing"
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
