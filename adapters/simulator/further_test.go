package simulator_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/adapters/simulator"
	cartwire "github.com/facet-gateway/facet/adapters/wire/cart"
	orderswire "github.com/facet-gateway/facet/adapters/wire/orders"
	"github.com/facet-gateway/facet/core/backend/grpc"
	"github.com/facet-gateway/facet/core/backend/thrift"
	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// way is a transport beside HTTP, with a service that speaks it.
type way struct {
	service, transport string
	line               string // the request over HTTP that a call equals
	answer             string // to it, in short
	// client returns what asks an address about a user, until the test ends, and tells the
	// answer in short.
	client func(t testing.TB, address string) asker
}

func ways() []way {
	return []way{
		{"cart", "grpc", "/carts/u-7", "u-7 2 5980 EUR p-9", grpcCart},
		{"orders", "thrift", "/orders?user=u-7&product=p-1042&limit=5", "o-1 2026-03-02T10:11:12Z delivered 24900 EUR p-1042", thriftOrders},
	}
}

func grpcCart(t testing.TB, address string) asker {
	client, err := grpc.New(grpc.Options{Service: "cart", Instances: []string{address}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return func(ctx context.Context, user string) (string, error) {
		c, err := cartwire.NewCartsClient(client).Get(ctx, &cartwire.GetRequest{User: user})
		if err != nil || len(c.Items) == 0 {
			return "", err
		}
		return strings.Join([]string{c.GetUser(), number(c.GetItemCount()), number(c.Subtotal.GetAmount()), c.Subtotal.GetCurrency(),
			c.Items[0].GetProductId()}, " "), nil
	}
}

func thriftOrders(t testing.TB, address string) asker {
	client, err := thrift.New(thrift.Options{Service: "orders", Instances: []string{address}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return func(ctx context.Context, user string) (string, error) {
		trace, id := report.CallFrom(ctx).Identity()
		left := int64(7000)
		told := &orderswire.RequestContext{Traceparent: string(trace.AppendTraceparent(nil)), RequestID: &id, TimeoutMs: &left}
		all, err := orderswire.NewOrdersClient(client).Query(ctx, told, user, "p-1042", 5)
		if err != nil || len(all) == 0 {
			return "", err
		}
		o := all[0]
		return strings.Join([]string{o.ID, time.UnixMilli(o.PlacedAt).UTC().Format(time.RFC3339), o.Status, number(o.Total.Amount),
			o.Total.Currency, o.Items[0].ProductID}, " "), nil
	}
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// asker asks a service about a user.
type asker func(ctx context.Context, user string) (string, error)

// eachWay runs a test with a simulator that speaks a transport, and what asks it.
func eachWay(t *testing.T, o simulator.Options, test func(t *testing.T, w way, s *simulator.Simulator, ask asker)) {
	for _, w := range ways() {
		t.Run(w.transport, func(t *testing.T) {
			o := o
			o.Transports, o.Seed = []string{w.transport}, 1
			s, _ := start(t, o)
			test(t, w, s, w.client(t, s.Address(w.service, w.transport)))
		})
	}
}

func set(t *testing.T, s *simulator.Simulator, w way, text string) {
	t.Helper()
	f, err := simulator.ParseFault(text)
	if err == nil {
		err = s.SetFault(w.service, f)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestFurtherTransportsAnswer(t *testing.T) {
	type asked struct {
		service, line string
		header        http.Header
	}
	var mu sync.Mutex
	var all []asked
	observe := func(service string, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, asked{service, r.URL.RequestURI(), r.Header.Clone()})
	}
	eachWay(t, simulator.Options{Observe: observe}, func(t *testing.T, w way, s *simulator.Simulator, ask asker) {
		all = nil
		request := report.New("req-7", report.NewTrace())
		ctx, cancel := context.WithTimeout(report.WithCall(t.Context(), request.Begin("x")), 7*time.Second)
		defer cancel()
		if got, err := ask(ctx, "u-7"); err != nil || got != w.answer {
			t.Errorf("got %q, %v", got, err)
		}
		if len(all) != 1 || all[0].service != w.service || all[0].line != w.line {
			t.Fatalf("%+v was seen", all)
		}
		h := all[0].header
		if h.Get("X-Request-Id") != "req-7" || !strings.Contains(h.Get("Traceparent"), request.Trace.String()) ||
			!strings.HasPrefix(h.Get("X-Request-Timeout-Ms"), "6") && h.Get("X-Request-Timeout-Ms") != "7000" {
			t.Errorf("with the header %v", h)
		}
		if n := s.Stats(w.service); n.Requests != 1 || n.InFlight != 0 || n.Aborted != 0 {
			t.Errorf("counted %+v", n)
		}
		if _, err := ask(t.Context(), "a b/../?&"); !errors.Is(err, fault.ErrRefused) && !isRefused(err) {
			t.Errorf("what is no identifier: %v", err)
		}
	})
}

// isRefused reports the exception that the IDL of orders declares.
func isRefused(err error) bool {
	var refused *orderswire.Refused
	return errors.As(err, &refused) && refused.Field == "user"
}

func TestFurtherTransportsFail(t *testing.T) {
	cases := []struct {
		fault  string
		code   fault.Code
		reason fault.Reason
	}{
		{"latency=20ms,spread=10ms", fault.OK, fault.None},
		{"drip=10us", fault.OK, fault.None},
		{"status=500", fault.Unavailable, fault.ReasonError},
		{"status=503", fault.Unavailable, fault.ReasonError},
		{"status=504", fault.Unavailable, fault.ReasonError},
		{"status=429", fault.Unavailable, fault.ReasonError},
		{"status=408", fault.Unavailable, fault.ReasonError},
		{"capacity=1,queue=0", fault.OK, fault.None},
		{"truncated", fault.BadAnswer, fault.ReasonInvalid},
		{"garbage", fault.BadAnswer, fault.ReasonInvalid},
		{"wrongtype", fault.BadAnswer, fault.ReasonInvalid},
		{"deep", fault.BadAnswer, fault.ReasonInvalid},
		{"oversize", fault.BadAnswer, fault.ReasonInvalid},
		{"huge", fault.BadAnswer, fault.ReasonInvalid},
		{"bomb", fault.BadAnswer, fault.ReasonInvalid},
		{"hang", fault.Timeout, fault.ReasonTimeout},
		{"down", fault.Unavailable, fault.ReasonError},
	}
	eachWay(t, simulator.Options{}, func(t *testing.T, w way, s *simulator.Simulator, ask asker) {
		for _, c := range cases {
			set(t, s, w, c.fault)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if c.fault != "hang" {
				ctx = context.WithoutCancel(ctx)
			}
			got, err := ask(ctx, "u-7")
			cancel()
			if fault.CodeOf(err) != c.code || fault.ReasonOf(err) != c.reason || err == nil && got != w.answer {
				t.Errorf("%s: got %q, %v", c.fault, got, err)
			}
			set(t, s, w, "none")
			healed := func() bool { got, err := ask(t.Context(), "u-7"); return err == nil && got == w.answer }
			eventually(t, time.Second, "healed of "+c.fault, healed)
		}
		set(t, s, w, "reset")
		if got, err := ask(t.Context(), "u-7"); fault.CodeOf(err) != fault.Unavailable && fault.CodeOf(err) != fault.BadAnswer {
			t.Errorf("reset: got %q, %v", got, err)
		}
		set(t, s, w, "status=400")
		if _, err := ask(t.Context(), "u-7"); !errors.Is(err, fault.ErrRefused) && !errors.As(err, new(*orderswire.Refused)) {
			t.Errorf("status=400: %v", err)
		}
		set(t, s, w, "status=404")
		if _, err := ask(t.Context(), "u-7"); fault.CodeOf(err) != fault.NotFound && !errors.As(err, new(*orderswire.NotFound)) {
			t.Errorf("status=404: %v", err)
		}
		eventually(t, patience, "nothing in flight", func() bool { return s.Stats(w.service).InFlight == 0 })
	})
}

// TestFurtherHangs end with the client, with the fault, with the service and with Close.
func TestFurtherHangs(t *testing.T) {
	eachWay(t, simulator.Options{}, func(t *testing.T, w way, s *simulator.Simulator, ask asker) {
		hang := func(ctx context.Context) <-chan error {
			set(t, s, w, "hang")
			done := make(chan error, 1)
			go func() {
				_, err := ask(ctx, "u-7")
				done <- err
			}()
			eventually(t, patience, "the call hangs", func() bool { return s.Stats(w.service).InFlight == 1 })
			return done
		}
		over := func(aborted int64) {
			t.Helper()
			eventually(t, patience, "nothing in flight", func() bool { return s.Stats(w.service).InFlight == 0 })
			if got := s.Stats(w.service).Aborted; got != aborted {
				t.Errorf("%d are counted as aborted by the client, want %d", got, aborted)
			}
		}
		ctx, leave := context.WithCancel(t.Context())
		done := hang(ctx)
		leave()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the cancel", err)
		}
		over(1)
		done = hang(t.Context())
		set(t, s, w, "none")
		if err := <-done; err != nil {
			t.Errorf("after healing: %v", err)
		}
		over(1)
		done = hang(t.Context())
		set(t, s, w, "down")
		if err := <-done; fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("down: %v", err)
		}
		over(1)
		done = hang(t.Context())
		s.Close()
		if err := <-done; err == nil {
			t.Error("an answer after the end")
		}
		over(1)
	})
}

// TestFurtherTransportsAreOnesThatThereAre.
func TestFurtherTransportsAreOnesThatThereAre(t *testing.T) {
	_, err := simulator.New(simulator.Options{Transports: []string{"grpc", "smtp"}})
	var e *fault.Error
	if !errors.As(err, &e) || e.Field != "transports" {
		t.Errorf("got %v", err)
	}
	s, err := simulator.New(simulator.Options{Transports: []string{"grpc"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Address("cart", "grpc"); got != "" {
		t.Errorf("before it starts it is at %s", got)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for service, want := range map[string]string{"cart": "grpc://127.0.0.1:", "orders": "", "nobody": ""} {
		if got := s.Address(service, "grpc"); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s is at %q", service, got)
		}
	}
}

// TestHealthOverGRPC is what balance's checks ask.
func TestHealthOverGRPC(t *testing.T) {
	s, _ := start(t, simulator.Options{Transports: []string{"grpc"}})
	o := balance.DefaultOptions()
	o.Check = &balance.Check{Interval: 100 * time.Millisecond, Timeout: 50 * time.Millisecond, Healthy: 1, Unhealthy: 1}
	client, err := grpc.New(grpc.Options{Service: "cart", Instances: []string{s.Address("cart", "grpc")}, Balance: o})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { client.Run(ctx) })
	defer running.Wait()
	defer cancel()
	is := func(state balance.State) func() bool { return func() bool { return client.Status()[0].State == state } }
	if err := s.SetFault("cart", simulator.Fault{Down: true}); err != nil {
		t.Fatal(err)
	}
	eventually(t, patience, "it is unhealthy", is(balance.Unhealthy))
	s.ClearFaults()
	eventually(t, patience, "it is back", func() bool { return !is(balance.Unhealthy)() })
}
