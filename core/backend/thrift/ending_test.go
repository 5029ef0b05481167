package thrift_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

const (
	late    = 50 * time.Millisecond // how long after its context a call may end
	tries   = 10                    // until it does: the machine may be busy with something else
	tooSoon = time.Hour             // the call ended before it got to its stage
)

var errOwn = errors.New("the test's own reason")

// stage is how far a server lets a call come.
type stage struct {
	name, words string
	handle      func(conn net.Conn, reached func(), ended <-chan struct{})
}

func stages() []stage {
	wait := func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) } // until the client closes
	drip := func(conn net.Conn, head string) {
		_, _ = io.WriteString(conn, head)
		ticks := time.NewTicker(time.Millisecond)
		defer ticks.Stop()
		for range ticks.C {
			if _, err := io.WriteString(conn, "x"); err != nil {
				return
			}
		}
	}
	read := func(conn net.Conn) bool {
		_, ok := readCall(bufio.NewReader(conn))
		return ok
	}
	return []stage{
		{"waiting", "a", func(conn net.Conn, reached func(), _ <-chan struct{}) {
			if read(conn) {
				reached()
				wait(conn)
			}
		}},
		{"in a size", "a", func(conn net.Conn, reached func(), _ <-chan struct{}) {
			if read(conn) {
				_, _ = io.WriteString(conn, "\x00")
				reached()
				wait(conn)
			}
		}},
		{"in a frame", "a", func(conn net.Conn, reached func(), _ <-chan struct{}) {
			if read(conn) {
				reached()
				drip(conn, "\x00\x0f\x00\x00")
			}
		}},
		{"writing", strings.Repeat("x", 8<<20), func(conn net.Conn, reached func(), ended <-chan struct{}) {
			_, _ = conn.Read(make([]byte, 1)) // the rest does not fit the buffers between
			reached()
			<-ended
			wait(conn)
		}},
	}
}

// run makes a call, ends its context once the stage is reached, and returns how late the
// call ended.
func (s stage) run(t *testing.T, begin func() (context.Context, func())) (time.Duration, error) {
	t.Helper()
	reached, ended, left := make(chan struct{}, 1), make(chan struct{}), make(chan struct{}, 1)
	address := accept(t, func(conn net.Conn) {
		s.handle(conn, func() { reached <- struct{}{} }, ended)
		left <- struct{}{}
	})
	client := clientOf(t, address)
	ctx, end := begin()
	result := make(chan error, 1)
	go func() {
		_, err := say(ctx, client, s.words)
		result <- err
	}()
	select {
	case <-reached:
	case err := <-result:
		close(ended)
		return tooSoon, err
	}
	end()
	<-ctx.Done()
	over := time.Now()
	err := <-result
	took := time.Since(over)
	close(ended)
	select {
	case <-left: // the server knows that it is over
	case <-time.After(5 * time.Second):
		t.Error("the server still has its call")
	}
	return took, err
}

// best runs the stage until it ends in time.
func (s stage) best(t *testing.T, want error, begin func() (context.Context, func())) {
	t.Helper()
	var took time.Duration
	for range tries {
		var err error
		took, err = s.run(t, begin)
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
		t.Run(s.name, func(t *testing.T) {
			s.best(t, context.Canceled, func() (context.Context, func()) {
				ctx, cancel := context.WithCancelCause(t.Context())
				return ctx, func() { time.AfterFunc(20*time.Millisecond, func() { cancel(errOwn) }) }
			})
		})
	}
}

func TestDeadlineEndsACall(t *testing.T) {
	for _, s := range stages() {
		t.Run(s.name, func(t *testing.T) {
			s.best(t, context.DeadlineExceeded, func() (context.Context, func()) {
				ctx, cancel := context.WithTimeoutCause(t.Context(), 400*time.Millisecond, errOwn)
				t.Cleanup(cancel)
				return ctx, func() {}
			})
		})
	}
}

func TestEndedBeforeItBegan(t *testing.T) {
	s := replies(t, echo)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errOwn)
	ctx, call := withCall(ctx)
	_, err := say(ctx, clientOf(t, s.address), "a")
	if !errors.Is(err, errOwn) || fault.CodeOf(err) != fault.Canceled || call.Attempts != 0 || s.conns.Load() != 0 {
		t.Errorf("got %v after %d attempts", err, call.Attempts)
	}
}

// The cause's own code and reason win over the plain ones of the context.
func TestTheCauseSaysWhatAnEndMeans(t *testing.T) {
	budget := fault.Because(fault.ReasonBudget, errOwn)
	address := accept(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, budget)
	defer cancel()
	if _, err := say(ctx, clientOf(t, address), "a"); !errors.Is(err, budget) || fault.ReasonOf(err) != fault.ReasonBudget {
		t.Errorf("got %v", err)
	}
}

// TestAKeptConnectionEndsWithItsContext, and is not used again.
func TestAKeptConnectionEndsWithItsContext(t *testing.T) {
	s := replies(t, func(n int, a asked) (string, bool) {
		if n == 2 {
			return "", true // and never
		}
		return a.answer(a.words), true
	})
	client := clientOf(t, s.address)
	for i, c := range []struct {
		within time.Duration
		want   fault.Code
	}{{10 * time.Second, fault.OK}, {200 * time.Millisecond, fault.Timeout}, {10 * time.Second, fault.OK}} {
		ctx, cancel := context.WithTimeout(t.Context(), c.within)
		if _, err := say(ctx, client, "a"); fault.CodeOf(err) != c.want {
			t.Errorf("call %d: %v", i, err)
		}
		cancel()
	}
	if s.conns.Load() != 2 {
		t.Errorf("%d connections", s.conns.Load())
	}
}
