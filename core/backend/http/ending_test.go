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
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/fault"
)

const (
	late    = 50 * time.Millisecond // how long after its context a call may end
	tries   = 10                    // until it does: the machine may be busy with something else
	tooSoon = time.Hour             // the call ended before it got to its stage
)

var errOwn = errors.New("the test's own reason")

// stage is a server that lets a call come so far and no further.
type stage struct {
	name   string
	post   bool
	handle func(conn net.Conn, reached func(), ended <-chan struct{})
}

// stages each end when the client closes its connection.
func stages() []stage {
	readRequest := func(conn net.Conn) bool {
		_, err := nethttp.ReadRequest(bufio.NewReader(conn))
		return err == nil
	}
	drip := func(conn net.Conn, reached func()) {
		reached()
		ticks := time.NewTicker(time.Millisecond)
		defer ticks.Stop()
		for range ticks.C {
			if _, err := io.WriteString(conn, "x"); err != nil {
				return
			}
		}
	}
	return []stage{
		{"waiting", false, func(conn net.Conn, reached func(), _ <-chan struct{}) {
			if readRequest(conn) {
				reached()
				_, _ = io.Copy(io.Discard, conn) // ends with the connection
			}
		}},
		{"in a header", false, func(conn net.Conn, reached func(), _ <-chan struct{}) {
			if readRequest(conn) {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nX-Long: ") // the drip sees the error
				drip(conn, reached)
			}
		}},
		{"in a body", false, func(conn net.Conn, reached func(), _ <-chan struct{}) {
			if readRequest(conn) {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n{\"id\":\"")
				drip(conn, reached)
			}
		}},
		{"in a chunk", false, func(conn net.Conn, reached func(), _ <-chan struct{}) {
			if readRequest(conn) {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"+
					"Transfer-Encoding: chunked\r\n\r\nfffff\r\n{\"id\":\"")
				drip(conn, reached)
			}
		}},
		{"writing", true, func(conn net.Conn, reached func(), ended <-chan struct{}) {
			_, _ = conn.Read(make([]byte, 1)) // the rest does not fit the buffers between
			reached()
			<-ended
			_, _ = io.Copy(io.Discard, conn) // ends with the connection
		}},
	}
}

// run starts a call against the stage's server, ends its context by end once
// the stage is reached, and returns the error and how late it came.
func (s stage) run(t *testing.T, end func(begin time.Time) (context.Context, func() time.Time)) (time.Duration, error) {
	t.Helper()
	reached, ended, closed := make(chan struct{}, 1), make(chan struct{}), make(chan struct{}, 1)
	endOnce := sync.OnceFunc(func() { close(ended) })
	address := serve(t, func(conn net.Conn) {
		s.handle(conn, func() { reached <- struct{}{} }, ended)
		closed <- struct{}{}
	})
	t.Cleanup(endOnce)
	client := newClient(t, http.Options{Instances: []string{"http://" + address}})
	form := url.Values{"token": {strings.Repeat("x", 4<<20)}}
	ctx, wait := end(time.Now())
	result := make(chan error, 1)
	go func() {
		var err error
		if s.post {
			_, err = http.PostForm[product](ctx, client, "/p", form)
		} else {
			_, err = http.GetJSON[product](ctx, client, "/p")
		}
		result <- err
	}()
	select {
	case <-reached:
	case err := <-result:
		return tooSoon, err
	}
	over := wait()
	err := <-result
	took := time.Since(over)
	endOnce()
	select {
	case <-closed:
	case <-time.After(5 * time.Second):
		t.Error("the server still has its connection")
	}
	return took, err
}

// best runs the stage until it ends in time.
func (s stage) best(t *testing.T, want error, end func(begin time.Time) (context.Context, func() time.Time)) {
	t.Helper()
	var took time.Duration
	for range tries {
		var err error
		took, err = s.run(t, end)
		if !errors.Is(err, errOwn) || !errors.Is(err, want) {
			t.Fatalf("got %v, want the cause and %v", err, want)
		}
		if took <= late {
			return
		}
	}
	t.Errorf("ended %v after its context", took)
}

func TestCancelEndsACall(t *testing.T) {
	for _, s := range stages() {
		for name, after := range map[string]time.Duration{"at once": 0, "later": 40 * time.Millisecond} {
			t.Run(s.name+" "+name, func(t *testing.T) {
				s.best(t, context.Canceled, func(time.Time) (context.Context, func() time.Time) {
					ctx, cancel := context.WithCancelCause(t.Context())
					return ctx, func() time.Time {
						timer := time.AfterFunc(after, func() { cancel(errOwn) })
						defer timer.Stop()
						<-ctx.Done()
						return time.Now()
					}
				})
			})
		}
	}
}

func TestDeadlineEndsACall(t *testing.T) {
	for _, s := range stages() {
		for _, after := range []time.Duration{60 * time.Millisecond, 150 * time.Millisecond} {
			t.Run(s.name, func(t *testing.T) {
				after := after
				if s.post {
					after *= 20 // a large form takes its time to encode
				}
				s.best(t, context.DeadlineExceeded, func(begin time.Time) (context.Context, func() time.Time) {
					deadline := begin.Add(after)
					ctx, cancel := context.WithDeadlineCause(t.Context(), deadline, errOwn)
					t.Cleanup(cancel)
					return ctx, func() time.Time {
						<-ctx.Done()
						return time.Now()
					}
				})
			})
		}
	}
}

func TestEndedBeforeItBegan(t *testing.T) {
	address := serve(t, func(net.Conn) { t.Error("a call was made") })
	client := newClient(t, http.Options{Instances: []string{"http://" + address}})
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errOwn)
	ctx, call := withCall(ctx)
	_, err := http.GetJSON[product](ctx, client, "/p")
	if !errors.Is(err, errOwn) || fault.CodeOf(err) != fault.Canceled || call.Attempts != 0 {
		t.Errorf("got %v after %d attempts", err, call.Attempts)
	}
}

// The cause's own code and reason win over the plain ones of the context.
func TestTheCauseSaysWhatAnEndMeans(t *testing.T) {
	budget := fault.Because(fault.ReasonBudget, errOwn)
	address := serve(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	client := newClient(t, http.Options{Instances: []string{"http://" + address}})
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, budget)
	defer cancel()
	_, err := http.GetJSON[product](ctx, client, "/p")
	if !errors.Is(err, budget) || fault.ReasonOf(err) != fault.ReasonBudget {
		t.Errorf("got %v", err)
	}
}

// Answers that come after the connection's first deadline, and drip in, are answers all the same.
func TestSlowAnswers(t *testing.T) {
	for _, pause := range []time.Duration{0, time.Millisecond, 20 * time.Millisecond} {
		address := serve(t, func(conn net.Conn) {
			in := bufio.NewReader(conn)
			for {
				if _, err := nethttp.ReadRequest(in); err != nil {
					return
				}
				for _, part := range strings.SplitAfter(okJSON(`{"id":"slow, slow, slow"}`), ",") {
					<-time.After(pause)
					if _, err := io.WriteString(conn, part); err != nil {
						return
					}
				}
			}
		})
		client := newClient(t, http.Options{Instances: []string{"http://" + address}})
		for range 3 {
			got, err := http.GetJSON[product](t.Context(), client, "/p")
			if err != nil || got.ID != "slow, slow, slow" {
				t.Errorf("pause %v: got %+v, %v", pause, got, err)
			}
		}
	}
}
