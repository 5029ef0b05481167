package amqp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/backend/amqp"
	"github.com/facet-gateway/facet/core/backend/amqp/amqptest"
	"github.com/facet-gateway/facet/core/fault"
)

// load is callers that ask an echo, each for a thing of its own, until it is stopped.
type load struct {
	good, bad atomic.Int64
	running   sync.WaitGroup
	stop      context.CancelFunc
}

func begin(t *testing.T, c *amqp.Client, callers int) *load {
	ctx, cancel := context.WithCancel(t.Context())
	l := &load{stop: cancel}
	for i := range callers {
		l.running.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				id := fmt.Sprint(i, "-", n)
				began := time.Now()
				got, err := askFor(context.Background(), c, "echo", id, 500*time.Millisecond)
				switch {
				case err == nil && got.ID != id:
					t.Errorf("%q for %q", got.ID, id)
				case err == nil:
					l.good.Add(1)
					continue
				case fault.CodeOf(err) != fault.Unavailable && !errors.Is(err, context.DeadlineExceeded):
					t.Errorf("failed with %v", err)
				case time.Since(began) > 5*time.Second:
					t.Errorf("ended after %v", time.Since(began))
				}
				l.bad.Add(1)
				time.Sleep(time.Millisecond)
			}
		})
	}
	return l
}

func (l *load) end() {
	l.stop()
	l.running.Wait()
}

// TestKilledAndHungUnderLoad: a broker that is killed and started again, and one that
// hangs and goes on. No call gets another's answer, and all is well within 5 s.
func TestKilledAndHungUnderLoad(t *testing.T) {
	server, service, c := start(t, amqp.Options{})
	service.answers("echo", echo)
	l := begin(t, c, 8)
	defer l.end()
	soon(t, "calls are answered", func() bool { return l.good.Load() > 500 })

	server.Kill()
	failed := l.bad.Load()
	soon(t, "calls fail", func() bool { return l.bad.Load() > failed+100 })
	if s := c.Status()[0]; s.State != "out" || s.Check == "" {
		t.Errorf("the broker that was killed is %+v", s)
	}
	server.Start()
	began := time.Now()
	newPeer(t, server.URL).answers("echo", echo)
	l.good.Store(0)
	soon(t, "calls are answered again", func() bool { return l.good.Load() > 500 })
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("back after %v", took)
	}

	server.Stop()
	failed = l.bad.Load()
	soon(t, "calls fail", func() bool { return l.bad.Load() > failed+100 })
	soon(t, "the broker is missed", func() bool { return !connected(c) })
	server.Continue()
	began = time.Now()
	soon(t, "it is connected", func() bool { return connected(c) })
	newPeer(t, server.URL).answers("echo", echo) // the other one may have been missed, too
	l.good.Store(0)
	soon(t, "calls are answered again", func() bool { return l.good.Load() > 500 })
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("back after %v", took)
	}
	l.end()
	soon(t, "nothing is in flight", func() bool { return c.Stats().InFlight == 0 })
}

// TestBrokerShortOfMemory blocks who publishes: calls fail at once then.
func TestBrokerShortOfMemory(t *testing.T) {
	server := amqptest.Start(t, "vm_memory_high_watermark.absolute = 1MB")
	c := newAway(t, amqp.Options{Servers: []string{server.URL}})
	soon(t, "it is blocked", func() bool {
		_, err := askFor(t.Context(), c, "echo", "x", 200*time.Millisecond)
		return err != nil && strings.Contains(err.Error(), "short of memory")
	})
	began := time.Now()
	if _, err := ask(t.Context(), c, "echo"); fault.CodeOf(err) != fault.Unavailable || time.Since(began) > long/2 {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
}

// TestServersThatDoNotAnswer are not there, or accept connections, and are silent or rude.
func TestServersThatDoNotAnswer(t *testing.T) {
	for name, answer := range map[string]func(c net.Conn){
		"silent":  func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"rude":    func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") },
		"garbage": func(c net.Conn) { _, _ = io.WriteString(c, "\x01\x00\x00\xff\xff\xff\xff\x00\x0a\x00\x0a\x00\x09") },
		"closes":  func(net.Conn) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var tries atomic.Int64
			address := pretend(t, func(c net.Conn) { tries.Add(1); answer(c) })
			c := newAway(t, amqp.Options{Servers: []string{"amqp://facet:s3cret@" + address, "amqp://127.0.0.1:1"}})
			began := time.Now()
			for range 100 {
				if _, err := ask(t.Context(), c, "echo"); fault.CodeOf(err) != fault.Unavailable || strings.Contains(err.Error(), "s3cret") {
					t.Fatalf("got %v", err)
				}
			}
			if took := time.Since(began); took > long/4 {
				t.Errorf("calls took %v", took)
			}
			soon(t, "it is tried again", func() bool { return tries.Load() > 1 })
		})
	}
}

// pretend listens, and has each connection answered and closed.
func pretend(t *testing.T, answer func(c net.Conn)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				_ = c.SetDeadline(time.Now().Add(long / 2))
				answer(c)
				_ = c.Close()
			})
		}
	})
	t.Cleanup(running.Wait)
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}
