package amqp

import (
	"context"
	"errors"
	"strconv"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/facet-gateway/facet/core/backend/message"
	"github.com/facet-gateway/facet/core/fault"
)

const (
	replyTo      = "amq.rabbitmq.reply-to"
	jsonType     = "application/json"
	statusHeader = "status"
	maxQueue     = 255 // bytes, as AMQP has it
)

var errQueue = errors.New("the queue's name is none")

// Request asks a queue, with a query that is sent as JSON, and decodes the answer.
// Unknown fields are ignored; the strings of the value share one body. A request is
// sent once. Attempts, bytes and caching go to the call that ctx belongs to.
func Request[T any](ctx context.Context, c *Client, queue string, query any) (T, error) {
	value := new(T)
	if err := c.do(ctx, queue, query, value, false); err != nil {
		return *new(T), err
	}
	return *value, nil
}

// RequestList is [Request] for an answer whose elements are remembered one by one: its
// strings share nothing. value is what to decode into.
func RequestList[T any](ctx context.Context, c *Client, queue string, query any, value T) (T, error) {
	if err := c.do(ctx, queue, query, &value, true); err != nil {
		return *new(T), err
	}
	return value, nil
}

func (c *Client) do(ctx context.Context, queue string, query, value any, apart bool) error {
	if queue == "" || len(queue) > maxQueue {
		return fault.Because(fault.None, errQueue)
	}
	by := message.Asked{Service: c.options.Service, MaxBody: c.options.MaxBody}
	return message.Do(ctx, by, queue, query, value, apart, func(ctx context.Context, r *message.Request) error {
		a, err := c.calls.Ask(ctx, r)
		return r.Finish(ctx, "", a, err)
	})
}

// send publishes a question, which goes out with flush.
func (c *Client) send(f *message.Flight) error {
	s := c.session.Load()
	if s == nil {
		return errAway
	}
	headers := make(amqp.Table, len(f.Head))
	for _, h := range f.Head {
		headers[h.Name] = h.Value
	}
	s.wire.gather()
	left := max(time.Until(f.Deadline).Milliseconds(), 1)
	tag, err := s.expect(f.ID)
	if err != nil {
		return err
	}
	err = s.channel.PublishWithContext(c.life, "", f.To, true, false, amqp.Publishing{
		Headers: headers, ContentType: jsonType, Body: f.Body, DeliveryMode: amqp.Transient,
		CorrelationId: f.ID, ReplyTo: replyTo, Expiration: strconv.FormatInt(left, 10),
	})
	if err != nil {
		s.forget(tag)
	}
	return err //nolint:wrapcheck // Finish does
}

// flush sends the questions that were published.
func (c *Client) flush() {
	if s := c.session.Load(); s != nil {
		s.wire.flush()
	}
}

// hear matches an answer with its question.
func hear(calls *message.Calls, d *amqp.Delivery) {
	a := message.Answer{Status: statusOf(d.Headers), ContentType: jsonType, Body: d.Body}
	if d.ContentType != "" {
		a.ContentType = d.ContentType
	}
	a.Control, _ = d.Headers["cache-control"].(string)
	a.Said, _ = d.Headers["error"].(string)
	calls.Answer(d.CorrelationId, a)
}

// statusOf reads a header that other languages write as another type of number, or as
// text.
func statusOf(headers amqp.Table) int {
	switch status := headers[statusHeader].(type) {
	case nil:
		return message.ParseStatus("")
	case string:
		if status == "" {
			return 0
		}
		return message.ParseStatus(status)
	case int16:
		return int(status)
	case uint16:
		return int(status)
	case int32:
		return int(status)
	case uint32:
		return int(status)
	case int64:
		return int(status)
	}
	return 0
}
