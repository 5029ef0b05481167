package amqp_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	amqpgo "github.com/rabbitmq/amqp091-go"

	"github.com/facet-gateway/facet/core/backend/amqp"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/leaktest"
	"github.com/facet-gateway/facet/core/report"
)

// TestCalls are those of a broker that is well: one serves them all.
func TestCalls(t *testing.T) {
	server, service, c := start(t, amqp.Options{MaxBody: 1000})
	service.answers("echo", echo)
	service.answers("hung", never)
	for name, test := range map[string]func(*testing.T, *peer, *amqp.Client){
		"table of errors": tableOfErrors, "no queue": noQueue, "what goes along": whatGoesAlong, "late answers": lateAnswers,
		"ends with its context": endsWithItsContext, "dies in the queue": diesInTheQueue, "queues that are none": queuesThatAreNone,
	} {
		t.Run(name, func(t *testing.T) { test(t, service, c) })
	}
	t.Run("an attacker's answers", func(t *testing.T) { attackersAnswers(t, service, newPeer(t, server.URL), c) })
	t.Run("too many", func(t *testing.T) {
		tooMany(t, newClient(t, amqp.Options{Servers: []string{server.URL}, MaxInFlight: 4}))
	})
	t.Run("close", func(t *testing.T) { closeEndsCalls(t, newClient(t, amqp.Options{Servers: []string{server.URL}})) })
	t.Run("descriptors", func(t *testing.T) { descriptorsAtBaseline(t, server.URL) })
	t.Run("who it is", func(t *testing.T) { whoItIs(t, server.URL) })
}

func tableOfErrors(t *testing.T, service *peer, c *amqp.Client) {
	good := []byte(`{"id":"a"}`)
	status := func(status any) amqpgo.Table { return amqpgo.Table{"status": status, "error": "no such thing"} }
	for i, row := range []struct {
		name   string
		answer *amqpgo.Publishing
		code   fault.Code
		reason fault.Reason
	}{
		{"good", &amqpgo.Publishing{Body: good}, fault.OK, fault.None},
		{"good and says so", &amqpgo.Publishing{Body: good, Headers: status(int32(200))}, fault.OK, fault.None},
		{"typed", &amqpgo.Publishing{Body: good, ContentType: "application/json; charset=UTF-8"}, fault.OK, fault.None},
		{"not found", &amqpgo.Publishing{Headers: status(int64(404))}, fault.NotFound, fault.ReasonNotFound},
		{"not found, in text", &amqpgo.Publishing{Headers: status("404")}, fault.NotFound, fault.ReasonNotFound},
		{"refused", &amqpgo.Publishing{Headers: status(int16(400))}, fault.BadAnswer, fault.ReasonError},
		{"in a hurry", &amqpgo.Publishing{Headers: status(int32(408))}, fault.Unavailable, fault.ReasonError},
		{"busy", &amqpgo.Publishing{Headers: status(int32(429))}, fault.Unavailable, fault.ReasonError},
		{"broken", &amqpgo.Publishing{Headers: status(int32(500)), Body: good}, fault.Unavailable, fault.ReasonError},
		{"moved", &amqpgo.Publishing{Headers: status(int32(302)), Body: good}, fault.BadAnswer, fault.ReasonInvalid},
		{"a status that is none", &amqpgo.Publishing{Headers: status("oops"), Body: good}, fault.BadAnswer, fault.ReasonInvalid},
		{"an empty status", &amqpgo.Publishing{Headers: status(""), Body: good}, fault.BadAnswer, fault.ReasonInvalid},
		{"a status of another type", &amqpgo.Publishing{Headers: status(true), Body: good}, fault.BadAnswer, fault.ReasonInvalid},
		{"empty", &amqpgo.Publishing{}, fault.BadAnswer, fault.ReasonInvalid},
		{"null", &amqpgo.Publishing{Body: []byte("null")}, fault.BadAnswer, fault.ReasonInvalid},
		{"garbage", &amqpgo.Publishing{Body: []byte("\x00\xffs3cret")}, fault.BadAnswer, fault.ReasonInvalid},
		{"cut short", &amqpgo.Publishing{Body: []byte(`{"id":"s3cret`)}, fault.BadAnswer, fault.ReasonInvalid},
		{"another type", &amqpgo.Publishing{Body: good, ContentType: "text/html"}, fault.BadAnswer, fault.ReasonInvalid},
		{"oversized", &amqpgo.Publishing{Body: large(1000)}, fault.BadAnswer, fault.ReasonInvalid},
		{"of many frames", &amqpgo.Publishing{Body: large(1 << 20)}, fault.BadAnswer, fault.ReasonInvalid},
	} {
		t.Run(row.name, func(t *testing.T) {
			queue := fmt.Sprint("table", i)
			service.answers(queue, func(*amqpgo.Delivery) *amqpgo.Publishing { return row.answer })
			ctx, call := withCall(t.Context())
			got, err := ask(ctx, c, queue)
			if fault.CodeOf(err) != row.code || err != nil && fault.ReasonOf(err) != row.reason || err == nil && got.ID != "a" {
				t.Errorf("got %v, %v", got, err)
			}
			if errors.Is(err, fault.ErrRefused) != (row.name == "refused") {
				t.Errorf("refused: %v", err)
			}
			if call.Attempts != 1 || call.Bytes != len(row.answer.Body) {
				t.Errorf("recorded %d attempts and %d bytes", call.Attempts, call.Bytes)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the log has what was answered: %v", err)
			}
		})
	}
	if n := c.Stats().InFlight; n != 0 {
		t.Errorf("afterwards %d calls are in flight", n)
	}
}

func noQueue(t *testing.T, _ *peer, c *amqp.Client) {
	began := time.Now()
	_, err := ask(t.Context(), c, "nobody")
	if fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "the queue is not there") || time.Since(began) > long/2 {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
}

func whatGoesAlong(t *testing.T, service *peer, c *amqp.Client) {
	asked := make(chan amqpgo.Delivery, 1)
	service.answers("along", func(d *amqpgo.Delivery) *amqpgo.Publishing {
		asked <- *d
		return &amqpgo.Publishing{Body: []byte(`{"id":"a"}`), Headers: amqpgo.Table{"cache-control": "max-age=60"}}
	})
	ctx, call := withCall(t.Context())
	if _, err := ask(ctx, c, "along"); err != nil {
		t.Fatal(err)
	}
	d := <-asked
	for name, form := range map[string]string{
		"traceparent":  "^00-" + call.Request().Trace.String() + "-[0-9a-f]{16}-0[0-9a-f]$",
		"X-Request-Id": "^req-7$", "X-Request-Timeout-Ms": "^(2[0-9]{4}|30000)$",
	} {
		if v := fmt.Sprint(d.Headers[name]); !regexp.MustCompile(form).MatchString(v) {
			t.Errorf("%s: %q", name, v)
		}
	}
	if len(d.Headers) != 3 || string(d.Body) != `{"id":"p-1"}` || d.ContentType != "application/json" || len(d.CorrelationId) < 26 {
		t.Errorf("asked %q (%s, %s) with %v", d.Body, d.ContentType, d.CorrelationId, d.Headers)
	}
	if !regexp.MustCompile("^(2[0-9]{4}|30000)$").MatchString(d.Expiration) {
		t.Errorf("it dies after %q", d.Expiration)
	}
	if call.Caching != (report.Caching{MaxAge: time.Minute}) {
		t.Errorf("may be remembered: %+v", call.Caching)
	}
	if _, err := amqp.Request[option](t.Context(), c, "along", query{}); err != nil {
		t.Fatal(err)
	}
	if d := <-asked; len(d.Headers) != 1 {
		t.Errorf("of a call without a request: %v", d.Headers)
	}
}

// diesInTheQueue: nobody takes a question from the queue until its call has ended.
func diesInTheQueue(t *testing.T, service *peer, c *amqp.Client) {
	const queue = "waiting"
	if _, err := service.channel.QueueDeclare(queue, false, true, false, false, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := askFor(t.Context(), c, queue, "dead", 50*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatal(err)
	}
	soon(t, "it is dead", func() bool {
		q, err := service.channel.QueueDeclarePassive(queue, false, true, false, false, nil)
		return err == nil && q.Messages == 0
	})
	service.answers(queue, echo)
	if got, err := askFor(t.Context(), c, queue, "alive", long); err != nil || got.ID != "alive" {
		t.Errorf("got %v, %v", got, err)
	}
}

func endsWithItsContext(t *testing.T, _ *peer, c *amqp.Client) {
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
			_, err := amqp.Request[option](ctx, c, "hung", query{})
			now := time.Now().UnixNano()
			if !errors.Is(err, own) || !errors.Is(err, ctx.Err()) {
				t.Errorf("%s: %v", name, err)
			}
			soon(t, "it is over", func() bool { return over.Load() != 0 })
			return time.Duration(now - over.Load())
		}
		soon(t, name+" ends a call within 30 ms", func() bool { return late() <= 30*time.Millisecond })
	}
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(own)
	ended, call := withCall(ended)
	if _, err := ask(ended, c, "hung"); !errors.Is(err, own) || call.Attempts != 0 {
		t.Errorf("ended before it began: %v after %d attempts", err, call.Attempts)
	}
}

// lateAnswers come after their calls have ended, twice, and while others are in flight.
func lateAnswers(t *testing.T, service *peer, c *amqp.Client) {
	const calls = 200
	held := make(chan amqpgo.Delivery, calls)
	service.answers("late", func(d *amqpgo.Delivery) *amqpgo.Publishing { held <- *d; return nil })
	before := c.Stats().Late
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
			if _, err := amqp.Request[option](ctx, c, "late", query{fmt.Sprint("late-", i)}); !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
		})
	}
	callers.Wait()
	sent := uint64(0)
	for len(held) > 0 {
		d := <-held
		for range 2 {
			if err := service.reply(&d, d.CorrelationId, echo(&d)); err != nil {
				t.Fatal(err)
			}
			sent++
		}
		id := fmt.Sprint("own-", sent)
		if got, err := askFor(t.Context(), c, "echo", id, long); err != nil || got.ID != id {
			t.Fatalf("%q for %q, %v", got.ID, id, err)
		}
	}
	soon(t, "each is counted", func() bool { return c.Stats().Late == before+sent })
	if sent == 0 {
		t.Error("no call was sent")
	}
}

// attackersAnswers have guessed ids, and come where a question said that answers go.
func attackersAnswers(t *testing.T, service, attacker *peer, c *amqp.Client) {
	asked := make(chan amqpgo.Delivery, 1)
	service.answers("seen", func(d *amqpgo.Delivery) *amqpgo.Publishing { asked <- *d; return echo(d) })
	if _, err := ask(t.Context(), c, "seen"); err != nil {
		t.Fatal(err)
	}
	d, before := <-asked, c.Stats().Late
	ids := []string{"", "0", d.CorrelationId, strings.Repeat("A", 26), d.CorrelationId[:25] + "A"}
	for n := range 300 {
		var attack sync.WaitGroup
		attack.Go(func() {
			for _, id := range ids {
				_ = attacker.reply(&d, id+strings.Repeat("x", n%2), &amqpgo.Publishing{Body: []byte(`{"id":"evil"}`)})
			}
		})
		id := fmt.Sprint("own-", n)
		if got, err := askFor(t.Context(), c, "echo", id, long); err != nil || got.ID != id {
			t.Errorf("%q for %q, %v", got.ID, id, err)
		}
		attack.Wait()
	}
	soon(t, "the attack is counted", func() bool { return c.Stats().Late == before+300*uint64(len(ids)) })
}

func tooMany(t *testing.T, c *amqp.Client) {
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() { _, _ = amqp.Request[option](ctx, c, "hung", query{}) })
	}
	soon(t, "four are in flight", func() bool { return c.Stats().InFlight == 4 })
	if _, err := ask(t.Context(), c, "hung"); fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "too many") {
		t.Errorf("got %v", err)
	}
	cancel()
	running.Wait()
}

func closeEndsCalls(t *testing.T, c *amqp.Client) {
	end := make(chan error, 1)
	go func() { _, err := ask(t.Context(), c, "hung"); end <- err }()
	soon(t, "it is in flight", func() bool { return c.Stats().InFlight == 1 })
	c.Close()
	c.Close()
	if err := <-end; fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "closed") {
		t.Errorf("got %v", err)
	}
	if _, err := ask(t.Context(), c, "hung"); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("afterwards: %v", err)
	}
}

func descriptorsAtBaseline(t *testing.T, url string) {
	before := leaktest.Descriptors(t)
	for range 5 {
		c := newClient(t, amqp.Options{Servers: []string{url}})
		_, _ = askFor(t.Context(), c, "hung", "x", 5*time.Millisecond)
		c.Close()
		newAway(t, amqp.Options{Servers: []string{url}}).Close()
	}
	soon(t, "descriptors are at baseline", func() bool { return leaktest.Descriptors(t) <= before })
}

func whoItIs(t *testing.T, url string) {
	for text, url := range map[string]string{
		"username or password not allowed": strings.Replace(url, "guest:guest", "guest:s3cret", 1),
		"vhost nowhere not found":          url + "/nowhere",
	} {
		c := newAway(t, amqp.Options{Servers: []string{url}})
		said := ""
		soon(t, "it is told why", func() bool {
			said = c.Status()[0].Check
			return strings.Contains(said, "shake hands")
		})
		if !strings.Contains(said, text) || strings.Contains(said, "s3cret") {
			t.Errorf("it is told %q, want %q and no password", said, text)
		}
		if _, err := ask(t.Context(), c, "echo"); fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func queuesThatAreNone(t *testing.T, _ *peer, c *amqp.Client) {
	for _, queue := range []string{"", strings.Repeat("q", 256)} {
		if _, err := ask(t.Context(), c, queue); fault.CodeOf(err) != fault.Internal {
			t.Errorf("%d bytes: %v", len(queue), err)
		}
	}
}

func TestBadOptions(t *testing.T) {
	good := []string{"amqp://127.0.0.1"}
	for _, row := range []struct {
		options amqp.Options
		field   string
	}{
		{amqp.Options{Servers: good}, "service"},
		{amqp.Options{Service: "s"}, "servers"},
		{amqp.Options{Service: "s", Servers: []string{good[0], "http://h:1"}}, "servers[1]"},
		{amqp.Options{Service: "s", Servers: []string{"amqp://u:s3cret@:1"}}, "servers[0]"},
		{amqp.Options{Service: "s", Servers: []string{"amqp://u:s3cret@h:70000"}}, "servers[0]"},
		{amqp.Options{Service: "s", Servers: []string{"amqp://u:s3cret@h/a/b"}}, "servers[0]"},
		{amqp.Options{Service: "s", Servers: []string{"amqp://u:s3cret@h:1?heartbeat=0"}}, "servers[0]"},
		{amqp.Options{Service: "s", Servers: []string{"amqp://u:s3cret@ h"}}, "servers[0]"},
		{amqp.Options{Service: "s", Servers: good, MaxBody: -1}, "max_body"},
		{amqp.Options{Service: "s", Servers: good, MaxInFlight: -1}, "max_in_flight"},
	} {
		c, err := amqp.New(row.options)
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
	_, service, c := start(b, amqp.Options{})
	service.answers("echo", echo)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ask(b.Context(), c, "echo"); err != nil {
			b.Fatal(err)
		}
	}
}
