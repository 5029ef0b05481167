package passthrough_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/leaktest"
	"github.com/facet-gateway/facet/core/passthrough"
	"github.com/facet-gateway/facet/core/report"
)

func TestMain(m *testing.M) { leaktest.Main(m, leaktest.Circuits()...) }

// service is a server of the test's own words, connection by connection.
type service struct {
	address string
	told    chan balance.Outcome // what requests have said of it; with room

	mu       sync.Mutex
	requests []string // each from its line to the end of its body, as far as that was read
	wg       sync.WaitGroup
}

// next always chooses the service, below a path.
func (s *service) next(path string) passthrough.Next {
	return func() (passthrough.Instance, error) {
		return passthrough.Instance{
			Base: &url.URL{Scheme: "http", Host: s.address, Path: path}, Done: func(o balance.Outcome, _ time.Duration) { s.told <- o },
		}, nil
	}
}

// serving starts a service that has each connection served by a function.
func serving(t *testing.T, serve func(s *service, conn net.Conn, in *bufio.Reader)) *service {
	t.Helper()
	var config net.ListenConfig
	ln, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &service{address: ln.Addr().String(), told: make(chan balance.Outcome, 10_000)}
	s.wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() {
				defer conn.Close() //nolint:errcheck // of a test
				_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
				serve(s, conn, bufio.NewReader(conn))
			})
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		s.wg.Wait()
	})
	return s
}

// read reads a request with its body, and keeps it.
func (s *service) read(in *bufio.Reader) (*http.Request, error) {
	var raw strings.Builder
	r, err := http.ReadRequest(bufio.NewReader(io.TeeReader(oneByOne{in}, &raw)))
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, r.Body)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, raw.String())
	return r, err
}

// oneByOne keeps a reader from taking bytes of the next request.
type oneByOne struct{ in io.Reader }

func (o oneByOne) Read(p []byte) (int, error) { return o.in.Read(p[:min(1, len(p))]) }

func (s *service) seen() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.requests...)
}

// answering is a service that gives every request the same answer, as it stands.
func answering(t *testing.T, answer string) *service {
	return serving(t, func(s *service, conn net.Conn, in *bufio.Reader) {
		for {
			r, err := s.read(in)
			if err != nil {
				return
			}
			if _, err := io.WriteString(conn, answer); err != nil || r.Close || !strings.Contains(answer, "Content-Length") {
				return
			}
		}
	})
}

// answeringOnce is a service that ends each connection with its answer.
func answeringOnce(t *testing.T, answer string) *service {
	return serving(t, func(s *service, conn net.Conn, in *bufio.Reader) {
		if _, err := s.read(in); err == nil {
			_, _ = io.WriteString(conn, answer)
		}
	})
}

var names atomic.Int64 // of commands, of which there is one of a name

// front is an HTTP server before one route.
type front struct {
	*httptest.Server
	route *passthrough.Route
	guard *command.Guard
	ended chan outcome // of each exchange
}

type outcome struct {
	begun bool
	err   error
}

func policy() command.Policy {
	p := command.DefaultPolicy()
	p.Timeout = 5 * time.Second
	return p
}

func rules() passthrough.Rules {
	return passthrough.Rules{
		Prefix: "/api/carts/", Rewrite: "/carts/", Methods: passthrough.Methods(),
		RequestHeaders: passthrough.DefaultRequestHeaders(), ResponseHeaders: passthrough.DefaultResponseHeaders(),
		MaxBody: 1 << 20, MaxAnswer: 1 << 20,
	}
}

// newFront passes everything on to a service, and answers a fault with the status of its
// code and its text.
func newFront(t *testing.T, s *service, change func(*passthrough.Rules, *command.Policy)) *front {
	t.Helper()
	how, limits := rules(), policy()
	if change != nil {
		change(&how, &limits)
	}
	upstream := passthrough.NewUpstream("cart", s.next(""), 16)
	f := &front{guard: command.NewGuard(fmt.Sprintf("route.test_%d", names.Add(1))), ended: make(chan outcome, 100)}
	if err := f.guard.Configure(limits); err != nil {
		t.Fatal(err)
	}
	var err error
	f.route, err = passthrough.New(passthrough.Options{Name: "cart-api", Rules: how, Upstream: upstream, Command: f.guard})
	if err != nil {
		t.Fatal(err)
	}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(func() {
		f.Close()
		upstream.Close()
	})
	return f
}

func (f *front) serve(w http.ResponseWriter, r *http.Request) {
	path, err := passthrough.Clean(r.URL)
	if err != nil || !strings.HasPrefix(path, f.route.Prefix()) {
		w.Header().Set("Connection", "close")
		http.Error(w, fmt.Sprint(err), http.StatusBadRequest)
		return
	}
	trace, _ := report.ParseTraceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	ctx := context.WithValue(r.Context(), report.RequestKey{}, report.New("r-1", trace))
	begun, err := f.route.Serve(ctx, w, r, "u-7")
	f.ended <- outcome{begun, err}
	switch {
	case err == nil:
	case begun || fault.CodeOf(err) == fault.Canceled:
		panic(http.ErrAbortHandler)
	default:
		w.Header().Set("Connection", "close")
		http.Error(w, err.Error(), fault.CodeOf(err).Status())
	}
}

// send sends one request through a connection of its own, byte by byte as it stands, and
// returns the answer and its body.
func (f *front) send(t *testing.T, request string) (*http.Response, string) {
	t.Helper()
	conn := f.dial(t)
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	in := bufio.NewReader(conn)
	r, err := http.ReadResponse(in, &http.Request{Method: method})
	for err == nil && r.StatusCode == http.StatusContinue {
		r, err = http.ReadResponse(in, &http.Request{Method: method})
	}
	if err != nil {
		t.Fatalf("%.60q: %v", request, err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return r, fmt.Sprintf("%s; broken off: %v", body, err)
	}
	return r, string(body)
}

func (f *front) dial(t *testing.T) net.Conn {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", f.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func (f *front) outcome(t *testing.T) outcome {
	t.Helper()
	select {
	case o := <-f.ended:
		return o
	case <-time.After(20 * time.Second):
		t.Fatal("the exchange does not end")
		return outcome{err: errors.New("none")}
	}
}

func waitUntil(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}
