package server_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/server"
)

func TestLogLine(t *testing.T) {
	f := newFixture(t, nil)
	f.do("GET", "/item?id=a", "X-Device-Type: tv", "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	f.do("GET", "/extra?id=fault-open", "User-Agent: \"\n\x1b[31m")
	f.do("GET", "/nothing", "X-Device-Type: tv")
	lines := f.log.lines(t)
	if len(lines) != 3 {
		t.Fatalf("%d lines", len(lines))
	}
	for name, want := range map[string]any{
		"status": 200.0, "device": "tv", "device_by": "header", "adapter": "tv/v1", "path": "/item", "method": "GET", "page": "item",
		"trace_id": "0af7651916cd43dd8448eb211c80319c", "level": "INFO",
	} {
		if lines[0][name] != want {
			t.Errorf("%s: %v, want %v", name, lines[0][name], want)
		}
	}
	if lines[1]["parts"] != "extra=missing;reason=open" {
		t.Errorf("parts: %v", lines[1]["parts"])
	}
	if page, there := lines[2]["page"]; there {
		t.Errorf("the page of no path: %v", page)
	}
	for i, line := range lines { // none of them made a call
		if faults, there := line["faults"]; there {
			t.Errorf("line %d: faults %v", i, faults)
		}
	}
}

// TestLogTellsEachFaultOnce runs commands that fail below a page.
func TestLogTellsEachFaultOnce(t *testing.T) {
	gone := errors.New("connection refused")
	budget := fault.Because(fault.ReasonBudget, fault.Because(fault.ReasonBudget, errors.New("the page's budget is spent")))
	for name, tc := range map[string]struct {
		outcome report.Outcome
		err     error
		want    string
	}{
		"timeout": {report.TimedOut, fault.Because(fault.ReasonTimeout, errors.New("the call had its time")), "timeout: the call had its time"},
		"budget":  {report.Canceled, budget, "canceled: the page's budget is spent"},
		"failure": {report.Failure, fault.Because(fault.ReasonError, gone), "failure: connection refused"},
		"wrapped": {report.Failure, fmt.Errorf("attempt 2: %w", gone), "failure: attempt 2: connection refused"},
		"field":   {report.CallerFault, fault.InvalidField("user", "is too long"), "caller_fault: user: is too long"},
		"bare":    {report.CallerFault, &fault.Error{Code: fault.NotFound}, "caller_fault: not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			f.backend.outcome, f.backend.err = tc.outcome, tc.err
			f.do("GET", "/extra?id=command", "X-Device-Type: phone")
			got := fmt.Sprint(f.log.lines(t)[0]["faults"])
			if got != "[reviews.reviews: "+tc.want+"]" {
				t.Errorf("faults %s, want %s", got, tc.want)
			}
			f.do("GET", "/item?id=command", "X-Device-Type: phone")
			_, want, _ := strings.Cut(tc.want, ": ")
			if got := f.log.lines(t)[1]["error"]; got != want {
				t.Errorf("error %q, want %q", got, want)
			}
		})
	}
}

// TestObserve: every request is told of once, whatever becomes of it.
func TestObserve(t *testing.T) {
	var mu sync.Mutex
	var told []report.Exchange
	f := newFixture(t, func(o *server.Options) {
		o.LogRequests = false
		o.Observe = func(x report.Exchange) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, x)
		}
	})
	for i, tc := range []struct {
		method, target, device string
		page, class            string
		status                 int
	}{
		{"GET", "/item?id=a", "tv", "item", "tv", 200},
		{"HEAD", "/item?id=a", "tv", "item", "tv", 200},
		{"GET", "/extra?id=fault-open", "phone", "extra", "phone", 200},
		{"GET", "/item?id=fault-open", "phone", "item", "phone", 503},
		{"GET", "/item?id=panic-page", "tablet", "item", "tablet", 500},
		{"GET", "/item?id=a/b", "tablet", "item", "tablet", 400},
		{"GET", "/item?id=a", "fridge", "", "", 400},
		{"GET", "/extra?id=a", "tv", "", "tv", 404},
		{"GET", "/nothing", "tv", "", "", 404},
		{"POST", "/item", "tv", "", "", 405},
		{"OPTIONS", "/item", "tv", "", "", 204},
	} {
		r := f.do(tc.method, tc.target, "X-Device-Type: "+tc.device)
		if len(told) != i+1 {
			t.Fatalf("%s %s: %d told of", tc.method, tc.target, len(told))
		}
		x := told[i]
		if x.Status != tc.status || x.Page != tc.page || x.Device != tc.class || x.Took <= 0 || x.Report == nil {
			t.Errorf("%s %s: %+v", tc.method, tc.target, x)
		}
		if answered := r.Header.Get("Facet-Adapter"); x.Version != answered || x.Failed != "" {
			t.Errorf("%s %s: by %q, which is told as %q for %q", tc.method, tc.target, answered, x.Version, x.Failed)
		}
		if n := len(body(t, r)); tc.method != "HEAD" && x.Bytes != n {
			t.Errorf("%s %s: %d bytes, sent were %d", tc.method, tc.target, x.Bytes, n)
		}
	}
	if parts := told[2].Report.Parts; len(parts) != 1 || parts[0].Reason() != fault.ReasonOpen {
		t.Errorf("parts %+v", parts)
	}
	f.Try(nil, trialRequest("/item?id=a", "X-Device-Type: tv"))
	if len(told) != 12 {
		t.Error("a trial is not told of")
	}
}
