package wiretest

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/facet-gateway/facet/adapters/wire"
	backend "github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/backend/zmq/zmtp"
)

const ready = 10 * time.Second // until a server that was started serves

// stock is the request over HTTP that a question to the inventory equals.
func stock(method string, question []byte) backend.Target {
	if method == wire.InventoryStocks {
		var q wire.StocksQuery
		_ = json.Unmarshal(question, &q) // what cannot be read asks for nothing
		return backend.Path("/stock").Query("products", strings.Join(q.Products, ","))
	}
	var q wire.StockQuery
	_ = json.Unmarshal(question, &q) // as above
	return backend.Path("/stock/", q.Product)
}

// options is the one that a question to the shipping service equals.
func options(question []byte) backend.Target {
	var q wire.OptionsQuery
	_ = json.Unmarshal(question, &q) // what cannot be read asks for nothing
	target := backend.Path("/options").Query("product", q.Product).Query("weight", strconv.Itoa(q.WeightGrams))
	if q.Postcode != "" {
		target = target.Query("postcode", q.Postcode)
	}
	return target
}

// InventoryNATS serves the inventory over a NATS server of its own until the test ends.
// It returns the server's URL, and what publishes a change of stock.
func InventoryNATS(t testing.TB, h http.Handler) (url string, publish func(product, body string)) {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(ready) {
		t.Fatal("the NATS server does not start")
	}
	url = "nats://" + s.Addr().String()
	conn, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	for _, subject := range []string{wire.InventoryStock, wire.InventoryStocks} {
		if _, err := conn.Subscribe(subject, func(m *nats.Msg) { respond(h, m) }); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	return url, func(product, body string) {
		subject, _ := wire.InventoryChanges(product)
		if err := conn.Publish(subject, []byte(body)); err != nil {
			t.Error(err)
		}
	}
}

func respond(h http.Handler, m *nats.Msg) {
	status, body := ask(context.Background(), h, stock(m.Subject, m.Data))
	a := nats.NewMsg(m.Reply)
	if a.Data = body; status != http.StatusOK {
		a.Header.Set("Nats-Service-Error-Code", strconv.Itoa(status))
		a.Header.Set("Nats-Service-Error", "played")
	}
	_ = m.RespondMsg(a) // who asked may be gone
}

// InventoryZMQ serves the inventory over ZeroMQ until the test ends. It returns its URL,
// that of its PUB, and what publishes a change of stock.
func InventoryZMQ(t testing.TB, h http.Handler) (url, live string, publish func(product, body string)) {
	t.Helper()
	var pub zmtp.Pub
	url = lines(t, func(ctx context.Context, raw net.Conn) { router(ctx, raw, h) })
	live = lines(t, func(ctx context.Context, raw net.Conn) {
		conn, err := zmtp.AcceptPub(ctx, raw, zmtp.Limits{Message: maxTopic, Frames: 1, Shake: ready, Write: ready})
		if err != nil {
			return
		}
		defer conn.Close()
		defer context.AfterFunc(ctx, conn.Close)()
		_ = pub.Serve(conn) // who listened is gone
	})
	return url, live, func(product, body string) {
		topic, _ := wire.StockTopic(product)
		pub.Publish(topic, []byte(body))
	}
}

const maxTopic = 1 << 10 // bytes

// lines serves connections until the test ends, and returns where.
func lines(t testing.TB, serve func(ctx context.Context, raw net.Conn)) (url string) {
	t.Helper()
	l := listen(t)
	ctx, end := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { serve(ctx, raw) })
		}
	})
	t.Cleanup(func() {
		end()
		_ = l.Close() // it has served
		running.Wait()
	})
	return "tcp://" + l.Addr().String()
}

func router(ctx context.Context, raw net.Conn, h http.Handler) {
	const most, parts = 1 << 20, 4
	conn, err := zmtp.Accept(ctx, raw, zmtp.Limits{Message: most, Frames: parts, Shake: ready, Write: ready})
	if err != nil {
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, conn.Close)()
	for {
		m, err := conn.Receive()
		if err != nil || len(m) != parts {
			return
		}
		status, body := ask(ctx, h, stock(string(m[1]), m[3]))
		_ = conn.Send(m[0], []byte(`{"status":`+strconv.Itoa(status)+`}`), body) // who asked may be gone
	}
}

// ShippingAMQP serves the shipping service over a broker until the test ends.
func ShippingAMQP(t testing.TB, broker string, h http.Handler) {
	t.Helper()
	conn, err := amqp.Dial(broker)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // it has served
	channel, err := conn.Channel()
	if err == nil {
		_, err = channel.QueueDeclare(wire.ShippingOptions, false, true, false, false, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	questions, err := channel.Consume(wire.ShippingOptions, "", true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() { // it ends with the connection
		for d := range questions {
			status, body := ask(context.Background(), h, options(d.Body))
			_ = channel.PublishWithContext(context.Background(), "", d.ReplyTo, false, false, amqp.Publishing{
				CorrelationId: d.CorrelationId, Body: body, Headers: amqp.Table{"status": int32(status)}, //nolint:gosec // three digits
			}) // who asked may be gone
		}
	}()
}
