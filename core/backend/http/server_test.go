package http_test

import (
	"bufio"
	"context"
	"io"
	"net"
	nethttp "net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/report"
)

// serve hands every connection to handle, on a goroutine of its own, until the
// test ends; then all connections are closed. It returns the address.
func serve(t testing.TB, handle func(net.Conn)) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &rawServer{open: make(map[net.Conn]bool)}
	s.running.Go(func() { s.accept(listener, handle) })
	t.Cleanup(func() {
		_ = listener.Close() // a test may have closed it before
		s.closeAll()
		s.running.Wait()
	})
	return listener.Addr().String()
}

type rawServer struct {
	running sync.WaitGroup
	ended   atomic.Bool

	mu   sync.Mutex
	open map[net.Conn]bool
}

func (s *rawServer) accept(listener net.Listener, handle func(net.Conn)) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.open[conn] = true
		if s.ended.Load() {
			_ = conn.Close() // accepted too late
		}
		s.mu.Unlock()
		s.running.Go(func() {
			defer s.forget(conn)
			handle(conn)
		})
	}
}

func (s *rawServer) forget(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
	_ = conn.Close() // a handler may have closed it before
}

func (s *rawServer) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended.Store(true)
	for conn := range s.open {
		_ = conn.Close() // its handler ends with it
	}
}

// replies serves connections whose n-th request, counted over all of them from
// 1, is answered with what reply returns; the connection ends if keep is false.
func replies(t testing.TB, reply func(n int, r *nethttp.Request) (raw string, keep bool)) string {
	t.Helper()
	var count atomic.Int64
	return serve(t, func(conn net.Conn) {
		in := bufio.NewReader(conn)
		for {
			r, err := nethttp.ReadRequest(in)
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, r.Body); err != nil {
				return
			}
			raw, keep := reply(int(count.Add(1)), r)
			if _, err := io.WriteString(conn, raw); err != nil || !keep {
				return
			}
		}
	})
}

// always serves raw to every request and then ends the connection.
func always(t testing.TB, raw string) string {
	t.Helper()
	return replies(t, func(int, *nethttp.Request) (string, bool) { return raw, false })
}

// okJSON is an answer with a body.
func okJSON(body string, headers ...string) string {
	head := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n"
	return head + strings.Join(append(headers, ""), "\r\n") + "\r\n" + body
}

// withCall returns a context that belongs to a call of a request, and the call.
func withCall(ctx context.Context) (context.Context, *report.Call) {
	call := report.New("req-7", report.NewTrace()).Begin("catalog.product")
	return report.WithCall(ctx, call), call
}

// soon polls until ok holds.
func soon(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("after 5s still not: %s", what)
		}
		runtime.Gosched()
	}
}
