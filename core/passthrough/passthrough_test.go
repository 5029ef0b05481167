package passthrough_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/passthrough"
)

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}"

func TestWhatIsSent(t *testing.T) {
	s := answering(t, okAnswer)
	f := newFront(t, s, nil)
	r, body := f.send(t, "POST /api/carts/u%207/items?sku=a#b&x=%2F HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"+
		"Content-Length: 7\r\nConnection: keep-alive, X-Hop, Accept-Language\r\nAccept-Language: nl\r\nKeep-Alive: 5\r\nProxy-Connection: x\r\n"+
		"TE: trailers\r\nUpgrade: websocket\r\nX-Hop: 1\r\nFacet-Timing: 1\r\nX-User-Id: u-9\r\nX-Forwarded-For: 10.0.0.1\r\n"+
		"Cookie: a=b\r\nAuthorization: Bearer x\r\n"+
		"Expect: 100-continue\r\nIdempotency-Key: k\r\nAccept:\r\n text/plain\r\nX-Request-Id: mine\r\n\r\n{\"a\":1}")
	if r.StatusCode != 200 || body != "{}" {
		t.Fatalf("%d %q", r.StatusCode, body)
	}
	got := strings.Split(s.seen()[0], "\r\n")
	want := map[string]bool{
		"POST /carts/u%207/items?sku=a%23b&x=%2F HTTP/1.1": true, "Host: " + s.address: true, "User-Agent: facet": true,
		"Content-Length: 7":              true,
		"Content-Type: application/json": true, "Idempotency-Key: k": true, "Accept: text/plain": true, "X-Request-Id: r-1": true,
		"X-User-Id: u-7": true, "Connection: close": true, "": true, `{"a":1}`: true,
	}
	for _, line := range got {
		name, _, _ := strings.Cut(line, ": ")
		if !want[line] && name != "Traceparent" && name != "X-Request-Timeout-Ms" {
			t.Errorf("sent: %q", line)
		}
		delete(want, line)
	}
	if len(want) > 0 {
		t.Errorf("not sent: %v", want)
	}
	if !strings.Contains(s.seen()[0], "\r\nTraceparent: 00-0af7651916cd43dd8448eb211c80319c-") ||
		!strings.Contains(s.seen()[0], "\r\nX-Request-Timeout-Ms: ") {
		t.Error(s.seen()[0])
	}
}

func TestWhatComesBack(t *testing.T) {
	s := answering(t, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\nEtag: \"1\"\r\nLocation: /carts/7\r\nSet-Cookie: a=b\r\nServer: x\r\n"+
		"Facet-Adapter: tv/v9\r\nKeep-Alive: timeout=5\r\nConnection: keep-alive, Cache-Control\r\nCache-Control: public\r\nUpgrade: h2c\r\n"+
		"Proxy-Authenticate: Basic\r\nX-Request-Id: theirs\r\nAccess-Control-Allow-Origin: *\r\nTrailer: X-End\r\n\r\n{}")
	f := newFront(t, s, nil)
	r, body := f.send(t, "GET /api/carts/7 HTTP/1.1\r\nHost: gateway\r\n\r\n")
	if r.StatusCode != 201 || body != "{}" {
		t.Fatalf("%d %q", r.StatusCode, body)
	}
	want := http.Header{"Content-Length": {"2"}, "Etag": {`"1"`}, "Location": {"/api/carts/7"}}
	r.Header.Del("Date")
	if fmt.Sprint(r.Header) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", r.Header, want)
	}
	cookies := newFront(t, s, func(how *passthrough.Rules, _ *command.Policy) { how.ResponseHeaders = []string{"Set-Cookie"} })
	r, _ = cookies.send(t, "GET /api/carts/7 HTTP/1.1\r\nHost: gateway\r\n\r\n")
	if r.Header.Get("Set-Cookie") != "a=b" || r.Header.Get("Etag") != "" {
		t.Errorf("%v", r.Header)
	}
}

// TestLocation takes out where the instance is, and leaves what is elsewhere.
func TestLocation(t *testing.T) {
	for told, want := range map[string]string{
		"/carts/8":                         "/api/carts/8",
		"http://INSTANCE/carts/8?x=1#y":    "/api/carts/8?x=1#y",
		"//INSTANCE/carts/8":               "/api/carts/8",
		"http://INSTANCE":                  "/",
		"http://elsewhere.example/carts/8": "http://elsewhere.example/carts/8",
		"8":                                "8",
	} {
		s := serving(t, func(s *service, conn net.Conn, in *bufio.Reader) {
			if _, err := s.read(in); err == nil {
				at := strings.ReplaceAll(told, "INSTANCE", s.address)
				_, _ = io.WriteString(conn, "HTTP/1.1 303 See Other\r\nContent-Length: 0\r\nLocation: "+at+"\r\n\r\n")
			}
		})
		if r, _ := newFront(t, s, nil).send(t, "GET /api/carts/7 HTTP/1.1\r\nHost: gateway\r\n\r\n"); r.Header.Get("Location") != want {
			t.Errorf("%q is passed on as %q", told, r.Header.Get("Location"))
		}
	}
}

// TestNoBody: what has none is sent with none, and not in chunks.
func TestNoBody(t *testing.T) {
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
		for _, length := range []string{"", "Content-Length: 0\r\n"} {
			s := answering(t, okAnswer)
			r, _ := newFront(t, s, nil).send(t, method+" /api/carts/7 HTTP/1.1\r\nHost: gateway\r\n"+length+"\r\n")
			if got := s.seen(); r.StatusCode != 200 || r.Close || len(got) != 1 || strings.Contains(got[0], "Transfer-Encoding") ||
				strings.Contains(got[0], "Content-Length: 0") != (method != "DELETE") {
				t.Errorf("%s %q: %d, closing %v: %q", method, length, r.StatusCode, r.Close, got)
			}
		}
	}
}

// TestSmuggling sends what two programs could take for a different number of requests.
// Whatever becomes of it, the service gets whole requests of the gateway's own framing,
// and none for /smuggled.
func TestSmuggling(t *testing.T) {
	const inner = "GET /api/carts/smuggled HTTP/1.1\r\nHost: gateway\r\n\r\n"
	for _, tc := range []struct {
		name, head, body string
		status           int
	}{
		{"length and chunks", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n" + inner, 200},
		{"chunks and length", "Transfer-Encoding: chunked\r\nContent-Length: 60\r\n", "0\r\n\r\n" + inner, 200},
		{"two lengths", "Content-Length: 0\r\nContent-Length: 54\r\n", inner, 400},
		{"a list of lengths", "Content-Length: 0, 54\r\n", inner, 400},
		{"a signed length", "Content-Length: +5\r\n", "12345" + inner, 400},
		{"a length of something else", "Content-Length: 0x5\r\n", "12345" + inner, 400},
		{"two codings", "Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n" + inner, 501},
		{"an unknown coding", "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n" + inner, 501},
		{"a coding after a tab", "Transfer-Encoding:\tchunked\r\n", "0\r\n\r\n" + inner, 200},
		{"a space before the colon", "Transfer-Encoding : chunked\r\n", "0\r\n\r\n" + inner, 400},
		{"a folded coding", "Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n" + inner, 200},
		{"a chunk of a signed size", "Transfer-Encoding: chunked\r\n", "+1\r\na\r\n0\r\n\r\n" + inner, 400},
		{"a chunk of a bad size", "Transfer-Encoding: chunked\r\n", "1g\r\na\r\n0\r\n\r\n" + inner, 400},
		{"a chunk that is longer", "Transfer-Encoding: chunked\r\n", "1\r\nabc\r\n0\r\n\r\n" + inner, 400},
		{"an upgrade", "Content-Length: 0\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n", "", 200},
		{"a length taken for a hop", "Content-Length: 3\r\nConnection: Content-Length\r\n", "abc", 200},
		{"a request in the header", "X: a\rGET /x HTTP/1.1\r\nContent-Length: 0\r\n", "", 400},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := answering(t, okAnswer)
			f := newFront(t, s, nil)
			r, body := f.send(t, "POST /api/carts/7 HTTP/1.1\r\nHost: gateway\r\n"+tc.head+"\r\n"+tc.body)
			if r.StatusCode != tc.status {
				t.Errorf("%d %q, want %d", r.StatusCode, body, tc.status)
			}
			if ambiguous := strings.Contains(tc.head, "Transfer-Encoding") || tc.status >= 400; ambiguous && !r.Close {
				t.Error("the connection stays, with whatever is left in it")
			}
			for _, request := range s.seen() {
				head, _, _ := strings.Cut(request, "\r\n\r\n")
				if strings.Contains(request, "smuggled") || strings.Contains(head, "Upgrade") || strings.Contains(head, "ettings") ||
					strings.Contains(head, "Transfer-Encoding") == strings.Contains(head, "Content-Length") {
					t.Errorf("the service got %q", request)
				}
			}
			if got := len(s.seen()); tc.status == 200 && got != 1 {
				t.Errorf("the service got %d requests", got)
			}
		})
	}
}

// TestRepeated has a service take requests and close their connections without an
// answer. Only what changes nothing may be sent again.
func TestRepeated(t *testing.T) {
	for _, tc := range []struct {
		method, head, body string
		again              bool
	}{
		{"POST", "Content-Length: 3\r\n", "abc", false},
		{"POST", "Content-Length: 0\r\nIdempotency-Key: k\r\n", "", false},
		{"POST", "Idempotency-Key: k\r\n", "", false},
		{"POST", "Transfer-Encoding: chunked\r\nIdempotency-Key: k\r\n", "3\r\nabc\r\n0\r\n\r\n", false},
		{"PUT", "Content-Length: 3\r\nIdempotency-Key: k\r\n", "abc", false},
		{"PATCH", "Content-Length: 0\r\nIdempotency-Key: k\r\n", "", false},
		{"DELETE", "Idempotency-Key: k\r\n", "", false},
		{"DELETE", "", "", false},
		{"GET", "", "", true},
		{"HEAD", "", "", true},
	} {
		t.Run(tc.method+" "+tc.head, func(t *testing.T) {
			var once sync.Once
			s := serving(t, func(s *service, conn net.Conn, in *bufio.Reader) {
				for {
					if _, err := s.read(in); err != nil {
						return
					}
					first := false
					once.Do(func() { first = true })
					if !first {
						return
					}
					_, _ = io.WriteString(conn, okAnswer)
				}
			})
			f := newFront(t, s, nil)
			if r, _ := f.send(t, "GET /api/carts/first HTTP/1.1\r\nHost: g\r\n\r\n"); r.StatusCode != 200 {
				t.Fatal(r.StatusCode)
			}
			r, body := f.send(t, tc.method+" /api/carts/7 HTTP/1.1\r\nHost: g\r\n"+tc.head+"\r\n"+tc.body)
			if r.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("%d %q", r.StatusCode, body)
			}
			want := 2
			if tc.again {
				want = 3 // once more, on a new connection
			}
			if got := s.seen(); len(got) != want {
				t.Errorf("the service got %d requests, want %d: %q", len(got), want, got)
			}
		})
	}
}

// TestAnswers has services answer in every way, and says what becomes of it.
func TestAnswers(t *testing.T) {
	large := strings.Repeat("x", 200<<10)
	for _, tc := range []struct {
		name, method, answer string
		status               int
		body                 string // of an answer; or what a problem says
		outcome              string // of the command
		broken               bool   // the client's connection breaks off
	}{
		{"a body with a length", "GET", okAnswer, 200, "{}", "success", false},
		{"a body until the end", "GET", "HTTP/1.1 200 OK\r\n\r\nabc", 200, "abc", "success", false},
		{"chunks", "POST", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 200, "abc", "success", false},
		{"chunks and a length", "GET",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 200, "abc", "success", false,
		},
		{"a large body", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 204800\r\n\r\n" + large, 200, large, "success", false},
		{"HTTP/1.0", "GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", "success", false},
		{"HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", 200, "", "success", false},
		{"204", "DELETE", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", "success", false},
		{"304", "GET", "HTTP/1.1 304 Not Modified\r\nEtag: \"1\"\r\n\r\n", 304, "", "success", false},
		{"302", "GET", "HTTP/1.1 302 Found\r\nLocation: http://elsewhere.example/\r\nContent-Length: 0\r\n\r\n", 302, "", "success", false},
		{"100 first", "POST", "HTTP/1.1 100 Continue\r\n\r\n" + okAnswer, 200, "{}", "success", false},
		{"404", "GET", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone", 404, "none", "caller_fault", false},
		{"409", "PUT", "HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n", 409, "", "caller_fault", false},
		{"429", "GET", "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\nRetry-After: 3\r\n\r\n", 429, "", "failure", false},
		{"500", "POST", "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops", 500, "oops", "failure", false},
		{"101", "GET", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", 502, "status 101", "failure", false},
		{"999", "GET", "HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n", 502, "status 999", "failure", false},
		{"nothing", "GET", "", 503, "unavailable", "failure", false},
		{"garbage", "GET", "garbage\r\n\r\n", 502, "bad_answer", "failure", false},
		{"half a status line", "GET", "HTTP/1.1 2", 502, "bad_answer", "failure", false},
		{"two lengths", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc", 502, "bad_answer", "failure", false},
		{"a negative length", "GET", "HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nabc", 502, "bad_answer", "failure", false},
		{"an unknown coding", "GET",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 502, "bad_answer", "failure", false,
		},
		{"a header of no end", "GET", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 70<<10) + "\r\n\r\n", 502, "bad_answer", "failure", false},
		{"a bad chunk", "GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc", 502, "bad_answer", "failure", false},
		{"a short body", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", 502, "bad_answer", "failure", false},
		{"a body that is too large", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\nabc", 502, "bad_answer", "failure", false},
		{"a large body that is short", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + large, 200, "broken off", "failure", true},
		{"a chunk that is missing", "GET",
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", 200, "broken off", "failure", true,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := answeringOnce(t, tc.answer)
			f := newFront(t, s, nil)
			r, body := f.send(t, tc.method+" /api/carts/7 HTTP/1.1\r\nHost: g\r\nContent-Length: 0\r\n\r\n")
			if r.StatusCode != tc.status || tc.broken != strings.Contains(body, "broken off") ||
				(tc.status < 500 && !tc.broken || tc.status == 500) && body != tc.body || !strings.Contains(body, tc.body) {
				t.Errorf("%d %.200q, want %d %.200q", r.StatusCode, body, tc.status, tc.body)
			}
			if o := f.outcome(t); (o.err != nil) != (tc.broken || tc.status > 500) || o.err != nil && o.begun != tc.broken {
				t.Errorf("%+v", o)
			}
			if got := f.guard.Stats().Outcomes[tc.outcome]; got != 1 {
				t.Errorf("outcomes %v, want one %s", f.guard.Stats().Outcomes, tc.outcome)
			}
			if said := <-s.told; (said == balance.Fault) != (tc.outcome == "failure") || said == balance.Silent {
				t.Errorf("of its instance it says %v", said)
			}
			if tc.name == "HEAD" && r.ContentLength != 99 {
				t.Errorf("length %d", r.ContentLength)
			}
		})
	}
}

func TestBodyLimits(t *testing.T) {
	few := func(how *passthrough.Rules, _ *command.Policy) { how.MaxBody = 8 }
	for _, tc := range []struct {
		name, head, body string
		status, sent     int
	}{
		{"as much as may be", "Content-Length: 8\r\n", "12345678", 200, 1},
		{"one more", "Content-Length: 9\r\n", "123456789", 413, 0},
		{"as much as may be, in chunks", "Transfer-Encoding: chunked\r\n", "8\r\n12345678\r\n0\r\n\r\n", 200, 1},
		{"one more, in chunks", "Transfer-Encoding: chunked\r\n", "9\r\n123456789\r\n0\r\n\r\n", 413, 0},
		{"one more, in two chunks", "Transfer-Encoding: chunked\r\n", "8\r\n12345678\r\n1\r\n9\r\n0\r\n\r\n", 413, 0},
		{"far more, which does not come", "Content-Length: 99999999999\r\n", "1", 413, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var whole sync.Map
			s := serving(t, func(s *service, conn net.Conn, in *bufio.Reader) {
				if _, err := s.read(in); err == nil { // of its whole body
					whole.Store(conn, true)
					_, _ = io.WriteString(conn, okAnswer)
				}
			})
			f := newFront(t, s, few)
			r, body := f.send(t, "POST /api/carts/7 HTTP/1.1\r\nHost: g\r\n"+tc.head+"\r\n"+tc.body)
			if r.StatusCode != tc.status {
				t.Errorf("%d %q", r.StatusCode, body)
			}
			if o := f.outcome(t); tc.status == 413 && (fault.CodeOf(o.err) != fault.TooLarge || o.begun) {
				t.Errorf("%+v", o)
			}
			sent := 0
			whole.Range(func(any, any) bool { sent++; return true })
			if sent != tc.sent || f.guard.Stats().Outcomes["failure"] != 0 {
				t.Errorf("the service got %d whole requests, want %d; %v", sent, tc.sent, f.guard.Stats().Outcomes)
			}
		})
	}
}

func TestRoutes(t *testing.T) {
	s := answering(t, okAnswer)
	upstream := passthrough.NewUpstream("cart", s.next("/base"), 1)
	defer upstream.Close()
	guard := command.NewGuard(fmt.Sprintf("route.test_%d", names.Add(1)))
	route := func(name, prefix string) *passthrough.Route {
		how := rules()
		how.Prefix = prefix
		r, err := passthrough.New(passthrough.Options{Name: name, Rules: how, Upstream: upstream, Command: guard})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	all, err := passthrough.NewRoutes(route("api", "/api/"), route("carts", "/api/carts/"), route("other", "/other/"))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"/api/x": "api", "/api/carts": "api", "/api/carts/": "carts", "/api/carts/1": "carts",
		"/other/": "other", "/other": "", "/": "", "/apix/": "",
	} {
		got := ""
		if r := all.Find(path); r != nil {
			got = r.Name()
		}
		if got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if _, err := passthrough.NewRoutes(route("a", "/api/"), route("b", "/api/")); err == nil {
		t.Error("two routes have one prefix")
	}
	for _, change := range []func(*passthrough.Rules){
		func(r *passthrough.Rules) { r.Prefix = "/api" }, func(r *passthrough.Rules) { r.Rewrite = "/../" },
		func(r *passthrough.Rules) { r.Methods = []string{"CONNECT"} }, func(r *passthrough.Rules) { r.Methods = nil },
		func(r *passthrough.Rules) { r.RequestHeaders = []string{"connection"} },
		func(r *passthrough.Rules) { r.ResponseHeaders = []string{"Facet-Parts"} },
		func(r *passthrough.Rules) { r.MaxAnswer = 0 },
	} {
		how := rules()
		change(&how)
		if _, err := passthrough.New(passthrough.Options{Name: "x", Rules: how, Upstream: upstream, Command: guard}); err == nil {
			t.Errorf("not refused: %+v", how)
		}
	}
}

func TestHeadersThatNeverPass(t *testing.T) {
	for name, want := range map[string]bool{
		"Accept": true, "X-Own": true, "Set-Cookie": true, "Authorization": true,
		"Connection": false, "keep-alive": false, "TE": false, "Transfer-Encoding": false, "Upgrade": false, "Proxy-Authorization": false,
		"content-length": false, "Host": false, "Facet-Force": false, "facet-parts": false, "X-User-Id": false, "X-Forwarded-For": false,
		"X-Request-Id": false, "traceparent": false, "Trailer": false, "Access-Control-Allow-Origin": false, "": false, "A b": false, "A:": false,
	} {
		if got := passthrough.ValidHeader(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}
