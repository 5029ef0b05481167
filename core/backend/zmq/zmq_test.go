package zmq_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/backend/zmq"
	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/leaktest"
	"github.com/facet-gateway/facet/core/report"
)

func TestTableOfErrors(t *testing.T) {
	t.Parallel()
	const good = `{"id":"a"}`
	rows := []struct {
		name   string
		answer []string // after the id
		code   fault.Code
		reason fault.Reason
	}{
		{"good", []string{"", good}, fault.OK, fault.None},
		{"good and says so", []string{`{"status":200,"content_type":"application/json; charset=UTF-8"}`, good}, fault.OK, fault.None},
		{"not found", []string{`{"status":404,"error":"no such thing"}`, ""}, fault.NotFound, fault.ReasonNotFound},
		{"refused", []string{`{"status":400}`, ""}, fault.BadAnswer, fault.ReasonError},
		{"in a hurry", []string{`{"status":408}`, ""}, fault.Unavailable, fault.ReasonError},
		{"busy", []string{`{"status":429}`, ""}, fault.Unavailable, fault.ReasonError},
		{"broken", []string{`{"status":500}`, good}, fault.Unavailable, fault.ReasonError},
		{"moved", []string{`{"status":302}`, good}, fault.BadAnswer, fault.ReasonInvalid},
		{"a status that is none", []string{`{"status":0}`, good}, fault.BadAnswer, fault.ReasonInvalid},
		{"a status of another type", []string{`{"status":"s3cret"}`, good}, fault.BadAnswer, fault.ReasonInvalid},
		{"a head that is none", []string{`s3cret`, good}, fault.BadAnswer, fault.ReasonInvalid},
		{"empty", []string{"", ""}, fault.BadAnswer, fault.ReasonInvalid},
		{"null", []string{"", "null"}, fault.BadAnswer, fault.ReasonInvalid},
		{"garbage", []string{"", "\x00\xffs3cret"}, fault.BadAnswer, fault.ReasonInvalid},
		{"cut short", []string{"", `{"id":"s3cret`}, fault.BadAnswer, fault.ReasonInvalid},
		{"another type", []string{`{"content_type":"text/html"}`, good}, fault.BadAnswer, fault.ReasonInvalid},
		{"oversized", []string{"", large(1000)}, fault.BadAnswer, fault.ReasonInvalid},
		{"far oversized", []string{"", large(2 << 20)}, fault.BadAnswer, fault.ReasonInvalid},
		{"a far oversized head", []string{large(2 << 20), good}, fault.BadAnswer, fault.ReasonInvalid},
		{"a frame too few", []string{good}, fault.BadAnswer, fault.ReasonInvalid},
		{"frames too many", []string{"", good, "s3cret", "", ""}, fault.BadAnswer, fault.ReasonInvalid},
	}
	p := serve(t, "127.0.0.1:0", func(m [][]byte) [][][]byte {
		for _, row := range rows {
			if row.name == string(m[1]) {
				a := [][]byte{m[0]}
				for _, one := range row.answer {
					a = append(a, []byte(one))
				}
				return [][][]byte{a}
			}
		}
		return nil
	})
	c := newClient(t, zmq.Options{Instances: []string{p.url()}, MaxBody: 1000})
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			ctx, call := withCall(t.Context())
			got, err := ask(ctx, c, row.name)
			if fault.CodeOf(err) != row.code || err != nil && fault.ReasonOf(err) != row.reason || err == nil && got.ID != "a" {
				t.Errorf("got %v, %v", got, err)
			}
			if errors.Is(err, fault.ErrRefused) != (row.name == "refused") {
				t.Errorf("refused: %v", err)
			}
			if call.Attempts != 1 {
				t.Errorf("recorded %d attempts", call.Attempts)
			}
			if err == nil && call.Bytes != len(row.answer[1]) {
				t.Errorf("recorded %d bytes", call.Bytes)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the log has what was answered: %v", err)
			}
		})
	}
	if n := p.links.Load(); n != 1 {
		t.Errorf("%d connections were made", n)
	}
	if s := c.Status()[0]; s.InFlight != 0 {
		t.Errorf("afterwards: %+v", s)
	}
}

func TestWhatGoesAlong(t *testing.T) {
	t.Parallel()
	asked := make(chan [][]byte, 1)
	p := serve(t, "127.0.0.1:0", func(m [][]byte) [][][]byte {
		asked <- m
		return [][][]byte{{m[0], []byte(`{"cache_control":"max-age=60"}`), []byte(`{"id":"a"}`)}}
	})
	c := newClient(t, zmq.Options{Instances: []string{p.url()}})
	ctx, call := withCall(t.Context())
	if _, err := ask(ctx, c, "stock"); err != nil {
		t.Fatal(err)
	}
	m := <-asked
	var head map[string]string
	if len(m) != 4 || string(m[1]) != "stock" || json.Unmarshal(m[2], &head) != nil || string(m[3]) != `{"id":"p-1"}` {
		t.Fatalf("asked %q", m)
	}
	for name, form := range map[string]string{
		"traceparent":  "^00-" + call.Request().Trace.String() + "-[0-9a-f]{16}-0[0-9a-f]$",
		"X-Request-Id": "^req-7$", "X-Request-Timeout-Ms": "^(1[0-9]{4}|20000)$",
	} {
		if !regexp.MustCompile(form).MatchString(head[name]) {
			t.Errorf("%s: %q", name, head[name])
		}
	}
	if len(head) != 3 || len(m[0]) < 26 {
		t.Errorf("id %q, head %v", m[0], head)
	}
	if call.Caching != (report.Caching{MaxAge: time.Minute}) {
		t.Errorf("may be remembered: %+v", call.Caching)
	}
}

func TestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	silent := serveRaw(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }) // it does not even shake hands
	own := errors.New("the test's own reason")
	for kind, url := range map[string]string{"hung": serve(t, "127.0.0.1:0", never).url(), "silent": "tcp://" + silent} {
		c := newClient(t, zmq.Options{Instances: []string{url}, DialTimeout: long})
		for name, end := range map[string]func() (context.Context, context.CancelFunc){
			"deadline": func() (context.Context, context.CancelFunc) {
				return context.WithTimeoutCause(t.Context(), 50*time.Millisecond, own)
			},
			"cancelled": func() (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancelCause(t.Context())
				timer := time.AfterFunc(50*time.Millisecond, func() { cancel(own) })
				return ctx, func() { timer.Stop() }
			},
		} {
			late := func() time.Duration {
				ctx, cancel := end()
				defer cancel()
				var over atomic.Int64
				stop := context.AfterFunc(ctx, func() { over.Store(time.Now().UnixNano()) })
				defer stop()
				_, err := zmq.Request[stock](ctx, c, "stock", query{})
				now := time.Now().UnixNano()
				if !errors.Is(err, own) || !errors.Is(err, ctx.Err()) {
					t.Errorf("%s: %v", name, err)
				}
				soon(t, "it is over", func() bool { return over.Load() != 0 })
				return time.Duration(now - over.Load())
			}
			soon(t, kind+": "+name+" ends a call within 30 ms", func() bool { return late() <= 30*time.Millisecond })
		}
	}
}

// serveRaw hands every connection to handle.
func serveRaw(t *testing.T, handle func(c net.Conn)) (address string) {
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
				handle(c)
				_ = c.Close()
			})
		}
	})
	t.Cleanup(running.Wait)
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().String()
}

// TestAnswersThatAreNobodys: late ones, second ones, ones with ids that are made up, and
// messages that are no answers, before and between those that are.
func TestAnswersThatAreNobodys(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var held [][]byte
	p := serve(t, "127.0.0.1:0", func(m [][]byte) [][][]byte {
		mu.Lock()
		defer mu.Unlock()
		if string(m[1]) == "late" {
			held = append(held, m[0])
			return nil
		}
		all := [][][]byte{{[]byte("made up"), nil, []byte(`{"id":"evil"}`)}, {[]byte("evil")}, {nil}, {nil, nil, nil, nil, nil}}
		for _, id := range held {
			all = append(all, [][]byte{id, nil, []byte(`{"id":"evil"}`)})
		}
		return append(append(all, echo(m)...), echo(m)...)
	})
	c := newClient(t, zmq.Options{Instances: []string{p.url()}})
	var callers sync.WaitGroup
	for i := range 50 {
		callers.Go(func() {
			within := time.Duration(i%7+1) * time.Millisecond
			if _, err := askFor(t.Context(), c, "late", "late", within); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
		})
	}
	callers.Wait() // what is answered from here on is late
	for i := range 20 {
		callers.Go(func() {
			for n := range 50 {
				id := fmt.Sprint(i, "-", n)
				if got, err := askFor(t.Context(), c, "echo", id, long); err != nil || got.ID != id {
					t.Errorf("%q for %q, %v", got.ID, id, err)
				}
			}
		})
	}
	callers.Wait()
	soon(t, "they are counted", func() bool { return c.Stats().Late >= 20*50*5 })
}

// TestFlood: a peer that sends without end holds up no other, and ends with the client.
func TestFlood(t *testing.T) {
	t.Parallel()
	p := serve(t, "127.0.0.1:0", func(m [][]byte) [][][]byte {
		return append(slices.Repeat([][][]byte{{[]byte("evil"), nil, make([]byte, 100)}}, 10_000), echo(m)...)
	})
	c := newClient(t, zmq.Options{Instances: []string{p.url()}})
	for n := range 5 {
		id := fmt.Sprint(n)
		if got, err := askFor(t.Context(), c, "stock", id, long); err != nil || got.ID != id {
			t.Fatalf("%q for %q, %v", got.ID, id, err)
		}
	}
	if n := c.Stats().Late; n != 50_000 {
		t.Errorf("%d were counted", n)
	}
}

// TestHostilePeers break the protocol: the connection is made anew, and a peer that
// behaves again is asked again.
func TestHostilePeers(t *testing.T) {
	t.Parallel()
	for name, sent := range map[string]string{
		"closes": "", "rude": "HTTP/1.1 400 Bad Request\r\n\r\n" + strings.Repeat("x", 64),
		"greets no further": "\xff\x00\x00\x00\x00\x00\x00\x00\x00\x7f\x03\x00NULL" + strings.Repeat("\x00", 48) + "\x04\x07\x05READY\xff",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var tries atomic.Int64
			address := serveRaw(t, func(c net.Conn) {
				tries.Add(1)
				_, _ = io.WriteString(c, sent)
			})
			c := newClient(t, zmq.Options{Instances: []string{"tcp://" + address}})
			for range 20 {
				if _, err := ask(t.Context(), c, "stock"); fault.CodeOf(err) != fault.Unavailable || fault.ReasonOf(err) != fault.ReasonError {
					t.Fatalf("got %v", err)
				}
			}
			soon(t, "it is tried again", func() bool { return tries.Load() > 2 })
		})
	}
}

// TestKilledAndBackUnderLoad: calls fail at once meanwhile, none gets another's answer,
// and all is well within 5 s of the peer's return.
func TestKilledAndBackUnderLoad(t *testing.T) {
	t.Parallel()
	p := serve(t, "127.0.0.1:0", echo)
	c := newClient(t, zmq.Options{Instances: []string{p.url()}})
	ctx, stop := context.WithCancel(t.Context())
	var good, bad atomic.Int64
	var running sync.WaitGroup
	for i := range 8 {
		running.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				id := fmt.Sprint(i, "-", n)
				got, err := askFor(context.Background(), c, "stock", id, time.Second)
				switch {
				case err == nil && got.ID != id:
					t.Errorf("%q for %q", got.ID, id)
				case err == nil:
					good.Add(1)
				case fault.CodeOf(err) != fault.Unavailable:
					t.Errorf("failed with %v", err)
				default:
					bad.Add(1)
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	for range 3 {
		soon(t, "calls are answered", func() bool { return good.Load() > 1000 })
		p.kill()
		failed := bad.Load()
		soon(t, "calls fail", func() bool { return bad.Load() > failed+100 })
		p = serve(t, p.address, echo)
		began := time.Now()
		good.Store(0)
		soon(t, "calls are answered again", func() bool { return good.Load() > 0 })
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("back after %v", took)
		}
	}
	stop()
	running.Wait()
}

// TestPeerThatOwesAnswers for ten seconds, and says nothing, is connected to anew.
func TestPeerThatOwesAnswers(t *testing.T) {
	t.Parallel()
	var p *peer
	ready := make(chan struct{})
	p = serve(t, "127.0.0.1:0", func(m [][]byte) [][][]byte {
		<-ready
		if p.links.Load() == 1 {
			return nil
		}
		return echo(m)
	})
	close(ready)
	c := newClient(t, zmq.Options{Instances: []string{p.url()}})
	began := time.Now()
	soon(t, "it answers", func() bool { _, err := askFor(t.Context(), c, "stock", "x", 50*time.Millisecond); return err == nil })
	if took := time.Since(began); took < 9*time.Second {
		t.Errorf("it was given %v", took)
	}
}

// TestAttemptsGoToDifferentInstances, and there are no more of them than instances.
func TestAttemptsGoToDifferentInstances(t *testing.T) {
	t.Parallel()
	var urls []string
	for i := range 3 {
		urls = append(urls, serve(t, "127.0.0.1:0", func(m [][]byte) [][][]byte {
			return [][][]byte{{m[0], nil, fmt.Appendf(nil, `{"id":"%d"}`, i)}}
		}).url())
	}
	c := newClient(t, zmq.Options{Instances: urls})
	ctx, call := withCall(t.Context())
	call.Spread = &report.Spread{}
	seen := map[string]bool{}
	for range urls {
		got, err := ask(ctx, c, "stock")
		if err != nil || seen[got.ID] {
			t.Fatalf("%q a second time, or %v", got.ID, err)
		}
		seen[got.ID] = true
	}
	if _, err := ask(ctx, c, "stock"); !errors.Is(err, report.ErrNoOther) || fault.CodeOf(err) != fault.Unavailable || call.Attempts != 3 {
		t.Errorf("%v after %d attempts", err, call.Attempts)
	}
}

// TestDeadInstanceIsOut, by its calls or by checks, and in again when it is back.
func TestDeadInstanceIsOut(t *testing.T) {
	t.Parallel()
	dead := free(t)
	o := balance.DefaultOptions()
	o.Check = &balance.Check{Interval: 100 * time.Millisecond, Timeout: 50 * time.Millisecond, Healthy: 1, Unhealthy: 1}
	c := newClient(t, zmq.Options{Instances: []string{serve(t, "127.0.0.1:0", echo).url(), "tcp://" + dead}, Balance: o})
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { c.Run(ctx) })
	soon(t, "it is out", func() bool { return c.Status()[1].State == balance.Unhealthy })
	for range 100 {
		if _, err := ask(t.Context(), c, "stock"); err != nil {
			t.Fatal(err)
		}
	}
	serve(t, dead, echo)
	soon(t, "it is in", func() bool { return c.Status()[1].State != balance.Unhealthy })
	stop()
	running.Wait()
}

// TestInstancesThatAreFoundLater, and leave: a call to one that is new waits for its
// connection.
func TestInstancesThatAreFoundLater(t *testing.T) {
	t.Parallel()
	c := newClient(t, zmq.Options{})
	if _, err := ask(t.Context(), c, "stock"); fault.CodeOf(err) != fault.Unavailable || !errors.Is(err, balance.ErrNoInstance) {
		t.Errorf("without an instance: %v", err)
	}
	for range 20 {
		p := serve(t, "127.0.0.1:0", echo)
		if err := c.Update([]discovery.Instance{{Address: p.address}}); err != nil {
			t.Fatal(err)
		}
		if got, err := ask(t.Context(), c, "stock"); err != nil || got.ID != "p-1" {
			t.Fatalf("got %v, %v", got, err)
		}
	}
}

func TestTooManyInFlightAndClose(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	p := serve(t, "127.0.0.1:0", func([][]byte) [][][]byte { asked.Add(1); return nil })
	c := newClient(t, zmq.Options{Instances: []string{p.url()}, MaxInFlight: 4})
	end := make(chan error, 4)
	for range 4 {
		go func() { _, err := ask(t.Context(), c, "stock"); end <- err }()
	}
	soon(t, "four are in flight", func() bool { return asked.Load() == 4 && c.Stats().InFlight == 4 })
	if _, err := ask(t.Context(), c, "stock"); fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "too many") {
		t.Errorf("got %v", err)
	}
	c.Close()
	c.Close()
	for range 4 {
		if err := <-end; fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "closed") {
			t.Errorf("got %v", err)
		}
	}
	if _, err := ask(t.Context(), c, "stock"); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("afterwards: %v", err)
	}
}

func TestDescriptorsAtBaseline(t *testing.T) {
	p := serve(t, "127.0.0.1:0", never)
	before := leaktest.Descriptors(t)
	for range 5 {
		c := newClient(t, zmq.Options{Instances: []string{p.url(), "tcp://127.0.0.1:1"}})
		_, _ = askFor(t.Context(), c, "stock", "x", 5*time.Millisecond)
		c.Close()
		newClient(t, zmq.Options{Instances: []string{p.url()}}).Close()
	}
	soon(t, "descriptors are at baseline", func() bool { return leaktest.Descriptors(t) <= before })
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		options zmq.Options
		field   string
	}{
		{zmq.Options{}, "service"},
		{zmq.Options{Service: "s", Instances: []string{"tcp://h:1", "ipc://h:1"}}, "instances[1]"},
		{zmq.Options{Service: "s", Instances: []string{"tcp://h"}}, "instances[0]"},
		{zmq.Options{Service: "s", Instances: []string{"tcp://u:s3cret@h:1"}}, "instances[0]"},
		{zmq.Options{Service: "s", Instances: []string{"tcp://:1"}}, "instances[0]"},
		{zmq.Options{Service: "s", Instances: []string{"tcp://h:70000"}}, "instances[0]"},
		{zmq.Options{Service: "s", Instances: []string{"tcp://h:1/p"}}, "instances[0]"},
		{zmq.Options{Service: "s", Instances: []string{"tcp://h:1", "tcp://h:1"}}, "instances"},
		{zmq.Options{Service: "s", MaxBody: -1}, "max_body"},
		{zmq.Options{Service: "s", MaxInFlight: -1}, "max_in_flight"},
		{zmq.Options{Service: "s", DialTimeout: -1}, "dial_timeout"},
		{zmq.Options{Service: "s", Publishers: []string{"tcp://h:1", "tcp://u:s3cret@h:1"}}, "publishers[1]"},
		{zmq.Options{Service: "s", Publishers: make([]string, 1001)}, "publishers"},
		{zmq.Options{Service: "s", Publishers: []string{"tcp://h:1"}, PublisherPort: 1}, "publisher_port"},
		{zmq.Options{Service: "s", PublisherPort: 65536}, "publisher_port"},
		{zmq.Options{Service: "s", PublisherPort: -1}, "publisher_port"},
		{zmq.Options{Service: "s", InboxMessages: 65537}, "inbox_messages"},
		{zmq.Options{Service: "s", InboxBytes: -1}, "inbox_bytes"},
	} {
		c, err := zmq.New(row.options)
		var f *fault.Error
		if !errors.As(err, &f) || f.Field != row.field || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%+v: %v, want field %s", row.options, err, row.field)
		}
		if c != nil {
			c.Close()
		}
	}
}

func BenchmarkRequest(b *testing.B) {
	c := newClient(b, zmq.Options{Instances: []string{serve(b, "127.0.0.1:0", echo).url()}})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := zmq.Request[stock](b.Context(), c, "stock", query{"p-1"}); err != nil {
			b.Fatal(err)
		}
	}
}
