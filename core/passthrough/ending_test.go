package passthrough_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/passthrough"
)

// TestStreams passes bodies of unknown length both ways while they come.
func TestStreams(t *testing.T) {
	s := serving(t, func(_ *service, conn net.Conn, in *bufio.Reader) {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		var piece [4]byte
		for {
			if _, err := io.ReadFull(r.Body, piece[:]); err != nil {
				break
			}
			_, _ = fmt.Fprintf(conn, "4\r\n%s\r\n", piece)
		}
		_, _ = io.WriteString(conn, "0\r\n\r\n")
	})
	f := newFront(t, s, nil)
	conn := f.dial(t)
	in := bufio.NewReader(conn)
	_, _ = io.WriteString(conn, "POST /api/carts/7 HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n")
	r, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close() //nolint:errcheck // of a test
	for _, next := range []string{"efgh", "ijkl", ""} {
		var piece [4]byte
		if _, err := io.ReadFull(r.Body, piece[:]); err != nil {
			t.Fatal(err)
		}
		if next == "" {
			_, _ = io.WriteString(conn, "0\r\n\r\n")
			break
		}
		_, _ = io.WriteString(conn, "4\r\n"+next+"\r\n")
	}
	if rest, err := io.ReadAll(r.Body); err != nil || len(rest) != 0 {
		t.Errorf("%q %v", rest, err)
	}
	if o := f.outcome(t); o.err != nil {
		t.Error(o.err)
	}
}

func TestTimeouts(t *testing.T) {
	hang := func(s *service, _ net.Conn, in *bufio.Reader) {
		if _, err := s.read(in); err == nil {
			_, _ = in.ReadByte() // until the connection ends
		}
	}
	brief := func(_ *passthrough.Rules, limits *command.Policy) { limits.Timeout = 200 * time.Millisecond }
	const get, post = "GET /api/carts/7 HTTP/1.1\r\nHost: g\r\n", "POST /api/carts/7 HTTP/1.1\r\nHost: g\r\n"
	for _, tc := range []struct {
		name, request string
		status        int
		code          fault.Code
		outcome       string
	}{
		{"a hung service", get + "\r\n", 504, fault.Timeout, "timeout"},
		{"a hung service, after a body", post + "Content-Length: 3\r\n\r\nabc", 504, fault.Timeout, "timeout"},
		{"a slow upload", post + "Content-Length: 9\r\n\r\nabc", 400, fault.Invalid, "caller_fault"},
		{"a slow upload in chunks", post + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n", 400, fault.Invalid, "caller_fault"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := newFront(t, serving(t, hang), brief)
			began := time.Now()
			r, body := f.send(t, tc.request)
			if r.StatusCode != tc.status {
				t.Errorf("%d %q", r.StatusCode, body)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
			if o := f.outcome(t); fault.CodeOf(o.err) != tc.code || o.begun {
				t.Errorf("%+v", o)
			}
			if got := f.guard.Stats(); got.Outcomes[tc.outcome] != 1 || got.InFlight != 0 {
				t.Errorf("%+v, want one %s", got, tc.outcome)
			}
		})
	}
}

// TestAnswerThatHangs breaks off an answer whose rest does not come.
func TestAnswerThatHangs(t *testing.T) {
	s := serving(t, func(s *service, conn net.Conn, in *bufio.Reader) {
		if _, err := s.read(in); err == nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
			_, _ = in.ReadByte()
		}
	})
	f := newFront(t, s, func(_ *passthrough.Rules, limits *command.Policy) { limits.Timeout = 200 * time.Millisecond })
	r, body := f.send(t, "GET /api/carts/7 HTTP/1.1\r\nHost: g\r\n\r\n")
	if r.StatusCode != 200 || !strings.HasPrefix(body, "abc; broken off") {
		t.Errorf("%d %q", r.StatusCode, body)
	}
	if o := f.outcome(t); !o.begun || fault.CodeOf(o.err) != fault.Timeout {
		t.Errorf("%+v", o)
	}
}

// TestSlowReader does not hold a client against the service that takes no answer.
func TestSlowReader(t *testing.T) {
	s := serving(t, func(s *service, conn net.Conn, in *bufio.Reader) {
		if _, err := s.read(in); err == nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
			for piece := make([]byte, 64<<10); ; {
				if _, err := conn.Write(piece); err != nil {
					return
				}
			}
		}
	})
	f := newFront(t, s, func(how *passthrough.Rules, limits *command.Policy) {
		how.MaxAnswer, limits.Timeout = 1<<30, 300*time.Millisecond
	})
	conn := f.dial(t)
	_, _ = io.WriteString(conn, "GET /api/carts/7 HTTP/1.1\r\nHost: g\r\n\r\n")
	waitUntil(t, "the service is asked", func() bool { return len(s.seen()) == 1 })
	if o := f.outcome(t); !o.begun || o.err == nil {
		t.Errorf("%+v", o)
	}
	if got := f.guard.Stats().Outcomes; got["caller_fault"] != 1 {
		t.Errorf("%v", got)
	}
}

// TestClientThatLeaves ends the call with its client.
func TestClientThatLeaves(t *testing.T) {
	for _, request := range []string{
		"GET /api/carts/7 HTTP/1.1\r\nHost: g\r\n\r\n",
		"POST /api/carts/7 HTTP/1.1\r\nHost: g\r\nContent-Length: 3\r\n\r\nabc",
		"POST /api/carts/7 HTTP/1.1\r\nHost: g\r\nContent-Length: 9\r\n\r\nabc",
	} {
		t.Run(request[:4], func(t *testing.T) {
			asked, ended := make(chan struct{}), make(chan struct{})
			s := serving(t, func(_ *service, _ net.Conn, in *bufio.Reader) {
				if _, err := http.ReadRequest(in); err != nil {
					return
				}
				close(asked)
				_, _ = io.Copy(io.Discard, in) // until the connection ends
				close(ended)
			})
			f := newFront(t, s, nil)
			conn := f.dial(t)
			_, _ = io.WriteString(conn, request)
			<-asked
			_ = conn.Close()
			began := time.Now()
			<-ended
			if o := f.outcome(t); fault.CodeOf(o.err) != fault.Canceled {
				t.Errorf("%+v", o)
			}
			if took := time.Since(began); took > 4*time.Second { // and not by the time limit
				t.Errorf("took %v", took)
			}
			if got := f.guard.Stats(); got.Outcomes["failure"]+got.Outcomes["timeout"] != 0 || got.InFlight != 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestBulkheadAndCircuit(t *testing.T) {
	gate := make(chan struct{})
	s := serving(t, func(s *service, conn net.Conn, in *bufio.Reader) {
		if _, err := s.read(in); err == nil {
			<-gate
			_, _ = io.WriteString(conn, "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		}
	})
	f := newFront(t, s, func(_ *passthrough.Rules, limits *command.Policy) {
		limits.MaxConcurrent, limits.Circuit.Consecutive = 1, 2
	})
	const post = "POST /api/carts/7 HTTP/1.1\r\nHost: g\r\nContent-Length: 1\r\n\r\na"
	conn := f.dial(t)
	_, _ = io.WriteString(conn, post)
	waitUntil(t, "the first is in progress", func() bool { return len(s.seen()) == 1 })
	if r, body := f.send(t, post); r.StatusCode != 503 || !strings.Contains(body, "full") {
		t.Errorf("%d %q", r.StatusCode, body)
	}
	close(gate)
	_ = f.outcome(t)
	_ = f.outcome(t)
	if r, _ := f.send(t, post); r.StatusCode != 500 {
		t.Error(r.StatusCode)
	}
	asked := len(s.seen())
	if r, body := f.send(t, post); r.StatusCode != 503 || !strings.Contains(body, "open") {
		t.Errorf("%d %q", r.StatusCode, body)
	}
	if got := len(s.seen()); got != asked {
		t.Errorf("%d requests with an open circuit", got-asked)
	}
}

func TestServiceThatIsNotThere(t *testing.T) {
	s := answering(t, okAnswer)
	gone := &service{address: s.address, told: make(chan balance.Outcome, 10)}
	var config net.ListenConfig
	ln, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.address = ln.Addr().String()
	_ = ln.Close()
	f := newFront(t, gone, nil)
	r, body := f.send(t, "POST /api/carts/7 HTTP/1.1\r\nHost: g\r\nContent-Length: 1\r\n\r\na")
	if r.StatusCode != 503 || !strings.Contains(body, "refused") {
		t.Errorf("%d %q", r.StatusCode, body)
	}
}

// TestConnectionsAreKept: one for what changes nothing, one each for the rest; and the
// client's stays after a body that came whole.
func TestConnectionsAreKept(t *testing.T) {
	var mu sync.Mutex
	conns := make(map[net.Conn]int)
	s := serving(t, func(s *service, conn net.Conn, in *bufio.Reader) {
		for {
			r, err := s.read(in)
			if err != nil {
				return
			}
			mu.Lock()
			conns[conn]++
			mu.Unlock()
			if _, _ = io.WriteString(conn, okAnswer); r.Close {
				return
			}
		}
	})
	f := newFront(t, s, nil)
	conn := f.dial(t)
	in := bufio.NewReader(conn)
	for range 3 {
		for _, request := range []string{
			"GET /api/carts/7 HTTP/1.1\r\nHost: g\r\n\r\n", "POST /api/carts/7 HTTP/1.1\r\nHost: g\r\nContent-Length: 1\r\n\r\na",
		} {
			_, _ = io.WriteString(conn, request)
			r, err := http.ReadResponse(in, nil)
			if err != nil || r.StatusCode != 200 || r.Close {
				t.Fatalf("%v %v", r, err)
			}
			_, _ = io.Copy(io.Discard, r.Body)
			_ = r.Body.Close()
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(conns) != 4 {
		t.Errorf("%d connections for 3 GET and 3 POST", len(conns))
	}
}

// TestMemoryIsBounded passes 64 MiB each way, and keeps none of it.
func TestMemoryIsBounded(t *testing.T) {
	const size = 64 << 20
	s := serving(t, func(_ *service, conn net.Conn, in *bufio.Reader) {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", size)
		_, _ = io.Copy(conn, r.Body)
	})
	f := newFront(t, s, func(how *passthrough.Rules, limits *command.Policy) {
		how.MaxBody, how.MaxAnswer, limits.Timeout = size, size, time.Minute
	})
	conn := f.dial(t)
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var sender sync.WaitGroup
	sender.Go(func() {
		fmt.Fprintf(conn, "POST /api/carts/7 HTTP/1.1\r\nHost: g\r\nContent-Length: %d\r\n\r\n", size)
		_, _ = io.Copy(conn, io.LimitReader(zeros{}, size))
	})
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, r.Body)
	sender.Wait()
	runtime.ReadMemStats(&after)
	if n != size || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	if o := f.outcome(t); o.err != nil {
		t.Error(o.err)
	}
	if made := after.TotalAlloc - before.TotalAlloc; made > 4<<20 {
		t.Errorf("%d bytes were allocated for %d that passed", made, n)
	}
}

// zeros is a body without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
