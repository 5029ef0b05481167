package http_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	nethttp "net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// counted serves connections with handle, which gets the number of the
// connection, from 1; requests counts what readRequest has read.
type counted struct {
	address               string
	conns, requests, ends atomic.Int64
}

func countedServer(t *testing.T, handle func(s *counted, n int, conn net.Conn, in *bufio.Reader)) *counted {
	t.Helper()
	s := &counted{}
	s.address = serve(t, func(conn net.Conn) {
		defer s.ends.Add(1)
		defer func() { _ = conn.Close() }() // before it counts as ended
		handle(s, int(s.conns.Add(1)), conn, bufio.NewReader(conn))
	})
	return s
}

func (s *counted) readRequest(in *bufio.Reader) bool {
	r, err := nethttp.ReadRequest(in)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, r.Body)
	s.requests.Add(1)
	return err == nil
}

func (s *counted) answer(conn net.Conn, raw string) bool {
	_, err := io.WriteString(conn, raw)
	return err == nil
}

func get(ctx context.Context, client *http.Client) error {
	_, err := http.GetJSON[product](ctx, client, "/p")
	return err
}

func post(ctx context.Context, client *http.Client) error {
	_, err := http.PostForm[product](ctx, client, "/p", url.Values{"token": {"t"}})
	return err
}

func TestConnectionsAreKept(t *testing.T) {
	cases := []struct {
		name, raw string
		conns     int64 // of 10 calls, one after the other
	}{
		{"a length", okJSON(`{"id":"a"}`), 1},
		{"chunks", chunked(`{"id":"a"}`, 2), 1},
		{"404", status("404 Not Found"), 1},
		{"500", status("500 Oops"), 1},
		{"302", status("302 Found"), 1},
		{"204", "HTTP/1.1 204 No Content\r\n\r\n", 1},
		{"304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 1},
		{"another type", typed("text/html"), 1},
		{"undecodable", okJSON("<html>"), 1},
		{"HTTP/1.0, kept", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", 1},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", 10},
		{"closing", okJSON(`{"id":"a"}`, "Connection: close"), 10},
		{"oversized", okJSON(padded(200)), 10},
		{"chunked, oversized", chunked(padded(200), 50), 10},
		{"a body that is not all here", "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nab", 10},
		{"bytes after the answer", okJSON(`{"id":"a"}`) + okJSON(`{"id":"evil"}`), 10},
		{"malformed", "HTTP/1.1 xxx\r\n\r\n", 10},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := countedServer(t, func(s *counted, _ int, conn net.Conn, in *bufio.Reader) {
				for s.readRequest(in) && s.answer(conn, c.raw) {
				}
			})
			client := newClient(t, http.Options{Instances: []string{"http://" + s.address}, MaxBody: 100})
			ctx, call := withCall(t.Context())
			for range 10 {
				_ = get(ctx, client) // what it answers is another test's
			}
			if s.conns.Load() != c.conns || s.requests.Load() != 10 || call.Attempts != 10 {
				t.Errorf("%d connections, %d requests, %d attempts", s.conns.Load(), s.requests.Load(), call.Attempts)
			}
			soon(t, "every connection but a kept one is closed", func() bool { return s.ends.Load() >= c.conns-1 })
		})
	}
}

func TestStaleConnections(t *testing.T) {
	answerOnce := func(s *counted, _ int, conn net.Conn, in *bufio.Reader) {
		_ = s.readRequest(in) && s.answer(conn, okJSON(`{"id":"a"}`))
	}
	diesLater := func(s *counted, n int, conn net.Conn, in *bufio.Reader) {
		if n == 1 && s.readRequest(in) && s.answer(conn, okJSON(`{"id":"a"}`)) {
			_ = s.readRequest(in)
			return
		}
		_ = s.readRequest(in)
	}
	diesInHeader := func(s *counted, _ int, conn net.Conn, in *bufio.Reader) {
		_ = s.readRequest(in) && s.answer(conn, okJSON(`{"id":"a"}`)) && s.readRequest(in) && s.answer(conn, "H")
	}
	straysLater := func(s *counted, _ int, conn net.Conn, in *bufio.Reader) {
		_ = s.readRequest(in) && s.answer(conn, okJSON(`{"id":"a"}`))
		s.ends.Add(1)
		_ = s.answer(conn, okJSON(`{"id":"evil"}`))
		s.ends.Add(1)
		_ = s.readRequest(in)
	}
	closesHalf := func(s *counted, _ int, conn net.Conn, in *bufio.Reader) {
		_ = s.readRequest(in) && s.answer(conn, okJSON(`{"id":"a"}`))
		_ = conn.(*net.TCPConn).CloseWrite()
		s.ends.Add(1)
		_ = s.readRequest(in)
	}
	cases := []struct {
		name     string
		handle   func(*counted, int, net.Conn, *bufio.Reader)
		first    int64 // ends before the second call
		do       func(context.Context, *http.Client) error
		code     fault.Code // of the second call
		attempts int        // of the second call
		requests int64      // the server has read in all
		conns    int64      // it has had
	}{
		{"closed: seen before a request is sent", answerOnce, 1, get, fault.OK, 1, 2, 2},
		{"closed: seen before a form is sent", answerOnce, 1, post, fault.OK, 1, 2, 2},
		{"half closed: seen before a request is sent", closesHalf, 1, get, fault.OK, 1, 2, 2},
		{"the server dies silently: two sends, not five", diesLater, 0, get, fault.Unavailable, 2, 3, 2},
		{"the server dies silently: one form", diesLater, 0, post, fault.Unavailable, 1, 2, 1},
		{"a byte was read: no resend", diesInHeader, 0, get, fault.Unavailable, 1, 2, 1},
		{"an answer that nobody asked for, then a request", straysLater, 2, get, fault.OK, 1, 2, 2},
		{"an answer that nobody asked for, then a form", straysLater, 2, post, fault.OK, 1, 2, 2},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := countedServer(t, c.handle)
			client := newClient(t, http.Options{Instances: []string{"http://" + s.address}})
			if err := get(t.Context(), client); err != nil {
				t.Fatal(err)
			}
			soon(t, "the server did its part", func() bool { return s.ends.Load() >= c.first })
			ctx, call := withCall(t.Context())
			err := c.do(ctx, client)
			if fault.CodeOf(err) != c.code || call.Attempts != c.attempts || s.requests.Load() != c.requests || s.conns.Load() != c.conns {
				t.Errorf("got %v after %d attempts, the server read %d requests on %d connections",
					err, call.Attempts, s.requests.Load(), s.conns.Load())
			}
		})
	}
}

// TestKeptConnectionEndsWithItsContext: a form that follows a request at once, and
// is never answered.
func TestKeptConnectionEndsWithItsContext(t *testing.T) {
	s := countedServer(t, func(s *counted, _ int, conn net.Conn, in *bufio.Reader) {
		_ = s.readRequest(in) && s.answer(conn, okJSON(`{"id":"a"}`)) && s.readRequest(in)
		_, _ = in.ReadByte() // until the client closes
	})
	client := newClient(t, http.Options{Instances: []string{"http://" + s.address}})
	for name, do := range map[string]func(context.Context, *http.Client) error{"request": get, "form": post} {
		if err := get(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		began := time.Now()
		err := do(ctx, client)
		cancel()
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > 2*time.Second {
			t.Errorf("a %s that hangs ended after %v: %v", name, took, err)
		}
	}
}

func TestANewConnectionIsNotTriedAgain(t *testing.T) {
	s := countedServer(t, func(s *counted, _ int, _ net.Conn, in *bufio.Reader) { s.readRequest(in) })
	client := newClient(t, http.Options{Instances: []string{"http://" + s.address}})
	ctx, call := withCall(t.Context())
	if err := get(ctx, client); fault.CodeOf(err) != fault.Unavailable || call.Attempts != 1 || s.requests.Load() != 1 {
		t.Errorf("got %v after %d attempts", err, call.Attempts)
	}
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	s := countedServer(t, func(s *counted, _ int, conn net.Conn, in *bufio.Reader) {
		for s.readRequest(in) && s.answer(conn, okJSON(`{"id":"a"}`)) {
		}
	})
	client := newClient(t, http.Options{Instances: []string{"http://" + s.address}, IdleTimeout: 20 * time.Millisecond})
	for n := range int64(3) {
		if err := get(t.Context(), client); err != nil {
			t.Fatal(err)
		}
		soon(t, "the idle connection is closed", func() bool { return s.ends.Load() == n+1 })
	}
}

func TestClose(t *testing.T) {
	inside, goOn := make(chan struct{}), make(chan struct{})
	s := countedServer(t, func(s *counted, n int, conn net.Conn, in *bufio.Reader) {
		for s.readRequest(in) {
			if n == 2 {
				inside <- struct{}{}
				<-goOn
			}
			if !s.answer(conn, okJSON(`{"id":"a"}`)) {
				return
			}
		}
	})
	client := newClient(t, http.Options{Instances: []string{"http://" + s.address}})
	results := make(chan error, 2)
	// Two connections: one idle, one in use.
	if err := get(t.Context(), client); err != nil {
		t.Fatal(err)
	}
	second := newClient(t, http.Options{Instances: []string{"http://" + s.address}})
	go func() { results <- get(t.Context(), second) }()
	<-inside
	client.Close()
	second.Close()
	second.Close()
	soon(t, "the idle connection is closed", func() bool { return s.ends.Load() == 1 })
	close(goOn)
	if err := <-results; err != nil {
		t.Errorf("a call in flight did not survive: %v", err)
	}
	soon(t, "the other connection is closed", func() bool { return s.ends.Load() == 2 })
	if err := get(t.Context(), client); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("a closed client answers %v", err)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	inside, goOn := make(chan struct{}), make(chan struct{})
	s := countedServer(t, func(s *counted, _ int, conn net.Conn, in *bufio.Reader) {
		for s.readRequest(in) {
			inside <- struct{}{}
			<-goOn
			if !s.answer(conn, okJSON(`{"id":"a"}`)) {
				return
			}
		}
	})
	client := newClient(t, http.Options{Instances: []string{"http://" + s.address}, MaxConns: 2})
	results := make(chan error, 2)
	for range 2 {
		go func() { results <- get(t.Context(), client) }()
		<-inside
	}
	if err := get(t.Context(), client); fault.CodeOf(err) != fault.Unavailable || s.conns.Load() != 2 {
		t.Errorf("the third of two connections: %v, %d connections", err, s.conns.Load())
	}
	close(goOn)
	for range 2 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

func TestBackendsOfTheStandardLibrary(t *testing.T) {
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	left := make(chan struct{}, 1)
	mux := nethttp.NewServeMux()
	mux.HandleFunc("GET /products/{id}", func(w nethttp.ResponseWriter, r *nethttp.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id":"`+r.PathValue("id")+`"}`) //nolint:gosec // a client that left is seen below
	})
	mux.HandleFunc("GET /hang", func(_ nethttp.ResponseWriter, r *nethttp.Request) {
		<-r.Context().Done()
		left <- struct{}{}
	})
	server := &nethttp.Server{Handler: mux, ReadHeaderTimeout: time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	defer func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; !errors.Is(err, nethttp.ErrServerClosed) {
			t.Error(err)
		}
	}()
	client := newClient(t, http.Options{Instances: []string{"http://" + listener.Addr().String()}})
	for range 3 {
		got, err := http.GetJSON[product](t.Context(), client, http.Path("/products/", "p-1").String())
		if err != nil || got.ID != "p-1" {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	if _, err := http.GetJSON[product](t.Context(), client, "/none"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(report.WithCall(t.Context(), nil), 30*time.Millisecond)
	defer cancel()
	if _, err := http.GetJSON[product](ctx, client, "/hang"); fault.CodeOf(err) != fault.Timeout {
		t.Errorf("got %v", err)
	}
	<-left
}

// A request that does not fit into the socket's buffers goes on where the first
// write stopped, and arrives whole.
func TestLargeRequestArrivesWhole(t *testing.T) {
	token := strings.Repeat("0123456789abcdef", 1<<18) // 4 MiB
	got := make(chan string, 1)
	s := countedServer(t, func(s *counted, _ int, conn net.Conn, in *bufio.Reader) {
		r, err := nethttp.ReadRequest(in)
		if err != nil {
			return
		}
		body, _ := io.ReadAll(r.Body)
		got <- string(body)
		s.answer(conn, okJSON(`{"id":"a"}`))
	})
	client := newClient(t, http.Options{Service: "auth", Instances: []string{"http://" + s.address}})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := http.PostForm[product](ctx, client, "/p", url.Values{"token": {token}}); err != nil {
		t.Fatal(err)
	}
	if body := <-got; body != "token="+token {
		t.Errorf("%d bytes arrived, of %d", len(body), len(token)+len("token="))
	}
}
