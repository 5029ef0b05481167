package grpc_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	rpc "google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/facet-gateway/facet/core/backend/grpc"
	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/leaktest"
)

const (
	late    = 50 * time.Millisecond // how long after its context a call may end
	tries   = 10                    // until it does: the machine may be busy with something else
	tooSoon = time.Hour             // the call ended before it got to its stage
)

var errOwn = errors.New("the test's own reason")

// stage is how far a server lets a call come.
type stage struct {
	name   string
	handle func(stream rpc.ServerStream) error
}

func stages() []stage {
	hang := func(stream rpc.ServerStream) { <-stream.Context().Done() }
	return []stage{
		{"waiting", func(stream rpc.ServerStream) error { hang(stream); return nil }},
		{"after headers", func(stream rpc.ServerStream) error {
			err := stream.SendHeader(metadata.Pairs("x", "y"))
			hang(stream)
			return err
		}},
		{"after a message", func(stream rpc.ServerStream) error {
			err := echo(stream, "a")
			hang(stream)
			return err
		}},
	}
}

// run makes a call, ends its context once the stage is reached, and returns how late the
// call ended.
func (s stage) run(t *testing.T, begin func() (context.Context, func())) (time.Duration, error) {
	t.Helper()
	reached, left := make(chan struct{}, 1), make(chan struct{}, 1)
	server := serve(t, func(stream rpc.ServerStream, _ string) error {
		reached <- struct{}{}
		err := s.handle(stream)
		left <- struct{}{}
		return err
	})
	client := clientOf(t, server.address)
	ctx, end := begin()
	result := make(chan error, 1)
	go func() {
		_, err := say(ctx, client, "a")
		result <- err
	}()
	select {
	case <-reached:
	case err := <-result:
		return tooSoon, err
	}
	end()
	<-ctx.Done()
	over := time.Now()
	err := <-result
	took := time.Since(over)
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
				ctx, cancel := context.WithTimeoutCause(t.Context(), 150*time.Millisecond, errOwn)
				t.Cleanup(cancel)
				return ctx, func() {}
			})
		})
	}
}

func TestEndedBeforeItBegan(t *testing.T) {
	s := serve(t, echo)
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
	s := serve(t, func(stream rpc.ServerStream, _ string) error { <-stream.Context().Done(); return nil })
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, budget)
	defer cancel()
	if _, err := say(ctx, clientOf(t, s.address), "a"); !errors.Is(err, budget) || fault.ReasonOf(err) != fault.ReasonBudget {
		t.Errorf("got %v", err)
	}
}

// TestAnInstanceThatIsGone fails calls at once, those in flight too, and has traffic
// again within a second after it is back.
func TestAnInstanceThatIsGone(t *testing.T) {
	inside := make(chan struct{})
	s := serve(t, func(stream rpc.ServerStream, text string) error {
		if text == "hang" {
			close(inside)
			<-stream.Context().Done()
		}
		return echo(stream, text)
	})
	client := clientOf(t, s.address)
	hanging := make(chan error, 1)
	go func() {
		_, err := say(t.Context(), client, "hang")
		hanging <- err
	}()
	<-inside
	s.stop()
	checkFault(t, <-hanging, s.address, fault.Unavailable, fault.ReasonError, false)
	var took time.Duration
	for range tries {
		failsAtOnce(t, client, s.address)
		back := serveAt(t, s.address, echo)
		began := time.Now()
		soon(t, "it has traffic", func() bool { _, err := say(t.Context(), client, "a"); return err == nil })
		took = time.Since(began)
		if n := back.conns.Load(); n != 1 {
			t.Errorf("%d connections", n)
		}
		if took <= time.Second {
			return
		}
		back.stop() // the machine may have been busy with something else
	}
	t.Errorf("it has traffic after %v", took)
}

// failsAtOnce makes calls to an instance that is gone, until it is tried again as seldom
// as it ever is.
func failsAtOnce(t *testing.T, client *grpc.Client, address string) {
	t.Helper()
	calls := 0
	for began := time.Now(); time.Since(began) < 2*time.Second; calls++ {
		ctx, call := withCall(t.Context())
		_, err := say(ctx, client, "a")
		if checkFault(t, err, address, fault.Unavailable, fault.ReasonError, false); call.Attempts != 0 {
			t.Fatalf("a call to nobody made %d attempts", call.Attempts)
		}
	}
	if calls < 100 {
		t.Errorf("only %d calls failed in 2s", calls)
	}
}

// TestABrokenConnectionCostsNothing when nobody was using it.
func TestABrokenConnectionCostsNothing(t *testing.T) {
	s := serve(t, echo)
	client := clientOf(t, s.address)
	for range 20 {
		if _, err := say(t.Context(), client, "a"); err != nil {
			t.Fatal(err)
		}
		s.stop()
		s = serveAt(t, s.address, echo)
		soon(t, "it has traffic", func() bool {
			ctx, call := withCall(t.Context())
			_, err := say(ctx, client, "a")
			if err != nil && call.Attempts == 0 {
				t.Fatalf("a call was not made: %v", err)
			}
			return err == nil
		})
	}
}

// TestClose lets calls in flight end, and leaves nothing behind.
func TestClose(t *testing.T) {
	inside, goOn := make(chan struct{}), make(chan struct{})
	s := serve(t, func(stream rpc.ServerStream, text string) error {
		inside <- struct{}{}
		<-goOn
		return echo(stream, text)
	})
	other := serve(t, echo)
	before := leaktest.Descriptors(t)
	leaving, closed := clientOf(t, s.address), clientOf(t, s.address)
	var callers sync.WaitGroup
	for _, client := range []*grpc.Client{leaving, closed} {
		callers.Go(func() {
			if got, err := say(t.Context(), client, "a"); err != nil || got != "a" {
				t.Errorf("a call in flight did not survive: %v", err)
			}
		})
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
	callers.Wait()
	leaving.Close()
	soon(t, "every connection is closed", func() bool { return leaktest.Descriptors(t) <= before })
}
