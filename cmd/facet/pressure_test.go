//go:build !production

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/facet-gateway/facet/adapters/simulator"
	"github.com/facet-gateway/facet/bench/openloop"
	"github.com/facet-gateway/facet/core/config"
	"github.com/facet-gateway/facet/core/edge"
	"github.com/facet-gateway/facet/core/leaktest"
)

// stage is a gateway and its services in this process, really listening.
type stage struct {
	t       *testing.T
	build   *build
	shop    *simulator.Simulator
	gateway string // URL of the public port
	client  *http.Client
	log     faultLog
	inside  *gateway

	admission *edge.Limiter
	stop      func() // ends it all; called by Cleanup too
}

// faultLog keeps the log lines that tell of a backend's fault.
type faultLog struct {
	mu    sync.Mutex
	lines []string
}

func (l *faultLog) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(": failure: ")) || bytes.Contains(line, []byte(": timeout: ")) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.lines = append(l.lines, string(line))
	}
	return len(line), nil
}

// newStage starts a gateway whose configuration is the demonstration's and extra.
func newStage(t *testing.T, extra string) *stage {
	t.Helper()
	s := &stage{t: t, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}}
	var err error
	if s.build, err = newBuild(); err != nil {
		t.Fatal(err)
	}
	if s.shop, err = startSimulator(t.Context(), simulator.Options{}); err != nil {
		t.Fatal(err)
	}
	d := &demonstration{listen: "127.0.0.1:0", admin: "127.0.0.1:0"}
	c, err := config.Parse("test", []byte(d.config(s.shop, &ways{})+extra), s.build.known())
	if err != nil {
		t.Fatal(err)
	}
	g, err := newGateway(s.build, c, slog.New(slog.NewTextHandler(&s.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	s.inside, s.admission = g, g.admission
	ctx, stop := context.WithCancel(context.Background())
	urls, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- g.run(ctx, func(public, _ string) { urls <- public }) }()
	s.gateway = <-urls
	s.stop = sync.OnceFunc(func() {
		s.client.CloseIdleConnections()
		stop()
		if err := <-ended; err != nil {
			t.Errorf("the stop was not clean: %v", err)
		}
		g.close()
		s.shop.Close()
	})
	t.Cleanup(s.stop)
	return s
}

// get asks for a product page on a phone, and returns the answer with its body read.
func (s *stage) get(ctx context.Context, product string) (*http.Response, string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.gateway+"/productdetails?productid="+product, nil)
	if err != nil {
		return nil, "", err
	}
	r.Header.Set("X-Device-Type", "phone")
	r.Header.Set("X-User-Id", "u-7")
	response, err := s.client.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close() //nolint:errcheck // it was read
	b, err := io.ReadAll(response.Body)
	return response, string(b), err
}

func (s *stage) mustGet(product string) (*http.Response, string) {
	s.t.Helper()
	r, body, err := s.get(s.t.Context(), product)
	if err != nil {
		s.t.Fatal(err)
	}
	return r, body
}

func (s *stage) fault(service, spec string) {
	s.t.Helper()
	f, err := simulator.ParseFault(spec)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.shop.SetFault(service, f); err != nil {
		s.t.Fatal(err)
	}
}

// TestAbortedPages aborts 10,000 pages at random moments: nothing goes on that
// nobody waits for, and no backend is blamed for it.
func TestAbortedPages(t *testing.T) {
	const pages, clients = 10_000, 16
	s := newStage(t, "pages: {productdetails: {budget: 30s}}\n")
	for _, c := range s.build.services.Controls() { // so that a slow machine is no fault of a backend
		p := c.Policy()
		p.Timeout = 30 * time.Second
		if err := c.Configure(p); err != nil {
			t.Fatal(err)
		}
	}
	s.fault("catalog", "latency=4ms,spread=4ms")
	for _, name := range []string{"inventory", "shipping"} { // long enough to be in the middle of
		s.fault(name, "latency=20ms,spread=10ms")
	}
	began := time.Now()
	for range 50 {
		s.mustGet("p-1042")
	}
	usual := time.Since(began) / 50
	var wg sync.WaitGroup
	var aborted atomic.Int64
	for client := range clients {
		wg.Go(func() {
			for i := range pages / clients {
				patience := time.Duration(rand.Int64N(int64(usual * 3 / 2)))
				if !s.glance(fmt.Sprintf("p-%d", 1001+(client*97+i)%300), patience) {
					aborted.Add(1)
				}
			}
		})
	}
	wg.Wait()
	took, idle := within(100*time.Millisecond, func() bool { return s.underWay() == 0 && s.inFlight() == 0 })
	if !idle {
		t.Errorf("after %v %d calls are still under way here, and %d in flight at the backend", took, s.underWay(), s.inFlight())
	}
	for _, c := range s.build.services.Controls() {
		if st := c.Stats(); st.Outcomes["failure"]+st.Outcomes["timeout"] > 0 || st.InFlight != 0 || st.Circuit != "closed" {
			t.Errorf("a backend was blamed: %+v\n%s", st, strings.Join(s.log.lines, ""))
		}
	}
	s.stop()
	if err := goleak.Find(leaktest.Circuits()...); err != nil {
		t.Errorf("goroutines are left: %v", err)
	}
	calls := s.abortedCalls()
	if aborted.Load() < pages/2 || calls < pages/20 {
		t.Errorf("only %d pages and %d of their calls were aborted: the test does not test", aborted.Load(), calls)
	}
	t.Logf("%d of %d pages aborted and %d calls with them, calls in flight 0 after %v", aborted.Load(), pages, calls, took)
}

// glance asks for a page and breaks the connection off after the patience given.
// It reports whether the page came before. With an http.Client in its place, most
// of the processor's time would go into that.
func (s *stage) glance(product string, patience time.Duration) bool {
	deadline := time.Now().Add(patience)
	dialer := net.Dialer{Deadline: deadline.Add(time.Second)} // a page that is not asked for cannot be aborted
	conn, err := dialer.DialContext(s.t.Context(), "tcp", strings.TrimPrefix(s.gateway, "http://"))
	if err != nil {
		s.t.Error(err)
		return true
	}
	defer conn.Close() //nolint:errcheck // it is over in any case
	_, _ = fmt.Fprintf(conn, "GET /productdetails?productid=%s HTTP/1.1\r\nHost: facet\r\nConnection: close\r\n"+
		"X-Device-Type: phone\r\nX-User-Id: u-7\r\n\r\n", product) // what fails to be written is not answered
	_ = conn.SetReadDeadline(deadline) // fails only on a closed connection
	_, err = io.Copy(io.Discard, conn)
	return err == nil
}

// underWay are the calls that the gateway is making now.
func (s *stage) underWay() int64 {
	var n int64
	for _, c := range s.build.services.Controls() {
		n += c.Stats().InFlight
	}
	return n
}

// inFlight are the calls that the services are answering now.
func (s *stage) inFlight() int {
	n := 0
	for _, name := range s.shop.Services() {
		n += int(s.shop.Stats(name).InFlight)
	}
	return n
}

// abortedCalls are the calls that the gateway broke off before their answer.
func (s *stage) abortedCalls() int {
	n := 0
	for _, name := range s.shop.Services() {
		n += int(s.shop.Stats(name).Aborted)
	}
	return n
}

// TestHangingService: a page waits for a service that hangs no longer than its
// command allows, and not at all once the circuit is open.
func TestHangingService(t *testing.T) {
	s := newStage(t, "")
	s.mustGet("p-1042")
	timeout := 300 * time.Millisecond
	own := s.pageAfter(timeout)
	s.fault("inventory", "hang")
	opened, late := 0, time.Duration(0) // how much later than asked this machine has woken a goroutine
	for i := range 30 {
		lag := openloop.WatchLateness()
		began := time.Now()
		r, body := s.mustGet("p-1042")
		took := time.Since(began)
		late = max(late, lag().Most)
		if r.StatusCode != http.StatusOK || !strings.Contains(r.Header.Get("Facet-Parts"), "inventory=missing;reason=") {
			t.Fatalf("page %d: %d %q", i, r.StatusCode, r.Header.Get("Facet-Parts"))
		}
		if !json.Valid([]byte(body)) || !strings.Contains(body, `"availability":"unknown"`) {
			t.Fatalf("page %d: %s", i, body)
		}
		if took > timeout+50*time.Millisecond+min(own+late, 100*time.Millisecond) {
			t.Errorf("page %d took %v; a whole one %v, on a machine that is up to %v late", i, took, own, late)
		}
		if strings.HasSuffix(r.Header.Get("Facet-Parts"), "reason=open") && opened == 0 {
			opened = i
		}
	}
	if opened == 0 || opened > 20 {
		t.Errorf("the circuit opened after %d consecutive faults, want at most 20", opened)
	}
}

// pageAfter returns how long a page takes at most that nothing holds up, but that finds
// a machine which had nothing to do for a while.
func (s *stage) pageAfter(idle time.Duration) (most time.Duration) {
	s.t.Helper()
	for range 5 {
		<-time.After(idle)
		began := time.Now()
		s.mustGet("p-1042")
		most = max(most, time.Since(began))
	}
	return most
}

// TestCatalogGone: the one part that a page cannot do without.
func TestCatalogGone(t *testing.T) {
	s := newStage(t, "")
	_, seen := s.mustGet("p-1042")
	s.fault("catalog", "down")
	r, body := s.mustGet("p-1042")
	if parts := r.Header.Get("Facet-Parts"); r.StatusCode != http.StatusOK || !strings.HasPrefix(parts, "catalog=stale;age=0;reason=error") {
		t.Errorf("a page seen before: %d %q", r.StatusCode, parts)
	}
	if body != seen {
		t.Errorf("the stale page differs:\n%s\n%s", body, seen)
	}
	r, body = s.mustGet("p-1043")
	if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("a page never seen: %d %s", r.StatusCode, body)
	}
	if r.Header.Get("Retry-After") == "" {
		t.Error("a 503 without Retry-After")
	}
	s.fault("catalog", "none")
	if r, _ = s.mustGet("p-9999"); r.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown product: %d", r.StatusCode)
	}
}

// TestRubbishNeverMakesAnInvalidPage breaks every service in every way that a
// body can be broken: each answer is a valid page or a typed problem.
func TestRubbishNeverMakesAnInvalidPage(t *testing.T) {
	s := newStage(t, "")
	for _, spec := range []string{
		"reset", "truncated", "garbage", "wrongtype", "deep", "oversize", "huge", "bomb", "status=500", "status=429", "down", "error=0.5",
	} {
		for _, service := range []string{"catalog", "cart", "orders", "reviews", "inventory", "shipping", "recommendations"} {
			s.fault(service, spec)
			r, body := s.mustGet(fmt.Sprintf("p-%d", 1001+rand.IntN(300)))
			if !json.Valid([]byte(body)) {
				t.Errorf("%s %s: not JSON: %s", service, spec, body)
			}
			switch typ := r.Header.Get("Content-Type"); {
			case r.StatusCode == http.StatusOK && typ == "application/json":
			case (r.StatusCode == 502 || r.StatusCode == 503) && service == "catalog" && typ == "application/problem+json":
			default:
				t.Errorf("%s %s: %d %s", service, spec, r.StatusCode, body)
			}
			s.fault(service, "none")
		}
	}
}
