package amqp_test

import (
	"context"
	"strings"
	"testing"
	"time"

	amqpgo "github.com/rabbitmq/amqp091-go"

	"github.com/facet-gateway/facet/core/backend/amqp"
	"github.com/facet-gateway/facet/core/backend/amqp/amqptest"
	"github.com/facet-gateway/facet/core/leaktest"
	"github.com/facet-gateway/facet/core/report"
)

// long is longer than anything here takes.
const long = 30 * time.Second

func TestMain(m *testing.M) { leaktest.Main(m) }

type option struct {
	ID string `json:"id"`
}

type query struct {
	ID string `json:"id"`
}

// peer is another client of the broker: a service, or an attacker.
type peer struct {
	t       testing.TB
	channel *amqpgo.Channel
}

func newPeer(t testing.TB, url string) *peer {
	t.Helper()
	conn, err := amqpgo.Dial(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() }) // a test may have killed the broker
	channel, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return &peer{t, channel}
}

// answers serves a queue. What answer returns is sent, unless it is nil.
func (p *peer) answers(queue string, answer func(d *amqpgo.Delivery) *amqpgo.Publishing) {
	p.t.Helper()
	_, err := p.channel.QueueDeclare(queue, false, true, false, false, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	questions, err := p.channel.Consume(queue, "", true, false, false, false, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	go func() {
		for d := range questions {
			if a := answer(&d); a != nil {
				_ = p.reply(&d, d.CorrelationId, a)
			}
		}
	}()
}

// reply answers a question, with an id.
func (p *peer) reply(d *amqpgo.Delivery, id string, a *amqpgo.Publishing) error {
	with := *a
	with.CorrelationId = id
	return p.channel.PublishWithContext(context.Background(), "", d.ReplyTo, false, false, with)
}

// echo answers with what was asked.
func echo(d *amqpgo.Delivery) *amqpgo.Publishing { return &amqpgo.Publishing{Body: d.Body} }

func never(*amqpgo.Delivery) *amqpgo.Publishing { return nil }

// newClient returns a client that is connected.
func newClient(t testing.TB, o amqp.Options) *amqp.Client {
	t.Helper()
	c := newAway(t, o)
	soon(t, "it is connected", func() bool { return connected(c) })
	return c
}

func connected(c *amqp.Client) bool { return c.Status()[0].State == "in" }

// newAway returns a client that need not be connected.
func newAway(t testing.TB, o amqp.Options) *amqp.Client {
	t.Helper()
	o.Service = "shipping"
	c, err := amqp.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// start returns a real broker, a service of it and a client.
func start(t testing.TB, o amqp.Options, config ...string) (*amqptest.Server, *peer, *amqp.Client) {
	t.Helper()
	s := amqptest.Start(t, config...)
	o.Servers = []string{s.URL}
	return s, newPeer(t, s.URL), newClient(t, o)
}

// ask asks with a time limit.
func ask(ctx context.Context, c *amqp.Client, queue string) (option, error) {
	return askFor(ctx, c, queue, "p-1", long)
}

func askFor(ctx context.Context, c *amqp.Client, queue, id string, within time.Duration) (option, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return amqp.Request[option](ctx, c, queue, query{id})
}

// withCall returns a context that belongs to a call of a request, and the call.
func withCall(ctx context.Context) (context.Context, *report.Call) {
	call := report.New("req-7", report.NewTrace()).Begin("shipping.options")
	return report.WithCall(ctx, call), call
}

// soon polls until ok holds.
func soon(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(long); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", long, what)
		}
	}
}

func large(n int) []byte { return []byte(`{"id":"` + strings.Repeat("x", n) + `"}`) }
