package nats_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"

	"github.com/facet-gateway/facet/core/backend/nats"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/leaktest"
	"github.com/facet-gateway/facet/core/report"
)

func TestTableOfErrors(t *testing.T) {
	t.Parallel()
	_, url := serve(t, server.Options{})
	service := peer(t, url)
	c := newClient(t, nats.Options{Servers: []string{url}, MaxBody: 1000})
	const kind = "Content-Type"
	failure := func(code string) natsgo.Header {
		return header("Nats-Service-Error-Code", code, "Nats-Service-Error", "no such thing")
	}
	for i, row := range []struct {
		name   string
		answer *natsgo.Msg
		code   fault.Code
		reason fault.Reason
	}{
		{"good", &natsgo.Msg{Data: []byte(`{"id":"a"}`)}, fault.OK, fault.None},
		{"typed", &natsgo.Msg{Data: []byte(`{"id":"a"}`), Header: header(kind, "application/json; charset=UTF-8")}, fault.OK, fault.None},
		{"not found", &natsgo.Msg{Header: failure("404")}, fault.NotFound, fault.ReasonNotFound},
		{"bad request", &natsgo.Msg{Header: failure("400")}, fault.BadAnswer, fault.ReasonError},
		{"in a hurry", &natsgo.Msg{Header: failure("408")}, fault.Unavailable, fault.ReasonError},
		{"busy", &natsgo.Msg{Header: failure("429")}, fault.Unavailable, fault.ReasonError},
		{"broken", &natsgo.Msg{Header: failure("500"), Data: []byte(`{"id":"a"}`)}, fault.Unavailable, fault.ReasonError},
		{"moved", &natsgo.Msg{Header: failure("302")}, fault.BadAnswer, fault.ReasonInvalid},
		{"a failure that is none", &natsgo.Msg{Header: failure("200"), Data: []byte(`{"id":"a"}`)}, fault.BadAnswer, fault.ReasonInvalid},
		{"a status that is none", &natsgo.Msg{Header: failure("oops"), Data: []byte(`{"id":"a"}`)}, fault.BadAnswer, fault.ReasonInvalid},
		{"empty", &natsgo.Msg{}, fault.BadAnswer, fault.ReasonInvalid},
		{"null", &natsgo.Msg{Data: []byte("null")}, fault.BadAnswer, fault.ReasonInvalid},
		{"garbage", &natsgo.Msg{Data: []byte("\x00\xffs3cret")}, fault.BadAnswer, fault.ReasonInvalid},
		{"cut short", &natsgo.Msg{Data: []byte(`{"id":"s3cret`)}, fault.BadAnswer, fault.ReasonInvalid},
		{"another type", &natsgo.Msg{Data: []byte(`{"id":"a"}`), Header: header(kind, "text/html")}, fault.BadAnswer, fault.ReasonInvalid},
		{"oversized", &natsgo.Msg{Data: large(1000)}, fault.BadAnswer, fault.ReasonInvalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			subject := fmt.Sprintf("t%d", i)
			answers(t, service, subject, func(*natsgo.Msg) *natsgo.Msg { return row.answer })
			ctx, call := withCall(t.Context())
			got, err := ask(ctx, c, subject)
			if fault.CodeOf(err) != row.code || err != nil && fault.ReasonOf(err) != row.reason || err == nil && got.ID != "a" {
				t.Errorf("got %v, %v", got, err)
			}
			if errors.Is(err, fault.ErrRefused) != (row.name == "bad request") {
				t.Errorf("refused: %v", err)
			}
			if call.Attempts != 1 || call.Bytes != len(row.answer.Data) {
				t.Errorf("recorded %d attempts and %d bytes", call.Attempts, call.Bytes)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the log has what was answered: %v", err)
			}
		})
	}
	if s := c.Stats(); s.InFlight != 0 || s.Late != 0 {
		t.Errorf("afterwards: %+v", s)
	}
}

func TestNobodyListens(t *testing.T) {
	t.Parallel()
	_, url := serve(t, server.Options{})
	c := newClient(t, nats.Options{Servers: []string{url}})
	began := time.Now()
	_, err := ask(t.Context(), c, "nobody")
	if fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "nobody listens") || time.Since(began) > long/2 {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
}

func TestWhatGoesAlong(t *testing.T) {
	t.Parallel()
	_, url := serve(t, server.Options{})
	service := peer(t, url)
	asked := make(chan *natsgo.Msg, 1)
	answers(t, service, "stock", func(m *natsgo.Msg) *natsgo.Msg {
		asked <- m
		return &natsgo.Msg{Data: []byte(`{"id":"a"}`), Header: header("Cache-Control", "max-age=60")}
	})
	c := newClient(t, nats.Options{Servers: []string{url}})
	ctx, call := withCall(t.Context())
	if _, err := ask(ctx, c, "stock"); err != nil {
		t.Fatal(err)
	}
	m := <-asked
	for name, form := range map[string]string{
		"traceparent":  "^00-" + call.Request().Trace.String() + "-[0-9a-f]{16}-0[0-9a-f]$",
		"X-Request-Id": "^req-7$", "X-Request-Timeout-Ms": "^(1[0-9]{4}|20000)$", "Content-Type": "^application/json$",
	} {
		if v := m.Header[name]; len(v) != 1 || !regexp.MustCompile(form).MatchString(v[0]) {
			t.Errorf("%s: %q", name, v)
		}
	}
	if len(m.Header) != 4 || string(m.Data) != `{"id":"p-1"}` {
		t.Errorf("asked %q with %v", m.Data, m.Header)
	}
	if call.Caching != (report.Caching{MaxAge: time.Minute}) {
		t.Errorf("may be remembered: %+v", call.Caching)
	}
	if _, err := nats.Request[stock](t.Context(), c, "stock", query{}); err != nil {
		t.Fatal(err)
	}
	if m := <-asked; m.Header["X-Request-Timeout-Ms"] != nil || m.Header["X-Request-Id"] != nil {
		t.Errorf("of a call without a request: %v", m.Header)
	}
}

// TestEndsWithItsContext: a service that never answers.
func TestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	_, url := serve(t, server.Options{})
	service := peer(t, url)
	answers(t, service, "hung", func(*natsgo.Msg) *natsgo.Msg { return nil })
	c := newClient(t, nats.Options{Servers: []string{url}})
	own := errors.New("the test's own reason")
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
			_, err := nats.Request[stock](ctx, c, "hung", query{})
			now := time.Now().UnixNano()
			if !errors.Is(err, own) || !errors.Is(err, ctx.Err()) {
				t.Errorf("%s: %v", name, err)
			}
			soon(t, "it is over", func() bool { return over.Load() != 0 })
			return time.Duration(now - over.Load())
		}
		soon(t, name+" ends a call within 30 ms", func() bool { return late() <= 30*time.Millisecond })
	}
	if n := c.Stats().InFlight; n != 0 {
		t.Errorf("%d calls are in flight", n)
	}
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(own)
	ended, call := withCall(ended)
	if _, err := nats.Request[stock](ended, c, "hung", query{}); !errors.Is(err, own) || call.Attempts != 0 {
		t.Errorf("ended before it began: %v after %d attempts", err, call.Attempts)
	}
}

// TestLateAnswersAreNobodys: each answer comes after its call has ended, twice, and
// while others are in flight on the same connection.
func TestLateAnswersAreNobodys(t *testing.T) {
	t.Parallel()
	const calls = 200
	_, url := serve(t, server.Options{})
	service := peer(t, url)
	held := make(chan *natsgo.Msg, calls)
	answers(t, service, "late", func(m *natsgo.Msg) *natsgo.Msg { held <- m; return nil })
	answers(t, service, "echo", echo)
	c := newClient(t, nats.Options{Servers: []string{url}})
	var callers sync.WaitGroup
	for i := range calls {
		callers.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			timer := time.AfterFunc(time.Duration(i%7)*time.Millisecond, func() {
				for i%2 == 0 && len(held) == 0 { // half of them have been sent for sure
					time.Sleep(time.Millisecond)
				}
				cancel()
			})
			defer timer.Stop()
			if _, err := nats.Request[stock](ctx, c, "late", query{fmt.Sprint("late-", i)}); !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
		})
	}
	callers.Wait()
	sent := uint64(0)
	for len(held) > 0 {
		m := <-held
		for range 2 {
			if err := m.Respond(m.Data); err != nil {
				t.Fatal(err)
			}
			sent++
		}
		id := fmt.Sprint("own-", sent)
		if got, err := nats.Request[stock](t.Context(), c, "echo", query{id}); err != nil || got.ID != id {
			t.Fatalf("%q for %q, %v", got.ID, id, err)
		}
	}
	if err := service.Flush(); err != nil {
		t.Fatal(err)
	}
	soon(t, "each is counted", func() bool { return c.Stats().Late == sent })
	if sent == 0 {
		t.Error("no call was sent")
	}
}

// TestAttackersAnswersAreNobodys: who sees one question floods its inbox with made up
// ids, while others are asked.
func TestAttackersAnswersAreNobodys(t *testing.T) {
	t.Parallel()
	_, url := serve(t, server.Options{})
	service, attacker := peer(t, url), peer(t, url)
	inbox := make(chan string, 1)
	answers(t, service, "echo", func(m *natsgo.Msg) *natsgo.Msg {
		select {
		case inbox <- m.Reply[:strings.LastIndexByte(m.Reply, '.')+1]:
		default:
		}
		return echo(m)
	})
	c := newClient(t, nats.Options{Servers: []string{url}})
	if _, err := ask(t.Context(), c, "echo"); err != nil {
		t.Fatal(err)
	}
	prefix, ctx := <-inbox, t.Context()
	flood, stop := context.WithCancel(ctx)
	var attack sync.WaitGroup
	attack.Go(func() {
		for n := 0; flood.Err() == nil; n++ {
			_ = attacker.Publish(fmt.Sprint(prefix, n), []byte(`{"id":"evil"}`))
			if n%100 == 0 {
				_ = attacker.Flush()
			}
		}
	})
	for n := range 2000 {
		id := fmt.Sprint("own-", n)
		if got, err := nats.Request[stock](ctx, c, "echo", query{id}); err != nil || got.ID != id {
			t.Fatalf("%q for %q, %v", got.ID, id, err)
		}
	}
	soon(t, "the attack is counted", func() bool { return c.Stats().Late > 100 })
	stop()
	attack.Wait()
}

func TestNATSThatIsNotThereYet(t *testing.T) {
	t.Parallel()
	s, url := serve(t, server.Options{})
	port := portOf(s)
	kill(s)
	began := time.Now()
	c := newAway(t, nats.Options{Servers: []string{url}})
	ctx, call := withCall(t.Context())
	_, err := ask(ctx, c, "echo")
	if fault.CodeOf(err) != fault.Unavailable || fault.ReasonOf(err) != fault.ReasonError || call.Attempts != 0 {
		t.Errorf("got %v after %d attempts", err, call.Attempts)
	}
	if took := time.Since(began); took > long/4 {
		t.Errorf("that took %v", took)
	}
	soon(t, "it is told why", func() bool { return strings.Contains(c.Status()[0].Check, "refused") })
	_, url = serve(t, server.Options{Port: port})
	answers(t, peer(t, url), "echo", echo)
	soon(t, "it is connected", func() bool { return connected(c) })
	if got, err := ask(t.Context(), c, "echo"); err != nil || got.ID != "p-1" {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestKilledAndBackUnderLoad: calls fail at once meanwhile, none gets another's answer,
// and all is well within 5 s of the server's return, subscriptions too.
func TestKilledAndBackUnderLoad(t *testing.T) {
	t.Parallel()
	s, url := serve(t, server.Options{})
	port := portOf(s)
	service := peer(t, url)
	answers(t, service, "echo", echo)
	c := newClient(t, nats.Options{Servers: []string{url}})
	ctx, stop := context.WithCancel(t.Context())
	var told, good, bad atomic.Int64
	var running sync.WaitGroup
	running.Go(func() {
		for ctx.Err() == nil {
			err := nats.Subscribe(ctx, c, "changes.*", func() error { return nil }, func([]byte, uint64) { told.Add(1) })
			if fault.CodeOf(err) != fault.Unavailable && ctx.Err() == nil {
				t.Errorf("the subscription ended with %v", err)
			}
			time.Sleep(time.Millisecond)
		}
	})
	for i := range 8 {
		running.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				id := fmt.Sprint(i, "-", n)
				within, cancel := context.WithTimeout(context.Background(), time.Second)
				got, err := nats.Request[stock](within, c, "echo", query{id})
				cancel()
				switch {
				case err == nil && got.ID != id:
					t.Errorf("%q for %q", got.ID, id)
				case err == nil:
					good.Add(1)
				case fault.CodeOf(err) != fault.Unavailable && !errors.Is(err, context.DeadlineExceeded):
					t.Errorf("failed with %v", err)
				default:
					bad.Add(1)
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	hears := func() bool {
		before := told.Load()
		_ = service.Publish("changes.p-1", []byte("{}"))
		_ = service.FlushTimeout(100 * time.Millisecond)
		return told.Load() > before
	}
	for range 2 {
		soon(t, "calls are answered", func() bool { return good.Load() > 1000 })
		soon(t, "changes are heard", hears)
		kill(s)
		failed := bad.Load()
		soon(t, "calls fail", func() bool { return bad.Load() > failed+8 })
		s, _ = serve(t, server.Options{Port: port})
		began := time.Now()
		good.Store(0)
		soon(t, "calls are answered again", func() bool { return good.Load() > 0 })
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("back after %v", took)
		}
		soon(t, "changes are heard again", hears)
	}
	stop()
	running.Wait()
}

// TestServersThatDoNotAnswer accept connections, and are silent or rude.
func TestServersThatDoNotAnswer(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(c net.Conn){
		"silent": func(c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"rude":   func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") },
		"out of sorts": func(c net.Conn) {
			_, _ = io.WriteString(c, "INFO {\"max_payload\":1048576}\r\n-ERR 'Out Of Sorts'\r\n")
		},
		"refuses": func(c net.Conn) {
			_, _ = io.WriteString(c, "INFO {\"auth_required\":true,\"max_payload\":1048576}\r\n-ERR 'Authorization Violation'\r\n")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var tries atomic.Int64
			c := newAway(t, nats.Options{Servers: []string{"nats://facet:s3cret@" + pretend(t, func(c net.Conn) { tries.Add(1); answer(c) })}})
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

func TestTooManyInFlight(t *testing.T) {
	t.Parallel()
	_, url := serve(t, server.Options{})
	answers(t, peer(t, url), "hung", func(*natsgo.Msg) *natsgo.Msg { return nil })
	c := newClient(t, nats.Options{Servers: []string{url}, MaxInFlight: 4})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() { _, _ = nats.Request[stock](ctx, c, "hung", query{}) })
	}
	soon(t, "four are in flight", func() bool { return c.Stats().InFlight == 4 })
	if _, err := ask(t.Context(), c, "hung"); fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "too many") {
		t.Errorf("got %v", err)
	}
	cancel()
	running.Wait()
}

// TestCloseEndsCalls that are in flight, and those that come after.
func TestCloseEndsCalls(t *testing.T) {
	t.Parallel()
	_, url := serve(t, server.Options{})
	answers(t, peer(t, url), "hung", func(*natsgo.Msg) *natsgo.Msg { return nil })
	c := newClient(t, nats.Options{Servers: []string{url}})
	end := make(chan error, 2)
	go func() { _, err := ask(t.Context(), c, "hung"); end <- err }()
	go func() {
		end <- nats.Subscribe(t.Context(), c, "x", func() error { return nil }, func([]byte, uint64) {})
	}()
	soon(t, "it is in flight", func() bool { return c.Stats().InFlight == 1 })
	c.Close()
	c.Close()
	for range 2 {
		if err := <-end; fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("got %v", err)
		}
	}
	if _, err := ask(t.Context(), c, "hung"); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("afterwards: %v", err)
	}
}

// TestSlowSubscriberLosesTheOldest, is told how many, and holds up no call.
func TestSlowSubscriberLosesTheOldest(t *testing.T) {
	t.Parallel()
	const messages, kept = 1000, 16
	_, url := serve(t, server.Options{})
	service := peer(t, url)
	answers(t, service, "echo", echo)
	c := newClient(t, nats.Options{Servers: []string{url}, InboxMessages: kept})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	entered, goOn := make(chan struct{}), make(chan struct{})
	var got []int
	var lost uint64
	ended, subscribed := make(chan error), make(chan struct{})
	begin := func() error { close(subscribed); return nil }
	go func() {
		ended <- nats.Subscribe(ctx, c, "changes.p-1", begin, func(body []byte, missed uint64) {
			var s stock
			if err := json.Unmarshal(body, &s); err != nil {
				t.Errorf("%v", err)
			}
			if got = append(got, s.N); len(got) == 1 {
				close(entered)
				<-goOn
			}
			if lost += missed; s.N == messages {
				cancel()
			}
		})
	}()
	publish := func(n int) {
		if err := service.Publish("changes.p-1", fmt.Appendf(nil, `{"n":%d}`, n)); err != nil {
			t.Error(err)
		}
	}
	<-subscribed
	publish(0)
	<-entered
	for n := 1; n <= messages; n++ {
		publish(n)
	}
	_ = service.Flush()
	soon(t, "most are lost", func() bool { return c.Stats().Lost >= messages-kept })
	if _, err := ask(ctx, c, "echo"); err != nil {
		t.Errorf("meanwhile: %v", err)
	}
	close(goOn)
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	if last := got[len(got)-1]; last != messages || len(got) != kept+1 || lost != c.Stats().Lost {
		t.Errorf("got %v, lost %d of %d", got, lost, c.Stats().Lost)
	}
}

// TestSubscribedInTime: what is published once it is subscribed is told, and after what
// subscribed does; its error ends the subscription.
func TestSubscribedInTime(t *testing.T) {
	t.Parallel()
	_, url := serve(t, server.Options{})
	service := peer(t, url)
	c := newClient(t, nats.Options{Servers: []string{url}})
	own := errors.New("the test's own reason")
	for range 50 {
		ctx, cancel := context.WithCancelCause(t.Context())
		begun := false
		err := nats.Subscribe(ctx, c, "changes.p-1", func() error {
			if err := service.Publish("changes.p-1", []byte("1")); err != nil {
				return err
			}
			begun = true
			return service.Flush()
		}, func([]byte, uint64) {
			if !begun {
				t.Error("it was told before it had begun")
			}
			cancel(own)
		})
		if !errors.Is(err, own) || !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if err := nats.Subscribe(t.Context(), c, "x", func() error { return own }, nil); !errors.Is(err, own) {
		t.Errorf("ended with %v", err)
	}
	away := newAway(t, nats.Options{Servers: []string{"nats://127.0.0.1:1"}})
	if err := nats.Subscribe(t.Context(), away, "x", nil, nil); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("without NATS: %v", err)
	}
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	good := []string{"nats://127.0.0.1:4222"}
	for _, row := range []struct {
		options nats.Options
		field   string
	}{
		{nats.Options{Servers: good}, "service"},
		{nats.Options{Service: "s"}, "servers"},
		{nats.Options{Service: "s", Servers: []string{good[0], "http://h:1"}}, "servers[1]"},
		{nats.Options{Service: "s", Servers: []string{"nats://u:s3cret@:1"}}, "servers[0]"},
		{nats.Options{Service: "s", Servers: []string{"nats://s3cret@h:70000"}}, "servers[0]"},
		{nats.Options{Service: "s", Servers: []string{"nats://u:s3cret@h:1/p"}}, "servers[0]"},
		{nats.Options{Service: "s", Servers: []string{"nats://u:s3cret@h:1?a"}}, "servers[0]"},
		{nats.Options{Service: "s", Servers: []string{"nats://u:s3cret@ h"}}, "servers[0]"},
		{nats.Options{Service: "s", Servers: good, MaxBody: -1}, "max_body"},
		{nats.Options{Service: "s", Servers: good, MaxInFlight: -1}, "max_in_flight"},
		{nats.Options{Service: "s", Servers: good, InboxMessages: -1}, "inbox_messages"},
		{nats.Options{Service: "s", Servers: good, InboxBytes: -1}, "inbox_bytes"},
	} {
		c, err := nats.New(row.options)
		var f *fault.Error
		if !errors.As(err, &f) || f.Field != row.field || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%+v: %v, want field %s", row.options, err, row.field)
		}
		if c != nil {
			c.Close()
		}
	}
}

func TestSubjectsThatAreNone(t *testing.T) {
	t.Parallel()
	c := newAway(t, nats.Options{Servers: []string{"nats://127.0.0.1:1"}})
	for _, subject := range []string{"", "a.", ".a", "a..b", "a b", "a\r\nPUB x", "a.*", ">"} {
		if _, err := ask(t.Context(), c, subject); fault.CodeOf(err) != fault.Internal {
			t.Errorf("%q: %v", subject, err)
		}
	}
	if err := nats.Subscribe(t.Context(), c, "a b", nil, nil); fault.CodeOf(err) != fault.Internal {
		t.Errorf("%v", err)
	}
}

func TestUserAndPassword(t *testing.T) {
	t.Parallel()
	_, url := serve(t, server.Options{Username: "facet", Password: "s3cret"})
	known := strings.Replace(url, "nats://", "nats://facet:s3cret@", 1)
	answers(t, peer(t, known), "echo", echo)
	if got, err := ask(t.Context(), newClient(t, nats.Options{Servers: []string{known}}), "echo"); err != nil || got.ID != "p-1" {
		t.Errorf("got %v, %v", got, err)
	}
	unknown := newAway(t, nats.Options{Servers: []string{strings.Replace(known, "s3cret", "s3cre7", 1)}})
	soon(t, "it is told why", func() bool { return strings.Contains(strings.ToLower(unknown.Status()[0].Check), "authorization") })
	if text := fmt.Sprint(unknown.Status()); strings.Contains(text, "s3cre") {
		t.Errorf("the password is told: %s", text)
	}
}

// TestDescriptorsAtBaseline after clients that were connected, were not yet, or had
// calls in flight. It does not run beside others.
func TestDescriptorsAtBaseline(t *testing.T) {
	s, url := serve(t, server.Options{})
	service := peer(t, url)
	answers(t, service, "hung", func(*natsgo.Msg) *natsgo.Msg { return nil })
	before := leaktest.Descriptors(t)
	for range 5 {
		c := newClient(t, nats.Options{Servers: []string{url, "nats://127.0.0.1:1"}})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		_, _ = nats.Request[stock](ctx, c, "hung", query{})
		cancel()
		c.Close()
		newAway(t, nats.Options{Servers: []string{url}}).Close()
	}
	soon(t, "descriptors are at baseline", func() bool { return leaktest.Descriptors(t) <= before })
	kill(s)
}

func BenchmarkRequest(b *testing.B) {
	_, url := serve(b, server.Options{})
	answers(b, peer(b, url), "echo", echo)
	c := newClient(b, nats.Options{Servers: []string{url}})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := nats.Request[stock](b.Context(), c, "echo", query{"p-1"}); err != nil {
			b.Fatal(err)
		}
	}
}
