package thrift_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	lib "github.com/apache/thrift/lib/go/thrift"

	"github.com/facet-gateway/facet/core/backend/thrift"
	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// sayer is a handler of the library's own server.
type sayer struct{}

func (sayer) ProcessorMap() map[string]lib.TProcessorFunction  { return nil }
func (sayer) AddToProcessorMap(string, lib.TProcessorFunction) {}
func (sayer) Process(ctx context.Context, in, out lib.TProtocol) (bool, lib.TException) {
	name, _, sequence, err := in.ReadMessageBegin(ctx)
	args := text{id: argument}
	if err = errors.Join(err, args.Read(ctx, in)); err != nil {
		return false, lib.WrapTException(err)
	}
	result := lib.TStruct(&text{id: success, value: args.value})
	kind := lib.REPLY
	if args.value == "fail" {
		result, kind = lib.NewTApplicationException(lib.UNKNOWN_METHOD, "no"), lib.EXCEPTION
	}
	return true, lib.WrapTException(errors.Join(
		out.WriteMessageBegin(ctx, name, kind, sequence), result.Write(ctx, out), out.WriteMessageEnd(ctx), out.Flush(ctx)))
}

// TestTheLibrarysServer understands us, and we understand it.
func TestTheLibrarysServer(t *testing.T) {
	socket, err := lib.NewTServerSocket("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := socket.Listen(); err != nil {
		t.Fatal(err)
	}
	server := lib.NewTSimpleServer4(sayer{}, socket,
		lib.NewTFramedTransportFactoryConf(lib.NewTTransportFactory(), nil), lib.NewTCompactProtocolFactoryConf(nil))
	served := make(chan error, 1)
	go func() { served <- server.Serve() }()
	client := clientOf(t, socket.Addr().String())
	for _, words := range []string{"", "hello", strings.Repeat("Ågren ", 20000)} {
		if got, err := say(t.Context(), client, words); err != nil || got != words {
			t.Errorf("got %.20q, %v", got, err)
		}
	}
	_, err = say(t.Context(), client, "fail")
	checkFault(t, err, socket.Addr().String(), fault.BadAnswer, fault.ReasonError, true)
	client.Close()
	if err := server.Stop(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestCallIsRecorded(t *testing.T) {
	s := replies(t, echo)
	client := clientOf(t, s.address)
	ctx, call := withCall(t.Context())
	for n, words := range []string{"hello", "hello, world"} {
		if _, err := say(ctx, client, words); err != nil {
			t.Fatal(err)
		}
		if call.Attempts != n+1 || call.Bytes < len(words)+10 || call.Bytes > len(words)+20 || call.Caching.MaxAge != report.Unlimited {
			t.Errorf("call %d: got %d attempts, %d bytes, %+v", n, call.Attempts, call.Bytes, call.Caching)
		}
	}
	if s.conns.Load() != 1 {
		t.Errorf("%d connections", s.conns.Load())
	}
}

// TestAttemptsOfACommandGoToDifferentInstances, and there are no more of them than instances.
func TestAttemptsOfACommandGoToDifferentInstances(t *testing.T) {
	const instances = 3
	bases := make([]string, instances)
	for i := range bases {
		bases[i] = "thrift://" + replies(t, func(_ int, a asked) (string, bool) { return a.answer(fmt.Sprint(i)), true }).address
	}
	client := newClient(t, thrift.Options{Instances: bases})
	for range 20 {
		ctx, call := withCall(t.Context())
		call.Spread = &report.Spread{}
		seen := map[string]bool{}
		for range instances {
			who, err := say(ctx, client, "")
			if err != nil || seen[who] {
				t.Fatalf("%q a second time, or %v", who, err)
			}
			seen[who] = true
		}
		_, err := say(ctx, client, "")
		if !errors.Is(err, report.ErrNoOther) || fault.CodeOf(err) != fault.Unavailable || call.Attempts != instances {
			t.Fatalf("%v after %d attempts", err, call.Attempts)
		}
	}
}

// unwritable are arguments that fail halfway.
type unwritable struct{ text }

func (*unwritable) Write(ctx context.Context, to lib.TProtocol) error {
	return errors.Join(to.WriteStructBegin(ctx, "half"), errOwn)
}

// TestCallsThatAreNone ask nobody, and leave nothing to those that follow.
func TestCallsThatAreNone(t *testing.T) {
	s := replies(t, echo)
	client := clientOf(t, s.address)
	ctx, call := withCall(t.Context())
	for range 10 {
		if _, err := client.Call(ctx, method, &unwritable{}, &text{}); fault.CodeOf(err) != fault.Internal || !errors.Is(err, errOwn) {
			t.Errorf("arguments that cannot be written: %v", err)
		}
		if _, err := client.Call(ctx, method, &text{id: argument}, nil); fault.CodeOf(err) != fault.Internal {
			t.Errorf("a method without an answer: %v", err)
		}
	}
	if call.Attempts != 0 || s.conns.Load() != 0 {
		t.Errorf("%d attempts on %d connections", call.Attempts, s.conns.Load())
	}
	if got, err := say(ctx, client, "a"); err != nil || got != "a" {
		t.Errorf("afterwards: %q, %v", got, err)
	}
}

// TestInstancesThatAreFoundLater: without any a call fails at once, and says so.
func TestInstancesThatAreFoundLater(t *testing.T) {
	s := replies(t, echo)
	client := newClient(t, thrift.Options{})
	if _, err := say(t.Context(), client, "a"); fault.CodeOf(err) != fault.Unavailable || !errors.Is(err, balance.ErrNoInstance) {
		t.Errorf("without an instance: %v", err)
	}
	if err := client.Update([]discovery.Instance{{Address: s.address, Path: "/shop"}}); err == nil {
		t.Error("an instance with a path is taken")
	}
	if err := client.Update([]discovery.Instance{{Address: s.address}}); err != nil {
		t.Fatal(err)
	}
	if got, err := say(t.Context(), client, "a"); err != nil || got != "a" {
		t.Errorf("with one: %v, %v", got, err)
	}
}

// TestWhoIsBlamed: instances that answer are not, whatever they answer, nor those that
// had no time to.
func TestWhoIsBlamed(t *testing.T) {
	ended := make(chan struct{})
	s := replies(t, func(_ int, a asked) (string, bool) {
		switch a.words {
		case "hang":
			<-ended
			return "", false
		case "refuse":
			return a.exception(lib.UNKNOWN_METHOD, ""), true
		case "fail":
			return a.exception(lib.INTERNAL_ERROR, ""), true
		}
		return a.answer(a.words), true
	})
	t.Cleanup(func() { close(ended) })
	client := clientOf(t, s.address)
	for _, c := range []struct {
		words  string
		within time.Duration
		faults int
	}{
		{"a", time.Minute, 0},
		{"refuse", time.Minute, 0},
		{"hang", 10 * time.Millisecond, 0},
		{"fail", time.Minute, 1},
		{"hang", time.Second, 2},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), c.within)
		_, _ = say(ctx, client, c.words) // what it comes to is another test's
		cancel()
		if got := client.Status()[0].Faults; got != c.faults {
			t.Errorf("after %q within %v it has %d faults, want %d", c.words, c.within, got, c.faults)
		}
	}
}

// TestHealthChecks take out what takes no connection.
func TestHealthChecks(t *testing.T) {
	gone := listen(t, "127.0.0.1:0")
	address := gone.Addr().String()
	o := balance.DefaultOptions()
	o.PanicPercent = 0
	o.Check = &balance.Check{Interval: 100 * time.Millisecond, Timeout: 50 * time.Millisecond, Healthy: 1, Unhealthy: 1}
	well := replies(t, echo)
	client := newClient(t, thrift.Options{Instances: []string{"thrift://" + address, "thrift://" + well.address}, Balance: o})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { client.Run(ctx) })
	defer running.Wait()
	defer cancel()
	is := func(want balance.State) func() bool { return func() bool { return client.Status()[0].State == want } }
	_ = gone.Close()
	soon(t, "what is gone is out", is(balance.Unhealthy))
	back := listen(t, address)
	defer func() { _ = back.Close() }()
	soon(t, "what is back is in", func() bool { return !is(balance.Unhealthy)() })
}

// TestAnswersBelongToTheirRequests: 2,000 calls at once, many of them cancelled at a
// random moment. Whatever is answered belongs to its own request.
func TestAnswersBelongToTheirRequests(t *testing.T) {
	s := replies(t, echo)
	client := newClient(t, thrift.Options{Instances: []string{"thrift://" + s.address}, MaxConns: 100})
	var callers sync.WaitGroup
	var answered, ended, refused atomic.Int64
	for i := range 2000 {
		callers.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if i%2 == 0 {
				timer := time.AfterFunc(time.Duration(rand.IntN(30000))*time.Microsecond, cancel)
				defer timer.Stop()
			}
			want := fmt.Sprint("call ", i)
			got, err := say(ctx, client, want)
			switch {
			case err == nil && got == want:
				answered.Add(1)
			case errors.Is(err, context.Canceled) && ctx.Err() != nil:
				ended.Add(1)
			case fault.CodeOf(err) == fault.Unavailable && strings.Contains(err.Error(), "all connections are in use"):
				refused.Add(1)
			default:
				t.Errorf("%s: got %q, %v", want, got, err)
			}
		})
	}
	callers.Wait()
	t.Logf("%d answered, %d ended, %d refused, on %d connections", answered.Load(), ended.Load(), refused.Load(), s.conns.Load())
	if answered.Load() == 0 {
		t.Error("no call was answered")
	}
	if got, err := say(t.Context(), client, "last"); err != nil || got != "last" {
		t.Errorf("afterwards: %q, %v", got, err)
	}
}

func TestNobodyListens(t *testing.T) {
	listener := listen(t, "127.0.0.1:0")
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, call := withCall(t.Context())
	_, err := say(ctx, clientOf(t, listener.Addr().String()), "a")
	if checkFault(t, err, listener.Addr().String(), fault.Unavailable, fault.ReasonError, false); call.Attempts != 0 {
		t.Errorf("%d attempts", call.Attempts)
	}
}

// TestAnInstanceThatIsBack has traffic with the next call.
func TestAnInstanceThatIsBack(t *testing.T) {
	listener := listen(t, "127.0.0.1:0")
	client := clientOf(t, listener.Addr().String())
	serveOne := func(l net.Listener) {
		conn, err := l.Accept()
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = conn.Close() }()
		if a, ok := readCall(bufio.NewReader(conn)); ok {
			_, _ = io.WriteString(conn, a.answer("a"))
		}
	}
	for range 3 {
		var serving sync.WaitGroup
		serving.Go(func() { serveOne(listener) })
		if got, err := say(t.Context(), client, "a"); err != nil || got != "a" {
			t.Errorf("got %q, %v", got, err)
		}
		serving.Wait()
		_ = listener.Close()
		if _, err := say(t.Context(), client, "a"); fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("while it is gone: %v", err)
		}
		listener = listen(t, listener.Addr().String())
	}
	_ = listener.Close()
}
