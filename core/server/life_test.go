package server_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/server"
)

// serving has the server serve until stop is called, and tells how that ended.
func serving(t *testing.T, f *fixture) (ln net.Listener, stop context.CancelFunc, served <-chan error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Serve(ctx, ln) }()
	waitUntil(t, f.Ready)
	return ln, stop, ended
}

func TestDrain(t *testing.T) {
	f := newFixture(t, func(o *server.Options) {
		o.Budgets["extra"] = 300 * time.Millisecond
		o.Limits.DrainDelay = 50 * time.Millisecond
		o.Limits.ShutdownTimeout = 5 * time.Second
	})
	ln, stop, served := serving(t, f)

	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answered := make(chan string, 1)
	go func() {
		r, err := client.Get("http://" + ln.Addr().String() + "/extra?id=hang") //nolint:noctx // it ends with its budget
		if err != nil {
			answered <- err.Error()
			return
		}
		defer r.Body.Close() //nolint:errcheck // read to its end
		b, _ := io.ReadAll(r.Body)
		answered <- string(b)
	}()
	waitUntil(t, func() bool { _, live := f.backend.count(); return live == 1 })
	stop()
	waitUntil(t, func() bool { return !f.Ready() })
	if got := <-answered; got != `{"title":""}` {
		t.Errorf("the request in progress: %q", got)
	}
	if err := <-served; err != nil {
		t.Errorf("the stop was not clean: %v", err)
	}
	if _, err := client.Get("http://" + ln.Addr().String() + "/extra?id=a"); err == nil { //nolint:bodyclose,noctx // it fails
		t.Error("the port still answers")
	}
}

// TestDrainSendsClientsAway: each connection that is kept alive ends with an answer
// while the port still answers, and not under a request.
func TestDrainSendsClientsAway(t *testing.T) {
	f := newFixture(t, func(o *server.Options) { o.Limits.DrainDelay = time.Second })
	ln, stop, served := serving(t, f)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	ends := func() bool {
		r, err := client.Get("http://" + ln.Addr().String() + "/item?id=a") //nolint:noctx // it is answered
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close() //nolint:errcheck // read to its end
		_, _ = io.Copy(io.Discard, r.Body)
		return r.Close
	}
	if ends() {
		t.Error("a connection ends before the drain")
	}
	stop()
	waitUntil(t, func() bool { return !f.Ready() })
	for range 3 {
		if !ends() {
			t.Error("a connection outlives an answer of the drain")
		}
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestDrainGivesUp(t *testing.T) {
	f := newFixture(t, func(o *server.Options) {
		o.Budgets["extra"] = time.Minute
		o.Limits.ShutdownTimeout = 50 * time.Millisecond
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- f.Serve(ctx, ln) }()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		r, err := client.Get("http://" + ln.Addr().String() + "/extra?id=hang") //nolint:noctx // the server ends it
		if err == nil {
			_ = r.Body.Close()
		}
	}()
	waitUntil(t, func() bool { _, live := f.backend.count(); return live == 1 })
	stop()
	if err := <-served; err == nil {
		t.Error("a stop that cut a request short is called clean")
	}
	<-asked
	waitUntil(t, func() bool { _, live := f.backend.count(); return live == 0 })
}

// serve runs a server until the returned function stops it.
func serve(t *testing.T, f *fixture) (address string, stop func() error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- f.Serve(ctx, ln) }()
	waitUntil(t, f.Ready)
	return ln.Addr().String(), func() error { cancel(); return <-served }
}

// converse sends text on a connection of its own and reads the header of the
// answer; the connection stays open until the test ends.
func converse(t *testing.T, address, text string) *http.Response {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if text == "" {
		return nil
	}
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestDrainDoesNotWaitForSilence: net/http gives a connection on which nothing
// was ever sent 5 s.
func TestDrainDoesNotWaitForSilence(t *testing.T) {
	f := newFixture(t, func(o *server.Options) {
		o.Limits.ShutdownTimeout, o.Limits.ReadHeaderTimeout, o.Limits.IdleTimeout = time.Minute, time.Minute, time.Minute
	})
	address, stop := serve(t, f)
	for range 3 {
		converse(t, address, "")
	}
	r := converse(t, address, "GET /item?id=a HTTP/1.1\r\nHost: h\r\nX-Device-Type: tv\r\n\r\n") // accepted last
	if r.StatusCode != http.StatusOK {
		t.Fatalf("status %d", r.StatusCode)
	}
	began := time.Now()
	if err := stop(); err != nil {
		t.Errorf("the stop was not clean: %v", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("the stop took %v", took)
	}
}

// TestBodyThatDoesNotCome: a body means nothing, so no answer waits for it.
func TestBodyThatDoesNotCome(t *testing.T) {
	f := newFixture(t, func(o *server.Options) {
		o.Limits.ReadTimeout, o.Limits.ShutdownTimeout = time.Minute, time.Minute
	})
	address, stop := serve(t, f)
	for _, tc := range []struct {
		line, body string
		status     int
	}{
		{"GET /item?id=a", "Content-Length: 10", 200},
		{"GET /item?id=a", "Transfer-Encoding: chunked", 200},
		{"HEAD /item?id=a", "Content-Length: 10", 200},
		{"POST /item?id=a", "Content-Length: 10", 405},
		{"GET /nothing", "Content-Length: 10", 404},
		{"OPTIONS /item", "Content-Length: 10", 204},
		{"GET /item?id=a", "Expect: 100-continue\r\nContent-Length: 5", 200},
	} {
		began := time.Now()
		r := converse(t, address, fmt.Sprintf("%s HTTP/1.1\r\nHost: h\r\nX-Device-Type: tv\r\n%s\r\n\r\n", tc.line, tc.body))
		if took := time.Since(began); r.StatusCode != tc.status || !r.Close || took > 2*time.Second {
			t.Errorf("%s, %s: %d after %v, closing %v", tc.line, tc.body, r.StatusCode, took, r.Close)
		}
	}
	r := converse(t, address, "GET /item?id=a HTTP/1.1\r\nHost: h\r\nX-Device-Type: tv\r\nContent-Length: 0\r\n\r\n")
	if r.StatusCode != http.StatusOK || r.Close {
		t.Errorf("an empty body: %d, closing %v", r.StatusCode, r.Close)
	}
	began := time.Now()
	if err := stop(); err != nil || time.Since(began) > 5*time.Second {
		t.Errorf("the drain waited %v for bodies: %v", time.Since(began), err)
	}
}

// TestOldRequestsEndTheirConnections: of HTTP/1.0, nobody can tell where a request ends
// that has a transfer coding, and what follows must not pass for the next one.
func TestOldRequestsEndTheirConnections(t *testing.T) {
	f := newFixture(t, nil)
	address, stop := serve(t, f)
	const inner = "GET /item?id=smuggled HTTP/1.1\r\nHost: h\r\nX-Device-Type: tv\r\n\r\n"
	for _, head := range []string{"", "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n"} {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		_, err = fmt.Fprintf(c, "GET /item?id=a HTTP/1.0\r\nHost: h\r\nX-Device-Type: tv\r\nConnection: keep-alive\r\n%s\r\n", head)
		if strings.Contains(head, "Length") {
			_, err = fmt.Fprintf(c, "%x\r\n", len(inner))
		}
		if _, more := io.WriteString(c, inner); errors.Join(err, more) != nil {
			t.Fatal(err, more)
		}
		got, _ := io.ReadAll(c) // until it is closed; by a reset, if more was sent than was read
		if n := strings.Count(string(got), "HTTP/1."); n > 1 || strings.Contains(string(got), "keep-alive") {
			t.Errorf("%q: %d answers: %q", head, n, got)
		}
		_ = c.Close()
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestClientThatHalfCloses is taken for one that left: it gets no answer, rather
// than an empty one.
func TestClientThatHalfCloses(t *testing.T) {
	f := newFixture(t, func(o *server.Options) { o.Budgets["item"] = time.Minute })
	address, stop := serve(t, f)
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_, err = io.WriteString(c, "GET /item?id=hang HTTP/1.1\r\nHost: h\r\nX-Device-Type: tv\r\n\r\n")
	if err = errors.Join(err, c.(*net.TCPConn).CloseWrite()); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); len(got) != 0 {
		t.Errorf("%q, %v", got, err)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}
