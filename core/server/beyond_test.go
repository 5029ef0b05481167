package server_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/edge"
	"github.com/facet-gateway/facet/core/passthrough"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/server"
)

var guards atomic.Int64 // there is one command of a name

// routed returns a server with a route to a service, and with static answers.
func routed(t *testing.T, service http.HandlerFunc, change func(*server.Options, *passthrough.Rules, *command.Policy)) *fixture {
	t.Helper()
	backend := httptest.NewServer(service)
	base, err := url.Parse(backend.URL)
	if err != nil {
		t.Fatal(err)
	}
	next := func() (passthrough.Instance, error) {
		return passthrough.Instance{Base: base, Done: func(balance.Outcome, time.Duration) {}}, nil
	}
	upstream := passthrough.NewUpstream("cart", next, 16)
	t.Cleanup(func() {
		upstream.Close()
		backend.Close()
	})
	guard := command.NewGuard(fmt.Sprintf("route.test_%d", guards.Add(1)))
	return newFixture(t, func(o *server.Options) {
		rules := passthrough.Rules{
			Prefix: "/api/carts/", Rewrite: "/carts/", Methods: []string{"GET", "POST"}, MaxBody: 100, MaxAnswer: 1 << 20,
			RequestHeaders: []string{"Content-Type"}, ResponseHeaders: passthrough.DefaultResponseHeaders(),
		}
		policy := command.DefaultPolicy()
		policy.Timeout = 5 * time.Second
		robots, err := server.NewStatic([]byte("User-agent: *\n"), "text/plain; charset=utf-8", "public, max-age=3600")
		if err != nil {
			t.Fatal(err)
		}
		long, err := server.NewStatic([]byte(strings.Repeat("word ", 2000)), "text/css", "no-cache")
		if err != nil {
			t.Fatal(err)
		}
		o.Statics = map[string]*server.Static{"/robots.txt": robots, "/css/long.css": long}
		if change != nil {
			change(o, &rules, &policy)
		}
		if err := guard.Configure(policy); err != nil {
			t.Fatal(err)
		}
		route, err := passthrough.New(passthrough.Options{Name: "cart-api", Rules: rules, Upstream: upstream, Command: guard})
		if err != nil {
			t.Fatal(err)
		}
		if o.Routes, err = passthrough.NewRoutes(route); err != nil {
			t.Fatal(err)
		}
	})
}

// echo is a service that tells what it got.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "text/plain")
	fmt.Fprintf(w, //nolint:gosec // it is read by this test, as plain text
		"%s %s user=%s id=%s trace=%t ms=%s device=%s body=%s", r.Method, r.URL, r.Header.Get("X-User-Id"), r.Header.Get("X-Request-Id"),
		r.Header.Get("Traceparent") != "", r.Header.Get("X-Request-Timeout-Ms"), r.Header.Get("X-Device-Type"), body)
}

func TestPassThrough(t *testing.T) {
	var seen []report.Exchange
	f := routed(t, echo, func(o *server.Options, _ *passthrough.Rules, _ *command.Policy) {
		o.Observe = func(x report.Exchange) { seen = append(seen, x) }
	})
	address, stop := serve(t, f)
	r := converse(t, address, "POST /api/carts/7?x=1 HTTP/1.1\r\nHost: h\r\nX-Device-Type: tv\r\nX-User-Id: u-7\r\nX-Request-Id: mine\r\n"+
		"X-Request-Timeout-Ms: 1500\r\nFacet-Timing: 1\r\nContent-Length: 3\r\n\r\nabc")
	got := body(t, r)
	if r.StatusCode != 200 || r.Close || !strings.HasPrefix(got, "POST /carts/7?x=1 user=u-7 id=mine trace=true ms=1") ||
		!strings.HasSuffix(got, " device= body=abc") {
		t.Errorf("%d closing %v %q", r.StatusCode, r.Close, got)
	}
	if r.Header.Get("X-Request-Id") != "mine" || r.Header.Get("Vary") != "" || r.Header.Get("Accept-Ch") != "" ||
		r.Header.Get("Cache-Control") != "private, no-cache" || r.Header.Get("Facet-Adapter") != "" ||
		r.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%v", r.Header)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 1 || seen[0].Page != "cart-api" || seen[0].Status != 200 || seen[0].Bytes != len(got) ||
		seen[0].Device != "" || len(seen[0].Report.Calls()) != 1 {
		t.Errorf("%+v", seen)
	}
	line := f.log.lines(t)[0]
	if line["page"] != "cart-api" || line["path"] != "/api/carts/7" || line["status"] != 200.0 ||
		line["bytes"] != float64(len(got)) || line["request_id"] != "mine" {
		t.Errorf("%v", line)
	}
}

// TestBeyondRefused sends what comes to nothing, through real connections, and holds the
// refusal to the gateway's form.
func TestBeyondRefused(t *testing.T) {
	var asked atomic.Int64
	f := routed(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) }, nil)
	address, stop := serve(t, f)
	for _, tc := range []struct {
		request, head string
		status        int
		code, field   string
	}{
		{"PUT /api/carts/7", "Content-Length: 3", 405, "method_not_allowed", ""},
		{"TRACE /api/carts/7", "", 405, "method_not_allowed", ""},
		{"POST /robots.txt", "Content-Length: 3", 405, "method_not_allowed", ""},
		{"POST /api/carts/7", "Content-Length: 101", 413, "too_large", "body"},
		{"POST /api/carts/7", "Content-Length: 3\r\nX-User-Id: a b", 400, "invalid", "X-User-Id"},
		{"POST /api/carts/7", "Content-Length: 3\r\nX-Request-Timeout-Ms: soon", 400, "invalid", "X-Request-Timeout-Ms"},
		{"POST /api/carts/7", "Content-Length: 3" + strings.Repeat("\r\nX-Line: x", 100), 431, "header_too_large", ""},
		{"GET /api/carts", "", 404, "not_found", ""},
		{"GET /nothing", "", 404, "not_found", ""},
		{"GET /api/carts/../x", "", 400, "invalid", "path"},
		{"GET /api/carts/%2e%2e/x", "", 400, "invalid", "path"},
		{"GET /x/../api/carts/7", "", 400, "invalid", "path"},
		{"POST //api/carts/7", "Content-Length: 3", 400, "invalid", "path"},
		{"GET /api/carts/..%2fx", "", 400, "invalid", "path"},
		{"GET /api/carts/..%5cx", "", 400, "invalid", "path"},
		{`GET /api/carts/..\x`, "", 400, "invalid", "path"},
		{"GET /api/carts/%00", "", 400, "invalid", "path"},
		{"GET /api/carts/%252e%252e/x", "", 400, "invalid", "path"},
		{"GET /css/../robots.txt", "", 400, "invalid", "path"},
	} {
		began := time.Now()
		r := converse(t, address, tc.request+" HTTP/1.1\r\nHost: h\r\n"+strings.TrimPrefix(tc.head+"\r\n", "\r\n")+"\r\n")
		p := problemOf(t, r)
		if field, _ := p["field"].(string); r.StatusCode != tc.status || p["code"] != tc.code || field != tc.field {
			t.Errorf("%s %.60q: %d %v", tc.request, tc.head, r.StatusCode, p)
		}
		if hasBody := strings.HasPrefix(tc.head, "Content-Length"); hasBody != r.Close || time.Since(began) > 2*time.Second {
			t.Errorf("%s %.60q: closing %v after %v", tc.request, tc.head, r.Close, time.Since(began))
		}
		if tc.status == 405 && !strings.HasSuffix(r.Header.Get("Allow"), "OPTIONS") {
			t.Errorf("%s: Allow %q", tc.request, r.Header.Get("Allow"))
		}
	}
	if err := stop(); err != nil || asked.Load() != 0 {
		t.Errorf("%v; the service was asked %d times", err, asked.Load())
	}
}

// TestNothingIsSmuggledByOldRequests: of HTTP/1.0 the length is believed, and the rest of
// the body must not pass for another request.
func TestNothingIsSmuggledByOldRequests(t *testing.T) {
	var asked atomic.Int64
	f := routed(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) }, nil)
	address, stop := serve(t, f)
	const inner = "GET /api/carts/smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(c, "POST /api/carts/7 HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\nContent-Length: 4\r\n"+
		"Transfer-Encoding: chunked\r\n\r\n%02x\r\n%s\r\n0\r\n\r\n", len(inner), inner)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := io.ReadAll(c) // until it is closed; by a reset, as more was sent than was read
	if n := strings.Count(string(got), "HTTP/1."); n > 1 {
		t.Errorf("%d answers: %q", n, got)
	}
	_ = c.Close()
	if err := stop(); err != nil || asked.Load() != 1 {
		t.Errorf("%v; the service was asked %d times", err, asked.Load())
	}
}

// TestPagesAreNobodyElses: a route that takes all paths does not get a page's, however it
// is spelled.
func TestPagesAreNobodyElses(t *testing.T) {
	var asked atomic.Int64
	count := func(http.ResponseWriter, *http.Request) { asked.Add(1) }
	f := routed(t, count, func(_ *server.Options, rules *passthrough.Rules, _ *command.Policy) {
		rules.Prefix, rules.Rewrite = "/", "/"
	})
	address, stop := serve(t, f)
	for path, status := range map[string]int{"/item?id=a": 200, "/%69tem?id=a": 404, "/other": 200} {
		r := converse(t, address, "GET "+path+" HTTP/1.1\r\nHost: h\r\nX-Device-Type: tv\r\n\r\n")
		if r.StatusCode != status {
			t.Errorf("%s: %d, want %d", path, r.StatusCode, status)
		}
	}
	if err := stop(); err != nil || asked.Load() != 1 {
		t.Errorf("%v; the service was asked %d times", err, asked.Load())
	}
}

// TestRouteFaults has the service fail, and reads what the client is told.
func TestRouteFaults(t *testing.T) {
	brief := func(_ *server.Options, _ *passthrough.Rules, p *command.Policy) {
		p.Timeout, p.MaxConcurrent, p.Circuit.Consecutive = 200*time.Millisecond, 1, 2
	}
	f := routed(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/carts/hang":
			<-r.Context().Done()
		case "/carts/reset":
			panic(http.ErrAbortHandler)
		case "/carts/half":
			w.Header().Set("Content-Length", "99999")
			_, _ = w.Write(make([]byte, 50000))
			panic(http.ErrAbortHandler)
		}
	}, brief)
	address, stop := serve(t, f)
	ask := func(path string) (*http.Response, map[string]any) {
		r := converse(t, address, "GET /api/carts/"+path+" HTTP/1.1\r\nHost: h\r\n\r\n")
		return r, problemOf(t, r)
	}
	if r, p := ask("hang"); r.StatusCode != 504 || p["reason"] != "timeout" {
		t.Errorf("%v", p)
	}
	hurried := converse(t, address, "GET /api/carts/hang HTTP/1.1\r\nHost: h\r\nX-Request-Timeout-Ms: 20\r\n\r\n")
	if p := problemOf(t, hurried); hurried.StatusCode != 504 || p["reason"] != "budget" {
		t.Errorf("%v", p)
	}
	if r := converse(t, address, "GET /api/carts/ok HTTP/1.1\r\nHost: h\r\n\r\n"); r.StatusCode != 200 {
		t.Error(r.StatusCode)
	}
	r := converse(t, address, "GET /api/carts/half HTTP/1.1\r\nHost: h\r\n\r\n")
	if got, err := io.ReadAll(r.Body); r.StatusCode != 200 || err == nil || len(got) >= 99999 {
		t.Errorf("%d: %d bytes, %v", r.StatusCode, len(got), err)
	}
	if r, p := ask("reset"); r.StatusCode != 503 || p["reason"] != "error" {
		t.Errorf("%v", p)
	}
	if r, p := ask("ok"); r.StatusCode != 503 || p["reason"] != "open" || r.Header.Get("Retry-After") == "" {
		t.Errorf("%v", p)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestStaticAnswers(t *testing.T) {
	f := routed(t, echo, nil)
	first := f.do("GET", "/robots.txt")
	etag := first.Header.Get("Etag")
	if got := body(t, first); first.StatusCode != 200 || got != "User-agent: *\n" || etag == "" ||
		first.Header.Get("Content-Type") != "text/plain; charset=utf-8" || first.Header.Get("Cache-Control") != "public, max-age=3600" ||
		first.Header.Get("Vary") != "Accept-Encoding" || first.Header.Get("Content-Length") != "14" {
		t.Errorf("%d %q %v", first.StatusCode, got, first.Header)
	}
	for _, tc := range []struct {
		method, target, header string
		status                 int
	}{
		{"GET", "/robots.txt", "If-None-Match: " + etag, 304}, {"HEAD", "/robots.txt", "If-None-Match: " + etag, 304},
		{"GET", "/robots.txt", `If-None-Match: "x"`, 200}, {"HEAD", "/robots.txt", "X: y", 200}, {"GET", "/%72obots.txt", "X: y", 200},
		{"GET", "/robots.txt", "X-Device-Type: fridge", 200}, {"OPTIONS", "/robots.txt", "X: y", 204}, {"DELETE", "/robots.txt", "X: y", 405},
	} {
		r := f.do(tc.method, tc.target, tc.header)
		if r.StatusCode != tc.status || tc.status < 400 && tc.status != 204 && r.Header.Get("Etag") != etag {
			t.Errorf("%s %s %s: %d %v", tc.method, tc.target, tc.header, r.StatusCode, r.Header)
		}
	}
	if r := f.do("GET", "/css/long.css", "Accept-Encoding: gzip"); r.Header.Get("Content-Encoding") != "gzip" || len(body(t, r)) > 1000 {
		t.Errorf("%v", r.Header)
	}
	if line := f.log.lines(t)[0]; line["page"] != server.StaticPage {
		t.Errorf("%v", line)
	}
	for _, tc := range [][2]string{{"", "no-cache"}, {"text/css", ""}} {
		if _, err := server.NewStatic(nil, tc[0], tc[1]); err == nil {
			t.Errorf("not refused: %q", tc)
		}
	}
	if _, err := server.NewStatic(make([]byte, server.MaxStatic+1), "text/css", "no-cache"); err == nil {
		t.Error("too large, and not refused")
	}
}

func TestCORSOfRoutes(t *testing.T) {
	f := routed(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Vary", "Accept") },
		func(o *server.Options, _ *passthrough.Rules, _ *command.Policy) {
			o.CORS.Origins = []string{"https://tv.example"}
		})
	r := f.do("OPTIONS", "/api/carts/7", "Origin: https://tv.example", "Access-Control-Request-Method: POST")
	if r.StatusCode != 204 || r.Header.Get("Access-Control-Allow-Methods") != "GET, POST, OPTIONS" ||
		!strings.HasSuffix(r.Header.Get("Access-Control-Allow-Headers"), ", Content-Type") {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	r = f.do("GET", "/api/carts/7", "Origin: https://tv.example")
	if r.Header.Get("Access-Control-Allow-Origin") != "https://tv.example" || strings.Join(r.Header.Values("Vary"), ", ") != "Accept, Origin" {
		t.Errorf("%v", r.Header)
	}
}

// TestRoutesAreAdmitted: a prefetch is refused while pages are in progress, and a request
// that is passed through takes no place.
func TestRoutesAreAdmitted(t *testing.T) {
	f := routed(t, echo, func(o *server.Options, _ *passthrough.Rules, _ *command.Policy) {
		o.Admission = limiter(t, func(o *edge.Options) { o.Min, o.Max = 1, 1 })
	})
	for range 3 {
		if r := f.do("GET", "/api/carts/7"); r.StatusCode != 200 {
			t.Error(r.StatusCode)
		}
	}
	permit, err := f.Admission.Admit(edge.Person, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if p := problemOf(t, f.do("GET", "/api/carts/7")); p["reason"] != "overload" {
		t.Error(p)
	}
	if r := f.do("GET", "/robots.txt"); r.StatusCode != 200 {
		t.Error(r.StatusCode)
	}
	permit.Done(edge.Silent, 0, time.Now())
	if s := f.Admission.Stats(); s.InProgress != 0 || s.Admitted["person"] != 4 {
		t.Errorf("%+v", s)
	}
}

// TestReloadOfRoutes takes a route away and brings it back while requests come: each is
// answered by one of the two configurations.
func TestReloadOfRoutes(t *testing.T) {
	f := routed(t, echo, nil)
	with, without := f.Live(), f.Live()
	without.Routes, without.Statics = nil, nil
	asked, done := make(chan struct{}), make(chan map[int]int)
	go func() {
		statuses := make(map[int]int)
		for range 300 {
			statuses[f.do("GET", "/api/carts/7").StatusCode]++
			asked <- struct{}{}
		}
		close(asked)
		done <- statuses
	}()
	for i := range 300 {
		live := with
		if i%2 == 0 {
			live = without
		}
		apply, err := f.Prepare(live)
		if err != nil {
			t.Error(err)
		}
		<-asked
		apply()
	}
	statuses := <-done
	if statuses[200]+statuses[404] != 300 || statuses[200] == 0 || statuses[404] == 0 {
		t.Errorf("%v", statuses)
	}
}
