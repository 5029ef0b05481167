package amqp

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/facet-gateway/facet/core/backend/message"
)

// session is one connection to a broker, with its channel.
type session struct {
	server   int // of the list
	wire     *wire
	conn     *amqp.Connection
	channel  *amqp.Channel
	most     int
	answers  <-chan amqp.Delivery
	returns  chan amqp.Return
	confirms chan amqp.Confirmation
	blocks   chan amqp.Blocking
	closed   chan *amqp.Error

	mu          sync.Mutex
	unconfirmed map[uint64]string // the ids of questions by the numbers that the broker confirms
}

// connect makes a session. It ends with the client, and after its time.
func (c *Client) connect(server int) (s *session, err error) {
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(c.life, "tcp", hostOf(c.options.Servers[server]))
	if err != nil {
		return nil, err //nolint:wrapcheck // Status tells it
	}
	s = &session{server: server, most: 2 * c.options.MaxInFlight, unconfirmed: map[uint64]string{}}
	ctx, cancel := context.WithTimeout(c.life, setUp)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() }) // whatever waits for the broker
	err = s.open(ctx, conn, c.options.Servers[server], c.options.TLS)
	if !stop() && err == nil {
		err = errAway
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return s, nil
}

// open shakes hands, and sets up how answers come.
func (s *session) open(ctx context.Context, conn net.Conn, url string, secrets *tls.Config) error {
	to, err := amqp.ParseURI(url)
	if err != nil {
		return fmt.Errorf("read the URL: %w", err)
	}
	if s.wire, err = newWire(ctx, conn, secretsFor(to, secrets)); err != nil {
		return fmt.Errorf("shake hands over TLS: %w", err)
	}
	s.conn, err = amqp.Open(s.wire, amqp.Config{
		SASL: []amqp.Authentication{to.PlainAuth()}, Vhost: to.Vhost, Locale: "en_US",
		Heartbeat: heartbeat, Properties: amqp.Table{"connection_name": "facet", "product": "facet"},
	})
	if err != nil {
		return fmt.Errorf("shake hands: %w", err)
	}
	if s.channel, err = s.conn.Channel(); err != nil {
		return fmt.Errorf("open a channel: %w", err)
	}
	const room = 64
	s.closed = s.channel.NotifyClose(make(chan *amqp.Error, 1))
	s.blocks = s.conn.NotifyBlocked(make(chan amqp.Blocking, room))
	s.returns = s.channel.NotifyReturn(make(chan amqp.Return, room))
	s.confirms = s.channel.NotifyPublish(make(chan amqp.Confirmation, room))
	if err = s.channel.Confirm(false); err != nil {
		return fmt.Errorf("ask for confirmations: %w", err)
	}
	if s.answers, err = s.channel.Consume(replyTo, "", true, false, false, false, nil); err != nil {
		return fmt.Errorf("ask for answers: %w", err)
	}
	return nil
}

// serve hears what the broker says, until the session ends, and says why it did. It
// waits for nobody, as the broker's other words would wait, too.
func (s *session) serve(ctx context.Context, calls *message.Calls) error {
	for ok := true; ok; {
		var d amqp.Delivery
		var returned amqp.Return
		var confirmed amqp.Confirmation
		var blocked amqp.Blocking
		select {
		case d, ok = <-s.answers:
			if ok {
				hear(calls, &d)
			}
		case returned, ok = <-s.returns:
			calls.Fail(returned.CorrelationId, errNoQueue)
		case confirmed, ok = <-s.confirms:
			if ok {
				s.confirm(calls, confirmed)
			}
		case blocked, ok = <-s.blocks:
			block(calls, blocked.Active)
		case <-ctx.Done():
			return message.ErrClosed
		}
	}
	return s.why()
}

func block(calls *message.Calls, active bool) {
	if active {
		calls.Hold(errBlocked)
	} else {
		calls.Open()
	}
}

// why says why the session has ended.
func (s *session) why() error {
	select {
	case err := <-s.closed:
		if err != nil {
			return err
		}
	case <-time.After(farewell):
	}
	return errAway
}

// confirm takes note of what the broker says of a question.
func (s *session) confirm(calls *message.Calls, c amqp.Confirmation) {
	s.mu.Lock()
	id := s.unconfirmed[c.DeliveryTag]
	delete(s.unconfirmed, c.DeliveryTag)
	s.mu.Unlock()
	if !c.Ack {
		calls.Fail(id, errRefused)
	}
}

// expect notes which question the next number is of, and fails if too many have not been
// confirmed. One goroutine publishes.
func (s *session) expect(id string) (tag uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.unconfirmed) >= s.most {
		return 0, errNoConfirm
	}
	tag = s.channel.GetNextPublishSeqNo()
	s.unconfirmed[tag] = id
	return tag, nil
}

func (s *session) forget(tag uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.unconfirmed, tag)
}

// close says goodbye, which may take no time. What the broker still says is taken, and
// goes nowhere: the library waits seconds for each that nobody takes.
func (s *session) close() {
	var hearing sync.WaitGroup
	hearing.Go(func() { drain(s.confirms) })
	hearing.Go(func() { drain(s.returns) })
	hearing.Go(func() { drain(s.blocks) })
	timer := time.AfterFunc(farewell, func() { _ = s.wire.Close() })
	defer timer.Stop()
	s.wire.flush()     // a farewell is not to wait behind it
	_ = s.conn.Close() // mostly it is closed
	_ = s.wire.Close()
	hearing.Wait() // the library closes all three with the connection
}

// secretsFor are those of a server, nil of one without TLS.
func secretsFor(to amqp.URI, secrets *tls.Config) *tls.Config {
	if to.Scheme != "amqps" {
		return nil
	}
	if secrets = secrets.Clone(); secrets == nil {
		secrets = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if secrets.ServerName == "" {
		secrets.ServerName = to.Host
	}
	return secrets
}

func drain[T any](from <-chan T) {
	for range from {
	}
}
