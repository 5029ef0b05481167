package server_test

import (
	"compress/gzip"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/server"
)

func TestConditionalRequests(t *testing.T) {
	f := newFixture(t, nil)
	first := f.do("GET", "/item?id=a", "X-Device-Type: tv")
	etag := first.Header.Get("Etag")
	if !strings.HasPrefix(etag, `W/"`) {
		t.Fatalf("etag %q", etag)
	}
	for value, want := range map[string]int{
		etag: 304, strings.TrimPrefix(etag, "W/"): 304, `"x", ` + etag: 304, "*": 304, `W/"x"`: 200, "": 200, "garbage": 200,
	} {
		r := f.do("GET", "/item?id=a", "X-Device-Type: tv", "If-None-Match: "+value)
		if r.StatusCode != want || (want == 304) != (body(t, r) == "") {
			t.Errorf("If-None-Match %q: %d, want %d", value, r.StatusCode, want)
		}
		if r.Header.Get("Etag") != etag || r.Header.Get("Vary") == "" {
			t.Errorf("If-None-Match %q: headers %v", value, r.Header)
		}
	}
	if other := f.do("GET", "/item?id=b", "X-Device-Type: tv").Header.Get("Etag"); other == etag {
		t.Error("two pages have one validator")
	}
}

func TestGzip(t *testing.T) {
	f := newFixture(t, nil)
	for _, tc := range []struct {
		id, accept string
		zipped     bool
	}{
		{"long", "gzip", true}, {"long", "br, gzip;q=0.5", true}, {"long", "*", true}, {"long", "GZIP", true},
		{"long", "", false}, {"long", "gzip;q=0", false}, {"long", "br", false}, {"long", "gzip;q=nonsense", false},
		{"long", "gzip;q=1.0", true}, {"long", "gzip;q=1.5", false}, {"long", "gzip;q=-1", false}, {"long", "gzip;q=NaN", false},
		{"long", "*;q=1, gzip;q=0", false}, {"short", "gzip", false},
	} {
		r := f.do("GET", "/item?id="+tc.id, "X-Device-Type: tv", "Accept-Encoding: "+tc.accept)
		if got := r.Header.Get("Content-Encoding") == "gzip"; got != tc.zipped {
			t.Errorf("%s %q: zipped %v", tc.id, tc.accept, got)
			continue
		}
		plain := body(t, f.do("GET", "/item?id="+tc.id, "X-Device-Type: tv"))
		if tc.zipped {
			z, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(z)
			if err != nil || string(got) != plain {
				t.Errorf("%s %q: the body does not unpack to the plain one: %v", tc.id, tc.accept, err)
			}
		}
	}
}

func TestCORS(t *testing.T) {
	f := newFixture(t, func(o *server.Options) {
		o.CORS = server.CORS{Origins: []string{"https://tv.example"}, Headers: []string{"X-Ahead"}, MaxAge: 10 * time.Minute}
	})
	preflight := []string{"Origin: https://tv.example", "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: x-device-type"}
	r := f.do("OPTIONS", "/item", preflight...)
	if r.StatusCode != 204 || r.Header.Get("Access-Control-Allow-Origin") != "https://tv.example" ||
		r.Header.Get("Access-Control-Allow-Headers") != "X-Device-Type, X-User-Id, Facet-Timing, If-None-Match, "+
			"Priority, Traceparent, X-Request-Id, X-Request-Timeout-Ms, X-Ahead" ||
		r.Header.Get("Access-Control-Max-Age") != "600" || !strings.Contains(r.Header.Get("Vary"), "Origin") {
		t.Errorf("preflight: %d %v", r.StatusCode, r.Header)
	}
	r = f.do("OPTIONS", "/item", "Origin: https://evil.example", "Access-Control-Request-Method: GET")
	if r.StatusCode != 204 || r.Header.Get("Access-Control-Allow-Origin") != "" || r.Header.Get("Access-Control-Allow-Headers") != "" {
		t.Errorf("preflight of a stranger: %d %v", r.StatusCode, r.Header)
	}
	if r = f.do("OPTIONS", "/item"); r.StatusCode != 204 || r.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
		t.Errorf("plain OPTIONS: %d %v", r.StatusCode, r.Header)
	}
	for _, target := range []string{"/item?id=a", "/item", "/nothing"} { // errors can be read too
		r = f.do("GET", target, "X-Device-Type: tv", "Origin: https://tv.example")
		origin, exposed := r.Header.Get("Access-Control-Allow-Origin"), r.Header.Get("Access-Control-Expose-Headers")
		if origin != "https://tv.example" || !strings.Contains(exposed, "Facet-Parts") {
			t.Errorf("%s: %v", target, r.Header)
		}
	}
	open := newFixture(t, func(o *server.Options) { o.CORS.Origins = []string{"*"} })
	r = open.do("GET", "/item?id=a", "X-Device-Type: tv", "Origin: https://any.example")
	if r.Header.Get("Access-Control-Allow-Origin") != "*" || strings.Contains(r.Header.Get("Vary"), "Origin") {
		t.Errorf("any origin: %v", r.Header)
	}
}

func TestRetryAfter(t *testing.T) {
	for after, want := range map[time.Duration]string{
		0: "5", -1: "5", 1: "1", time.Second: "1", time.Second + 1: "2", 90 * time.Second: "90",
	} {
		f := newFixture(t, func(o *server.Options) { o.RetryAfter = after })
		r := f.do("GET", "/item?id=fault-open", "X-Device-Type: phone")
		if got := r.Header.Get("Retry-After"); got != want {
			t.Errorf("%v: Retry-After %q, want %q", after, got, want)
		}
	}
}
