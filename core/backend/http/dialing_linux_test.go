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
		ctx, cancel := context.WithCancelCause(t.Context())
		over := make(chan time.Time, 1)
		timer := time.AfterFunc(30*time.Millisecond, func() {
			over <- time.Now()
			cancel(errOwn)
		})
		defer timer.Stop()
		_, err := http.GetJSON[product](ctx, client, "/p")
		if took := time.Since(<-over); !errors.Is(err, errOwn) || took > late {
			t.Errorf("got %v after %v", err, took)
		}
	})
	t.Run("at its deadline", func(t *testing.T) {
		for range 20 { // the two timers of a dial race with each other
			deadline := time.Now().Add(20 * time.Millisecond)
			ctx, cancel := context.WithDeadlineCause(t.Context(), deadline, errOwn)
			_, err := http.GetJSON[product](ctx, client, "/p")
			if took := time.Since(deadline); !errors.Is(err, errOwn) || took > late {
				t.Errorf("got %v after %v", err, took)
			}
			cancel()
		}
	})
}

func TestDialTimeout(t *testing.T) {
	client := newClient(t, http.Options{Instances: []string{"http://" + deaf(t)}, DialTimeout: 20 * time.Millisecond})
	_, err := http.GetJSON[product](t.Context(), client, "/p")
	if fault.CodeOf(err) != fault.Unavailable || errors.Is(err, context.DeadlineExceeded) && t.Context().Err() != nil {
		t.Errorf("got %v", err)
	}
}
