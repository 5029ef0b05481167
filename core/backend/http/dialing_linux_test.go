package http_test

import (
	"context"
	"errors"
	"net"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/fault"
)

// deaf listens, accepts nothing, and has its queue full: the next connection
// waits for ever.
func deaf(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Close(fd) })
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address := "127.0.0.1:" + strconv.Itoa(name.(*syscall.SockaddrInet4).Port)
	dialer := net.Dialer{Timeout: 300 * time.Millisecond}
	for range 16 {
		conn, err := dialer.DialContext(t.Context(), "tcp", address)
		if err != nil {
			return address
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	t.Fatal("the queue does not fill")
	return ""
}

func TestDialingEndsWithItsContext(t *testing.T) {
	address := deaf(t)
	client := newClient(t, http.Options{Instances: []string{"http://" + address}, DialTimeout: time.Minute})
	t.Run("cancelled", func(t *testing.T) {
		checkDial(t, client, context.Canceled, func(ctx context.Context) (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(ctx)
			timer := time.AfterFunc(30*time.Millisecond, func() { cancel(errOwn) })
			return ctx, func() { timer.Stop() }
		})
	})
	t.Run("at its deadline", func(t *testing.T) {
		checkDial(t, client, context.DeadlineExceeded, func(ctx context.Context) (context.Context, func()) {
			return context.WithTimeoutCause(ctx, 20*time.Millisecond, errOwn)
		})
	})
}

// checkDial dials often, since the timers of a dial and of its context race
// with each other: the cause must always be told, and once at least in time.
func checkDial(t *testing.T, client *http.Client, want error, end func(context.Context) (context.Context, func())) {
	t.Helper()
	best := time.Hour
	for range tries {
		ctx, cancel := end(t.Context())
		over := make(chan time.Time, 1)
		unwatch := context.AfterFunc(ctx, func() { over <- time.Now() })
		_, err := http.GetJSON[product](ctx, client, "/p")
		ended := time.Now()
		if !errors.Is(err, errOwn) || !errors.Is(err, want) {
			unwatch()
			t.Fatalf("got %v", err)
		}
		best = min(best, ended.Sub(<-over))
		cancel()
	}
	if best > late {
		t.Errorf("ended %v after its context", best)
	}
}

func TestDialTimeout(t *testing.T) {
	client := newClient(t, http.Options{Instances: []string{"http://" + deaf(t)}, DialTimeout: 20 * time.Millisecond})
	_, err := http.GetJSON[product](t.Context(), client, "/p")
	if fault.CodeOf(err) != fault.Unavailable || errors.Is(err, context.DeadlineExceeded) && t.Context().Err() != nil {
		t.Errorf("got %v", err)
	}
}
