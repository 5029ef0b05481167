package simulator_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/adapters/simulator"
	"github.com/facet-gateway/facet/adapters/wire"
	"github.com/facet-gateway/facet/core/backend/amqp"
	"github.com/facet-gateway/facet/core/backend/amqp/amqptest"
	"github.com/facet-gateway/facet/core/backend/nats"
	"github.com/facet-gateway/facet/core/backend/zmq"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// messages is a transport of messages, with a service that speaks it.
type messages struct {
	service, transport string
	line, evil         string // the requests over HTTP that a call equals, and one about what is no product
	answer             string // to the first, in short
	breaks             bool   // whoever waits learns of it that a connection is broken off
	client             func(t *testing.T, address string) questioner
}

// questioner asks about a product, and tells the answer in short.
type questioner func(ctx context.Context, product string) (string, error)

const evilProduct = "a b/../?&"

func eachTransportOfMessages() []messages {
	const stock, evilStock = "/stock/p-1042", "/stock/a%20b%2F..%2F%3F&"
	const options, evilOptions = "/options?product=p-1042&weight=1900&postcode=1011AB",
		"/options?product=a+b%2F..%2F%3F%26&weight=1900&postcode=1011AB"
	return []messages{
		{"inventory", "nats", stock, evilStock, "p-1042 3", false, natsStock},
		{"inventory", "zmq", stock, evilStock, "p-1042 3", true, zmqStock},
		{"shipping", "amqp", options, evilOptions, "3 std 495", false, amqpOptions},
	}
}

type stockAnswer struct {
	ProductID string `json:"product_id"`
	Available *int   `json:"available"`
}

func (s *stockAnswer) short() string {
	if s.Available == nil {
		return s.ProductID
	}
	return fmt.Sprint(s.ProductID, " ", *s.Available)
}

func natsStock(t *testing.T, address string) questioner {
	c, err := nats.New(nats.Options{Service: "inventory", Servers: []string{address}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	eventually(t, patience, "it is connected", func() bool { return c.Status()[0].State == "in" })
	return func(ctx context.Context, product string) (string, error) {
		s, err := nats.Request[stockAnswer](ctx, c, wire.InventoryStock, wire.StockQuery{Product: product})
		return s.short(), err
	}
}

func zmqStock(t *testing.T, address string) questioner {
	c, err := zmq.New(zmq.Options{Service: "inventory", Instances: []string{address}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return func(ctx context.Context, product string) (string, error) {
		s, err := zmq.Request[stockAnswer](ctx, c, wire.InventoryStock, wire.StockQuery{Product: product})
		return s.short(), err
	}
}

func amqpOptions(t *testing.T, address string) questioner {
	c, err := amqp.New(amqp.Options{Service: "shipping", Servers: []string{address}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	eventually(t, patience, "it is connected", func() bool { return c.Status()[0].State == "in" })
	return func(ctx context.Context, product string) (string, error) {
		q := wire.OptionsQuery{Product: product, WeightGrams: 1900, Postcode: "1011AB"}
		o, err := amqp.Request[struct {
			Options []struct {
				ID   string
				Cost struct{ Amount int }
			}
		}](ctx, c, wire.ShippingOptions, q)
		if err != nil || len(o.Options) == 0 {
			return "", err
		}
		return fmt.Sprint(len(o.Options), " ", o.Options[0].ID, " ", o.Options[0].Cost.Amount), nil
	}
}

// overEach runs a test with a simulator that speaks a transport of messages, and what
// asks it.
func overEach(t *testing.T, o simulator.Options, test func(*testing.T, messages, *simulator.Simulator, questioner)) {
	for _, m := range eachTransportOfMessages() {
		t.Run(m.transport, func(t *testing.T) {
			o := o
			o.Transports, o.Seed = []string{m.transport}, 1
			if m.transport == "amqp" {
				o.Brokers = map[string]string{"amqp": amqptest.Start(t).URL}
			}
			s, _ := start(t, o)
			test(t, m, s, m.client(t, strings.Replace(s.Address(m.service, m.transport), "amqp://", "amqp://guest:guest@", 1)))
		})
	}
}

func harm(t *testing.T, s *simulator.Simulator, service, text string) {
	t.Helper()
	f, err := simulator.ParseFault(text)
	if err == nil {
		err = s.SetFault(service, f)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// seen is a request as Observe sees it.
type seen struct {
	service, line string
	header        http.Header
}

func TestMessages(t *testing.T) {
	var mu sync.Mutex
	var all []seen
	observe := func(service string, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, seen{service, r.URL.RequestURI(), r.Header.Clone()})
	}
	last := func() seen {
		mu.Lock()
		defer mu.Unlock()
		one := all[len(all)-1]
		return one
	}
	overEach(t, simulator.Options{Observe: observe}, func(t *testing.T, m messages, s *simulator.Simulator, ask questioner) {
		t.Run("answer", func(t *testing.T) { messagesAnswer(t, m, s, ask, last) })
		t.Run("fail", func(t *testing.T) { messagesFail(t, m, s, ask) })
		t.Run("hang", func(t *testing.T) { messagesHang(t, m, s, ask) })
	})
}

func messagesAnswer(t *testing.T, m messages, s *simulator.Simulator, ask questioner, last func() seen) {
	s.ResetStats()
	request := report.New("req-7", report.NewTrace())
	ctx, cancel := context.WithTimeout(report.WithCall(t.Context(), request.Begin("x")), 7*time.Second)
	defer cancel()
	if got, err := ask(ctx, "p-1042"); err != nil || got != m.answer {
		t.Errorf("got %q, %v", got, err)
	}
	one := last()
	if one.service != m.service || one.line != m.line {
		t.Errorf("%+v was seen", one)
	}
	if h := one.header; h.Get("X-Request-Id") != "req-7" || !strings.Contains(h.Get("Traceparent"), request.Trace.String()) ||
		!strings.HasPrefix(h.Get("X-Request-Timeout-Ms"), "6") && h.Get("X-Request-Timeout-Ms") != "7000" {
		t.Errorf("with the header %v", h)
	}
	eventually(t, patience, "it is counted", func() bool {
		n := s.Stats(m.service)
		return n.Requests == 1 && n.InFlight == 0 && n.Aborted == 0
	})
	if _, err := ask(t.Context(), "p-none"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("what is not known: %v", err)
	}
	if _, err := ask(t.Context(), evilProduct); !errors.Is(err, fault.ErrRefused) || last().line != m.evil {
		t.Errorf("what is no identifier: %v, seen as %s", err, last().line)
	}
}

func messagesFail(t *testing.T, m messages, s *simulator.Simulator, ask questioner) {
	// Over a broker, whoever waits does not learn that a connection was broken off.
	reset := fault.Timeout
	if m.breaks {
		reset = fault.Unavailable
	}
	for _, c := range []struct {
		fault string
		code  fault.Code
	}{
		{"latency=20ms,spread=10ms", fault.OK},
		{"drip=10us", fault.OK},
		{"capacity=1,queue=0", fault.OK},
		{"status=400", fault.BadAnswer},
		{"status=404", fault.NotFound},
		{"status=408", fault.Unavailable},
		{"status=429", fault.Unavailable},
		{"status=500", fault.Unavailable},
		{"status=503", fault.Unavailable},
		{"truncated", fault.BadAnswer},
		{"garbage", fault.BadAnswer},
		{"wrongtype", fault.BadAnswer},
		{"deep", fault.BadAnswer},
		{"oversize", fault.BadAnswer},
		{"huge", fault.BadAnswer},
		{"bomb", fault.BadAnswer},
		{"hang", fault.Timeout},
		{"reset", reset},
		{"down", fault.Unavailable},
	} {
		harm(t, s, m.service, c.fault)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		if c.code == fault.Timeout {
			cancel()
			ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
		}
		down := func() bool {
			got, err := ask(ctx, "p-1042")
			ok := fault.CodeOf(err) == c.code && (err != nil || got == m.answer)
			if !ok && c.fault != "down" {
				t.Errorf("%s: got %q, %v", c.fault, got, err)
			}
			return ok || c.fault != "down"
		}
		eventually(t, patience, c.fault, down) // a broker may hear of it later than who is asked here
		cancel()
		harm(t, s, m.service, "none")
		healed := func() bool {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			got, err := ask(ctx, "p-1042")
			return err == nil && got == m.answer
		}
		eventually(t, patience, "healed of "+c.fault, healed)
	}
	eventually(t, patience, "nothing in flight", func() bool { return s.Stats(m.service).InFlight == 0 })
}

// messagesHang end with their time, with the fault, with the service and with Close.
func messagesHang(t *testing.T, m messages, s *simulator.Simulator, ask questioner) {
	s.ResetStats()
	hang := func(within time.Duration) <-chan error {
		harm(t, s, m.service, "hang")
		done := make(chan error, 1)
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), within)
			defer cancel()
			_, err := ask(ctx, "p-1042")
			done <- err
		}()
		eventually(t, patience, "the call hangs", func() bool { return s.Stats(m.service).InFlight == 1 })
		return done
	}
	over := func() {
		t.Helper()
		eventually(t, patience, "nothing in flight", func() bool { return s.Stats(m.service).InFlight == 0 })
		if got := s.Stats(m.service).Aborted; got != 1 {
			t.Errorf("%d are counted as aborted, want the one whose time was over", got)
		}
	}
	if err := <-hang(100 * time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
	over()
	done := hang(patience)
	harm(t, s, m.service, "none")
	if err := <-done; err != nil {
		t.Errorf("after healing: %v", err)
	}
	over()
	done = hang(patience)
	s.Close()
	if m.breaks {
		if err := <-done; fault.CodeOf(err) != fault.Unavailable {
			t.Errorf("after the end: %v", err)
		}
	} else if err := <-done; err == nil {
		t.Error("an answer after the end")
	}
	over()
}

// TestMessagesThatCannotBeRead are refused, and so are methods that there are not.
func TestMessagesThatCannotBeRead(t *testing.T) {
	s, _ := start(t, simulator.Options{Transports: []string{"zmq"}})
	c, err := zmq.New(zmq.Options{Service: "inventory", Instances: []string{s.Address("inventory", "zmq")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for _, q := range []any{"text", []int{1}, map[string]int{"product": 1}} {
		if _, err := zmq.Request[stockAnswer](t.Context(), c, wire.InventoryStock, q); !errors.Is(err, fault.ErrRefused) {
			t.Errorf("%v: %v", q, err)
		}
	}
	if _, err := zmq.Request[stockAnswer](t.Context(), c, "inventory.unknown", nil); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("a method that there is not: %v", err)
	}
	type batch struct{ Stock []stockAnswer }
	got, err := zmq.Request[batch](t.Context(), c, wire.InventoryStocks, wire.StocksQuery{Products: []string{"p-1042", "p-none", "p-9"}})
	if err != nil || len(got.Stock) != 2 || got.Stock[0].short() != "p-1042 3" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestBrokerThatIsNotThere(t *testing.T) {
	for transport, url := range map[string]string{"nats": "nats://127.0.0.1:1", "amqp": "amqp://guest:s3cret@127.0.0.1:1"} {
		s, err := simulator.New(simulator.Options{Transports: []string{transport}, Brokers: map[string]string{transport: url}})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Start(t.Context()); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", transport, err)
		}
		s.Close()
	}
	s, err := simulator.New(simulator.Options{Transports: []string{"amqp"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), "brokers.amqp") {
		t.Errorf("without a broker: %v", err)
	}
	s.Close()
}

// changesOfStock subscribes to those of a product, over each transport that tells them,
// until the test ends.
func changesOfStock(t *testing.T, s *simulator.Simulator, product string) map[string]<-chan string {
	t.Helper()
	n, err := nats.New(nats.Options{Service: "inventory", Servers: []string{s.Address("inventory", "nats")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	eventually(t, patience, "it is connected", func() bool { return n.Status()[0].State == "in" })
	z, err := zmq.New(zmq.Options{Service: "inventory", Publishers: []string{s.LiveAddress("inventory", "zmq")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(z.Close)
	subject, _ := wire.InventoryChanges(product)
	topic, _ := wire.StockTopic(product)
	all := map[string]<-chan string{}
	for transport, subscribe := range map[string]func(context.Context, func() error, func([]byte, uint64)) error{
		"nats": func(ctx context.Context, begun func() error, told func([]byte, uint64)) error {
			return nats.Subscribe(ctx, n, subject, begun, told)
		},
		"zmq": func(ctx context.Context, begun func() error, told func([]byte, uint64)) error {
			return zmq.Subscribe(ctx, z, topic, begun, told)
		},
	} {
		changes, subscribed, ended := make(chan string, 8), make(chan struct{}), make(chan error, 1)
		ctx, cancel := context.WithCancel(context.Background())
		go func() {
			begun := func() error { close(subscribed); return nil }
			ended <- subscribe(ctx, begun, func(body []byte, _ uint64) { changes <- string(body) })
		}()
		t.Cleanup(func() {
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("the subscription over %s ended with %v", transport, err)
			}
		})
		<-subscribed
		all[transport] = changes
	}
	return all
}

// TestStockThatChanges is told by every binding, and published by those that can.
func TestStockThatChanges(t *testing.T) {
	s, c := start(t, simulator.Options{Transports: []string{"nats", "zmq"}})
	published := changesOfStock(t, s, "p-1042")
	put := func(product, body string) reply {
		t.Helper()
		r, err := send(t.Context(), c, http.MethodPut, s.ControlURL()+"/stock/"+product, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	ask := map[string]questioner{
		"nats": natsStock(t, s.Address("inventory", "nats")), "zmq": zmqStock(t, s.Address("inventory", "zmq")),
	}
	for level, want := range map[int]string{7: `"low":false}`, 0: `"low":true,"restock_at":"2026-12-01T00:00:00Z"}`} {
		want = fmt.Sprintf(`{"product_id":"p-1042","available":%d,`, level) + want
		if r := put("p-1042", fmt.Sprintf(`{"available":%d}`, level)); r.status != 200 || string(r.body) != want {
			t.Errorf("%d: told %d %s", level, r.status, r.body)
		}
		for transport, changes := range published {
			if got := <-changes; got != want {
				t.Errorf("published %s over %s, want %s", got, transport, want)
			}
		}
		if r := get(t, c, s.URL("inventory")+"/stock/p-1042"); string(r.body) != want {
			t.Errorf("over HTTP it is %s", r.body)
		}
		for transport, ask := range ask {
			if got, err := ask(t.Context(), "p-1042"); err != nil || got != fmt.Sprint("p-1042 ", level) {
				t.Errorf("over %s it is %s, %v", transport, got, err)
			}
		}
	}
	if r := put("p-9", `{"available":1}`); r.status != 200 || len(published["nats"])+len(published["zmq"]) != 0 {
		t.Errorf("another product: %d, %d changes", r.status, len(published["nats"])+len(published["zmq"]))
	}
	for _, row := range []struct {
		product, body string
		status        int
	}{
		{"p-none", `{"available":1}`, 404},
		{"p%201", `{"available":1}`, 400},
		{"p-1042", `{"available":-1}`, 400},
		{"p-1042", `{"available":1000001}`, 400},
		{"p-1042", `{"available":"1"}`, 400},
		{"p-1042", `{}`, 400},
		{"p-1042", `{"available":1` + strings.Repeat(" ", 5000) + `}`, 400},
	} {
		if r := put(row.product, row.body); r.status != row.status {
			t.Errorf("%s %.30s: %d %s, want %d", row.product, row.body, r.status, r.body, row.status)
		}
	}
}

// TestWhereChangesArePublished is told where that is elsewhere, once it is started.
func TestWhereChangesArePublished(t *testing.T) {
	s, err := simulator.New(simulator.Options{Transports: []string{"nats", "zmq"}})
	if err != nil {
		t.Fatal(err)
	}
	if live := s.LiveAddress("inventory", "zmq"); live != "" {
		t.Errorf("before the start: %s", live)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if live := s.LiveAddress("inventory", "zmq"); !strings.HasPrefix(live, "tcp://127.0.0.1:") || live == s.Address("inventory", "zmq") {
		t.Errorf("over zmq: %q", live)
	}
	for _, other := range [][2]string{{"inventory", "nats"}, {"inventory", "http"}, {"cart", "zmq"}, {"none", "zmq"}} {
		if live := s.LiveAddress(other[0], other[1]); live != "" {
			t.Errorf("%v: %s", other, live)
		}
	}
}
