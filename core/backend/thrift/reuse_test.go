package thrift_test

import (
	"testing"
	"time"

	lib "github.com/apache/thrift/lib/go/thrift"

	"github.com/facet-gateway/facet/core/backend/thrift"
	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/leaktest"
)

func TestConnectionsAreKept(t *testing.T) {
	cases := []struct {
		name  string
		reply func(a asked) (string, bool)
		conns int64 // of 10 calls, one after the other
	}{
		{"an answer", func(a asked) (string, bool) { return a.answer("a"), true }, 1},
		{"an exception", func(a asked) (string, bool) { return a.exception(lib.INTERNAL_ERROR, "a"), true }, 1},
		{"what cannot be decoded", func(a asked) (string, bool) { return a.raw("\x00"), true }, 10},
		{"another call", func(a asked) (string, bool) { return asked{sequence: a.sequence + 1}.answer("evil"), true }, 10},
		{"more than was asked for", func(a asked) (string, bool) { return a.answer("a") + a.answer("evil"), true }, 10},
		{"oversized", func(a asked) (string, bool) { return a.answer(fitting(a, limit+1)), true }, 10},
		{"closing", func(asked) (string, bool) { return "", false }, 10},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := replies(t, func(_ int, a asked) (string, bool) { return c.reply(a) })
			client := newClient(t, thrift.Options{Instances: []string{"thrift://" + s.address}, MaxMessage: limit})
			ctx, call := withCall(t.Context())
			for range 10 {
				if got, _ := say(ctx, client, "a"); got == "evil" { // what else it answers is another test's
					t.Error("the answer to another call")
				}
			}
			if s.conns.Load() != c.conns || s.requests.Load() != 10 || call.Attempts != 10 {
				t.Errorf("%d connections, %d requests, %d attempts", s.conns.Load(), s.requests.Load(), call.Attempts)
			}
			soon(t, "every connection but a kept one is closed", func() bool { return s.ends.Load() >= c.conns-1 })
		})
	}
}

func TestStaleConnections(t *testing.T) {
	cases := []struct {
		name     string
		reply    func(n int, a asked) (string, bool)
		ends     int64 // before the second call
		code     fault.Code
		attempts int   // of the second call
		conns    int64 // in all
	}{
		{"closed in between", func(_ int, a asked) (string, bool) { return a.answer(a.words), false }, 1, fault.OK, 1, 2},
		{"closed for every second call", func(n int, a asked) (string, bool) {
			if n == 2 {
				return "", false
			}
			return a.answer(a.words), true
		}, 0, fault.OK, 2, 2},
		{"it closes on every call but the first: two attempts", func(n int, a asked) (string, bool) {
			if n > 1 {
				return "", false
			}
			return a.answer(a.words), true
		}, 0, fault.Unavailable, 2, 2},
		{"a byte of the answer came: one attempt", func(n int, a asked) (string, bool) {
			if n > 1 {
				return "\x00", false
			}
			return a.answer(a.words), true
		}, 0, fault.Unavailable, 1, 1},
		{"half an answer came: one attempt", func(n int, a asked) (string, bool) {
			if n > 1 {
				return a.answer(a.words)[:10], false
			}
			return a.answer(a.words), true
		}, 0, fault.BadAnswer, 1, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := replies(t, c.reply)
			client := clientOf(t, s.address)
			if _, err := say(t.Context(), client, "first"); err != nil {
				t.Fatal(err)
			}
			soon(t, "the server did its part", func() bool { return s.ends.Load() >= c.ends })
			ctx, call := withCall(t.Context())
			got, err := say(ctx, client, "second")
			if fault.CodeOf(err) != c.code || err == nil && got != "second" {
				t.Errorf("got %q, %v", got, err)
			}
			if call.Attempts != c.attempts || s.conns.Load() != c.conns {
				t.Errorf("%d attempts on %d connections", call.Attempts, s.conns.Load())
			}
			if faults := client.Status()[0].Faults; (faults > 0) != (err != nil) {
				t.Errorf("it is blamed for %d faults", faults)
			}
		})
	}
}

// TestALateAnswerReachesNobody, not even on a connection that is used again.
func TestALateAnswerReachesNobody(t *testing.T) {
	var late asked
	s := replies(t, func(n int, a asked) (string, bool) {
		if n == 1 {
			late = a
			return a.answer("first"), true
		}
		return late.answer("late"), true
	})
	client := clientOf(t, s.address)
	for i := range 5 {
		if got, err := say(t.Context(), client, "a"); (err == nil) != (i == 0) || got == "late" {
			t.Errorf("call %d: got %q, %v", i, got, err)
		}
	}
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	s := replies(t, echo)
	client := newClient(t, thrift.Options{Instances: []string{"thrift://" + s.address}, IdleTimeout: 20 * time.Millisecond})
	for n := range int64(3) {
		if _, err := say(t.Context(), client, "a"); err != nil {
			t.Fatal(err)
		}
		soon(t, "the idle connection is closed", func() bool { return s.ends.Load() == n+1 })
	}
}

// slow is a server that answers when it is told to.
func slow(t *testing.T) (s *counted, inside, goOn chan struct{}) {
	t.Helper()
	inside, goOn = make(chan struct{}), make(chan struct{})
	return replies(t, func(_ int, a asked) (string, bool) {
		inside <- struct{}{}
		<-goOn
		return a.answer(a.words), true
	}), inside, goOn
}

func TestConnectionsAreBounded(t *testing.T) {
	s, inside, goOn := slow(t)
	client := newClient(t, thrift.Options{Instances: []string{"thrift://" + s.address}, MaxConns: 2})
	results := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := say(t.Context(), client, "a")
			results <- err
		}()
		<-inside
	}
	if _, err := say(t.Context(), client, "a"); fault.CodeOf(err) != fault.Unavailable || s.conns.Load() != 2 {
		t.Errorf("the third of two connections: %v, %d connections", err, s.conns.Load())
	}
	close(goOn)
	for range 2 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

// TestClose lets calls in flight end, and leaves nothing behind.
func TestClose(t *testing.T) {
	s, inside, goOn := slow(t)
	other := replies(t, echo)
	before := leaktest.Descriptors(t)
	leaving, closed := clientOf(t, s.address), clientOf(t, s.address)
	results := make(chan error, 2)
	for _, client := range []*thrift.Client{leaving, closed} {
		go func() {
			_, err := say(t.Context(), client, "a")
			results <- err
		}()
		<-inside
	}
	if err := leaving.Update([]discovery.Instance{{Address: other.address}}); err != nil {
		t.Fatal(err)
	}
	closed.Close()
	closed.Close()
	if got, err := say(t.Context(), leaving, "b"); err != nil || got != "b" || other.conns.Load() != 1 {
		t.Errorf("the instance that came: %q, %v", got, err)
	}
	if _, err := say(t.Context(), closed, "a"); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("a closed client answers %v", err)
	}
	close(goOn)
	for range 2 {
		if err := <-results; err != nil {
			t.Errorf("a call in flight did not survive: %v", err)
		}
	}
	leaving.Close()
	soon(t, "every connection is closed", func() bool {
		return s.ends.Load() == 2 && other.ends.Load() == 1 && leaktest.Descriptors(t) <= before
	})
}
