package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/server"
	"github.com/facet-gateway/facet/devices"
)

func TestRefused(t *testing.T) {
	many := func(n int) []string {
		lines := []string{"X-Device-Type: phone"}
		for i := range n - 2 { // the device's and the Host line are two
			lines = append(lines, fmt.Sprintf("X-Line-%d: x", i))
		}
		return lines
	}
	phone := []string{"X-Device-Type: phone"}
	for _, tc := range []struct {
		name, method, target string
		header               []string
		status               int
		code, field          string
	}{
		{"missing parameter", "GET", "/item", phone, 400, "invalid", "id"},
		{"malformed parameter", "GET", "/item?id=a/b", phone, 400, "invalid", "id"},
		{"bad escape", "GET", "/item?id=%zz", phone, 400, "invalid", "id"},
		{"oversized parameter", "GET", "/item?id=" + strings.Repeat("a", 65), phone, 400, "invalid", "id"},
		{"parameter twice", "GET", "/item?id=a&id=b", phone, 400, "invalid", "id"},
		{"unknown path", "GET", "/nothing", phone, 404, "not_found", ""},
		{"root", "GET", "/", phone, 404, "not_found", ""},
		{"path with a dot segment", "GET", "/x/../item?id=a", phone, 404, "not_found", ""},
		{"page of another device", "GET", "/extra?id=a", []string{"X-Device-Type: tv"}, 404, "not_found", ""},
		{"wrong method", "POST", "/item?id=a", phone, 405, "method_not_allowed", ""},
		{"wrong method too", "DELETE", "/item?id=a", phone, 405, "method_not_allowed", ""},
		{"two device headers", "GET", "/item?id=a", []string{"X-Device-Type: tv", "X-Device-Type: phone"}, 400, "invalid", "X-Device-Type"},
		{"unknown device", "GET", "/item?id=a", []string{"X-Device-Type: fridge"}, 400, "invalid", "X-Device-Type"},
		{"long device", "GET", "/item?id=a", []string{"X-Device-Type: " + strings.Repeat("a", 65)}, 400, "invalid", "X-Device-Type"},
		{"two users", "GET", "/item?id=a", append(phone, "X-User-Id: u-1", "X-User-Id: u-2"), 400, "invalid", "X-User-Id"},
		{"malformed user", "GET", "/item?id=a", append(phone, "X-User-Id: a b"), 400, "invalid", "X-User-Id"},
		{"101 header lines", "GET", "/item?id=a", many(101), 431, "header_too_large", ""},
		{"101 header lines, unknown path", "GET", "/nothing", many(101), 431, "header_too_large", ""},
		{"101 header lines, wrong method", "POST", "/item?id=a", many(101), 431, "header_too_large", ""},
		{"101 header lines, OPTIONS", "OPTIONS", "/item", many(101), 431, "header_too_large", ""},
		{"101 header lines, preflight", "OPTIONS", "/item", append(many(100), "Access-Control-Request-Method: GET"), 431, "header_too_large", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFixture(t, nil)
			r := f.do(tc.method, tc.target, tc.header...)
			p := problemOf(t, r)
			if r.StatusCode != tc.status || p["code"] != tc.code {
				t.Fatalf("status %d code %v, want %d %s", r.StatusCode, p["code"], tc.status, tc.code)
			}
			if reason, there := p["reason"]; there {
				t.Fatalf("reason %v", reason)
			}
			if got, _ := p["field"].(string); got != tc.field {
				t.Fatalf("field %q, want %q", got, tc.field)
			}
			if calls, _ := f.backend.count(); calls != 0 {
				t.Fatalf("%d backend calls were made", calls)
			}
			if tc.status == 405 && r.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
				t.Fatalf("Allow %q", r.Header.Get("Allow"))
			}
			if lines := f.log.lines(t); len(lines) != 1 || lines[0]["status"] != float64(tc.status) || lines[0]["code"] != tc.code {
				t.Fatalf("log %v", lines)
			}
		})
	}
	if r := newFixture(t, nil).do("GET", "/item?id=a", many(100)...); r.StatusCode != 200 {
		t.Fatalf("100 header lines: status %d", r.StatusCode)
	}
}

// TestRequiredFault is the table of what a page is when its required part fails.
func TestRequiredFault(t *testing.T) {
	for reason, want := range map[string]int{
		"timeout": 504, "error": 503, "open": 503, "full": 503, "budget": 504, "dependency": 503,
		"invalid": 502, "not_found": 404, "anonymous": 401, "panic": 500,
	} {
		t.Run(reason, func(t *testing.T) {
			f := newFixture(t, nil)
			r := f.do("GET", "/item?id=fault-"+reason, "X-Device-Type: phone", "Facet-Timing: 1")
			p := problemOf(t, r)
			if r.StatusCode != want || p["reason"] != reason {
				t.Fatalf("status %d, reason %v, want %d", r.StatusCode, p["reason"], want)
			}
			if got := r.Header.Get("Retry-After"); (got == "5") != (want == 503) || (got != "") != (want == 503) {
				t.Fatalf("Retry-After %q", got)
			}
			// Whether the others were canceled in time is chance.
			if parts, timing := r.Header.Get("Facet-Parts"), r.Header.Get("Server-Timing"); parts != "" || timing != "" {
				t.Fatalf("a problem with parts %q and times %q", parts, timing)
			}
			if line := f.log.lines(t)[0]; !strings.Contains(fmt.Sprint(line["parts"]), "title=missing;reason="+reason) {
				t.Fatalf("the log tells of the parts %v", line["parts"])
			}
			if got := r.Header.Get("Cache-Control"); got != "no-store" {
				t.Fatalf("Cache-Control %q", got)
			}
			if log := f.log.String(); !strings.Contains(log, "secret cause") {
				t.Fatalf("the log does not tell the cause: %s", log)
			}
		})
	}
}

func TestPanicsCostTheirOwnRequestOnly(t *testing.T) {
	f := newFixture(t, nil)
	for id, want := range map[string]int{"panic": 500, "panic-page": 500, "panic-setter": 200} {
		r := f.do("GET", "/item?id="+id, "X-Device-Type: phone")
		if r.StatusCode != want {
			t.Fatalf("%s: status %d, want %d", id, r.StatusCode, want)
		}
		if want == 200 && r.Header.Get("Facet-Parts") != "user=missing;reason=panic" {
			t.Fatalf("%s: parts %q", id, r.Header.Get("Facet-Parts"))
		}
		if !strings.Contains(f.log.String(), "a defect") {
			t.Fatalf("%s: the log does not tell the panic", id)
		}
	}
	if r := f.do("GET", "/item?id=a", "X-Device-Type: phone"); r.StatusCode != 200 {
		t.Fatalf("the next request: %d", r.StatusCode)
	}
}

func TestProvenance(t *testing.T) {
	f := newFixture(t, nil)
	r := f.do("GET", "/item?id=a", "X-Device-Type: tv", "X-User-Id: u-7", "Facet-Timing: 1", "X-Request-Id: my-id_1")
	if got := body(t, r); got != `{"title":"title of a","user":"u-7"}` {
		t.Fatal(got)
	}
	for name, want := range map[string]string{
		"Facet-Adapter": "tv/v1", "Facet-Parts": "", "X-Request-Id": "my-id_1", "Content-Type": "application/json",
		"Cache-Control": "private, no-cache",
		"Vary":          "X-Device-Type, Sec-CH-UA-Form-Factors, Sec-CH-UA-Mobile, User-Agent, Accept, Accept-Encoding",
		"Accept-Ch":     "Sec-CH-UA-Form-Factors, Sec-CH-UA-Mobile",
	} {
		if got := r.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if timing := r.Header.Get("Server-Timing"); !strings.HasPrefix(timing, "title;dur=") || !strings.Contains(timing, "page-total;dur=") {
		t.Errorf("Server-Timing %q", timing)
	}
	r = f.do("GET", "/item?id=stale", "X-Device-Type: tv", "X-Request-Id: not valid!")
	if got := r.Header.Get("Facet-Parts"); got != "title=stale;age=95;reason=timeout" {
		t.Errorf("Facet-Parts %q", got)
	}
	if got := r.Header.Get("X-Request-Id"); len(got) != 16 {
		t.Errorf("an invalid request id was not replaced: %q", got)
	}
	if r.Header.Get("Server-Timing") != "" {
		t.Error("timing was not asked for")
	}
}

func TestHeadIsGetWithoutItsBody(t *testing.T) {
	f := newFixture(t, nil)
	ts := httptest.NewServer(f.Handler())
	defer ts.Close()
	for _, id := range []string{"a", "fault-error", ""} {
		get := request(t, ts, "GET", "/item?id="+id)
		head := request(t, ts, "HEAD", "/item?id="+id)
		text := body(t, get)
		if head.StatusCode != get.StatusCode || body(t, head) != "" || head.ContentLength != int64(len(text)) {
			t.Errorf("%q: %d %d, %d %d", id, head.StatusCode, get.StatusCode, head.ContentLength, len(text))
		}
		if head.Header.Get("Etag") != get.Header.Get("Etag") {
			t.Errorf("%q: etags differ", id)
		}
	}
}

func request(t *testing.T, ts *httptest.Server, method, target string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, ts.URL+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Device-Type", "phone")
	r.Header.Set("X-Request-Id", "same")
	response, err := ts.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

func TestBudget(t *testing.T) {
	f := newFixture(t, nil)
	began := time.Now()
	r := f.do("GET", "/extra?id=hang", "X-Device-Type: phone")
	if got := r.Header.Get("Facet-Parts"); r.StatusCode != 200 || got != "extra=missing;reason=budget" {
		t.Errorf("an optional part that hangs: %d %q", r.StatusCode, got)
	}
	r = f.do("GET", "/item?id=hang", "X-Device-Type: phone")
	if p := problemOf(t, r); r.StatusCode != 504 || p["reason"] != "budget" {
		t.Errorf("a required part that hangs: %v", p)
	}
	if took := time.Since(began); took < 200*time.Millisecond || took > time.Second {
		t.Errorf("two pages of 100 ms took %v", took)
	}
}

// TestClientMayAskForLessTime, never for more.
func TestClientMayAskForLessTime(t *testing.T) {
	f := newFixture(t, func(o *server.Options) { o.Budgets["item"] = time.Second })
	for value, want := range map[string]time.Duration{
		"20": 20 * time.Millisecond, "1": time.Millisecond, "1000": time.Second, "3600000": time.Second, "99999999999999999999": time.Second,
	} {
		began := time.Now()
		r := f.do("GET", "/item?id=hang", "X-Device-Type: phone", "X-Request-Timeout-Ms: "+value)
		took := time.Since(began)
		if p := problemOf(t, r); r.StatusCode != 504 || p["reason"] != "budget" || took < want || took > want+700*time.Millisecond {
			t.Errorf("%s: %v after %v", value, p, took)
		}
	}
	for _, value := range []string{"", "0", "-1", "+1", "1.5", "1s", "0x10", "1 2", "1\r\nX-Request-Timeout-Ms: 2", "\xff"} {
		r := f.do("GET", "/item?id=a", append([]string{"X-Device-Type: phone"}, strings.Split("X-Request-Timeout-Ms: "+value, "\r\n")...)...)
		if p := problemOf(t, r); r.StatusCode != 400 || p["field"] != "X-Request-Timeout-Ms" {
			t.Errorf("%q: %d %v", value, r.StatusCode, p)
		}
	}
}

func TestClientThatLeaves(t *testing.T) {
	f := newFixture(t, func(o *server.Options) { o.Budgets["item"] = time.Minute })
	ctx, leave := context.WithCancel(t.Context())
	r := httptest.NewRequestWithContext(ctx, "GET", "/item?id=hang", nil)
	w := httptest.NewRecorder()
	done := make(chan struct{})
	var aborted error
	go func() {
		defer close(done)
		defer func() { aborted, _ = recover().(error) }()
		f.Handler().ServeHTTP(w, r)
	}()
	waitUntil(t, func() bool { _, live := f.backend.count(); return live == 1 })
	leave()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatal("the handler goes on")
	}
	if _, live := f.backend.count(); live != 0 || w.Body.Len() != 0 || !errors.Is(aborted, http.ErrAbortHandler) {
		t.Fatalf("%d calls go on, %d bytes were written, ended with %v", live, w.Body.Len(), aborted)
	}
	if lines := f.log.lines(t); len(lines) != 1 || lines[0]["status"] != float64(499) {
		t.Fatalf("log %v", lines)
	}
}

func waitUntil(t *testing.T, holds func() bool) {
	t.Helper()
	deadline := time.After(5 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatal("it did not happen within 5 s")
		case <-tick.C:
		}
	}
}

func TestNewRefuses(t *testing.T) {
	good := newFixture(t, nil).options
	for name, change := range map[string]func(*server.Options){
		"two versions answer the class": func(o *server.Options) { o.Versions = append(o.Versions, o.Versions[0]) },
		"has no budget":                 func(o *server.Options) { o.Budgets = nil },
		"no adapter answers":            func(o *server.Options) { o.Versions = o.Versions[:1] },
		"are required":                  func(o *server.Options) { o.Log = nil },
	} {
		o := good
		change(&o)
		if _, err := server.New(o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	profiles := append(devices.Standard(), devices.Profile{
		Class: "watch", Like: devices.Phone, HeroWidth: 320, ThumbWidth: 64, ImageFormat: "webp", Images: 1, Rows: 1, RowLength: 1, Columns: 1,
	})
	f := newFixture(t, func(o *server.Options) {
		var err error
		if o.Devices, err = devices.NewResolver(devices.Options{Profiles: profiles}); err != nil {
			t.Fatal(err)
		}
	})
	if r := f.do("GET", "/item?id=a", "X-Device-Type: watch"); r.StatusCode != 200 || r.Header.Get("Facet-Adapter") != "phone/v1" {
		t.Errorf("a class by data: %d %v", r.StatusCode, r.Header)
	}
}
