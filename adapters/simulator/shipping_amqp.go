package simulator

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/facet-gateway/facet/adapters/wire"
	"github.com/facet-gateway/facet/core/fault"
)

// shippingAMQP is the shipping service over a broker that is there: it answers what
// comes to its queue. The queue is there while the service is: one that is down takes
// it away.
type shippingAMQP struct {
	service *service
	broker  string // URL
	crowd   *crowd

	mu   sync.Mutex
	conn *amqp.Connection // nil: there is none now
}

func bindShippingAMQP(s *service, _ *store, o *Options) further {
	return &shippingAMQP{service: s, broker: o.Brokers["amqp"], crowd: newCrowd()}
}

const (
	brokerWait  = 100 * time.Millisecond // between attempts to reach a broker that was lost
	maxUnheard  = 512                    // messages that the broker sends before the first of them was heard
	heartbeat   = 2 * time.Second
	statusField = "status"
)

func (a *shippingAMQP) start(ctx context.Context) error {
	if a.broker == "" {
		return fault.InvalidField("brokers.amqp", "a broker is needed: amqp://[USER:PASSWORD@]HOST:PORT[/VHOST]")
	}
	channel, questions, err := a.connect()
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		a.drop()
		return fmt.Errorf("the broker: %w", err)
	}
	if a.service.down() {
		a.drop()
	}
	a.crowd.run(func() {
		a.serve(channel, questions)
		a.keep()
	})
	return nil
}

// url is where the broker is; nobody needs to know the password from here.
func (a *shippingAMQP) url() string {
	u, err := url.Parse(a.broker)
	if err != nil {
		return ""
	}
	u.User = nil
	return u.String()
}

// connect reaches the broker, and takes what comes to the service's queue.
func (a *shippingAMQP) connect() (*amqp.Channel, <-chan amqp.Delivery, error) {
	conn, err := amqp.DialConfig(a.broker, amqp.Config{Heartbeat: heartbeat, Dial: amqp.DefaultDial(brokerTimeout)})
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // start does
	}
	a.mu.Lock()
	a.conn = conn
	a.mu.Unlock()
	channel, err := conn.Channel()
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // start does
	}
	if _, err = channel.QueueDeclare(wire.ShippingOptions, false, true, false, false, nil); err != nil {
		return nil, nil, err //nolint:wrapcheck // start does
	}
	if err = channel.Qos(maxUnheard, 0, false); err != nil {
		return nil, nil, err //nolint:wrapcheck // start does
	}
	questions, err := channel.ConsumeWithContext(a.crowd.life, wire.ShippingOptions, "", false, false, false, false, nil)
	return channel, questions, err //nolint:wrapcheck // start does
}

// keep connects again and again, while the service is up.
func (a *shippingAMQP) keep() {
	for a.crowd.life.Err() == nil {
		if i := a.service.injury.Load(); i != nil && i.Down {
			select {
			case <-i.replaced:
			case <-a.crowd.life.Done():
			}
			continue
		}
		if channel, questions, err := a.connect(); err == nil {
			a.serve(channel, questions)
		}
		a.drop()
		select {
		case <-time.After(brokerWait):
		case <-a.crowd.life.Done():
		}
	}
}

// serve answers until the connection is lost, the service is down or it ends.
func (a *shippingAMQP) serve(channel *amqp.Channel, questions <-chan amqp.Delivery) {
	if a.service.down() { // it may have fallen since
		a.drop()
	}
	for d := range questions {
		_ = d.Ack(false) // a question is answered once, or not at all
		head := func(name string) string {
			text, _ := d.Headers[name].(string)
			return text
		}
		a.crowd.answer(a.service, question{optionsTarget(d.Body), head}, func(r reply, err error) {
			if err == nil {
				_ = a.send(channel, &d, r) // the broker may be gone
			}
		})
	}
}

func (a *shippingAMQP) send(channel *amqp.Channel, d *amqp.Delivery, r reply) error {
	answer := amqp.Publishing{CorrelationId: d.CorrelationId, ContentType: r.kind, Body: r.body, Headers: amqp.Table{}}
	if r.cache != "" {
		answer.Headers["cache-control"] = r.cache
	}
	if r.status/100 != okStatus/100 {
		answer.Headers[statusField], answer.Headers["error"] = int32(r.status), r.said() //nolint:gosec // three digits
	}
	return channel.PublishWithContext(a.crowd.life, "", d.ReplyTo, false, false, answer) //nolint:wrapcheck // nobody reads it
}

// drop ends the connection, and with it the queue.
func (a *shippingAMQP) drop() {
	a.mu.Lock()
	conn := a.conn
	a.conn = nil
	a.mu.Unlock()
	if conn != nil {
		_ = conn.CloseDeadline(time.Now().Add(time.Second)) // the broker may be gone
	}
}

func (a *shippingAMQP) close() {
	a.crowd.stop()
	a.drop()
	a.crowd.close()
}
