package nats

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/facet-gateway/facet/core/backend/message"
	"github.com/facet-gateway/facet/core/fault"
)

// What NATS's client keeps of a subscription, or of answers, before it hands it over.
const (
	waiting      = 1 << 14 // messages
	waitingBytes = 8 << 20
)

// confirming is how long the server may take to confirm a subscription.
const confirming = 2 * time.Second

var errBroken = errors.New("the connection broke, and what is published meanwhile is nobody's")

// Subscribe tells the messages of a subject, which may hold wildcards, one after another
// on the caller's goroutine. It calls subscribed once the server has confirmed that
// nothing is missed any more, and tells what came meanwhile afterwards. lost is how many
// messages were dropped before this one, as told was too slow for them: the oldest go
// first, see Options.InboxMessages.
//
// It ends with ctx, with the error of subscribed, and, as unavailable, when there is no
// connection, it breaks, or the server refuses the subscription: messages may be missed
// then. The error is never nil.
func Subscribe(
	ctx context.Context, c *Client, subject string, subscribed func() error, told func(body []byte, lost uint64),
) error {
	if !validSubject(subject, true) {
		return fault.Because(fault.None, errSubject)
	}
	s, broken := c.connected()
	if s == nil {
		return c.unavailable(c.calls.Down())
	}
	within, refuse := context.WithCancelCause(ctx)
	defer refuse(nil)
	defer c.mayRefuse(&hearing{subject, refuse})()
	inbox, before := message.NewInbox(c.options.InboxMessages, c.options.InboxBytes), s.conn.LastError()
	sub, err := s.conn.Subscribe(subject, c.filler(inbox))
	if err != nil {
		return c.unavailable(err)
	}
	defer sub.Unsubscribe()                                                    //nolint:errcheck // it fails only on a connection that is gone
	_ = sub.SetPendingLimits(waiting, max(waitingBytes, c.options.InboxBytes)) // of those that the filler has not seen
	if err := c.confirmed(within, s, before); err != nil {
		return c.ended(ctx, within, err)
	}
	if err := subscribed(); err != nil {
		return err
	}
	for {
		body, lost, ok := inbox.Next(within, broken)
		if !ok || within.Err() != nil {
			return c.ended(ctx, within, errBroken)
		}
		told(body, lost)
	}
}

// confirmed waits until the server has heard what was said to it. A refusal comes before
// that; it is looked for as its handler may come later.
func (c *Client) confirmed(ctx context.Context, s *session, before error) error {
	timed, cancel := context.WithTimeout(ctx, confirming)
	defer cancel()
	if err := s.conn.FlushWithContext(timed); err != nil {
		return err //nolint:wrapcheck // ended does
	}
	if err := s.conn.LastError(); errors.Is(err, nats.ErrPermissionViolation) && err != before { //nolint:errorlint // this very one
		c.refused(err)
	}
	return ctx.Err() //nolint:wrapcheck // ended does
}

// ended says why a subscription ended: its context did, or it was refused, or else err.
func (c *Client) ended(ctx, within context.Context, err error) error {
	switch {
	case within.Err() == nil:
		return c.unavailable(err)
	case ctx.Err() != nil:
		return fault.Ended(ctx, c.options.Service)
	}
	return c.unavailable(context.Cause(within))
}

func (c *Client) unavailable(err error) error {
	if err == nil {
		err = errAway
	}
	return fault.Because(fault.ReasonError, fmt.Errorf("%s: %w", c.options.Service, err))
}

// filler returns what puts messages into an inbox, and counts those that did not fit
// into it or never came so far.
func (c *Client) filler(inbox *message.Inbox) nats.MsgHandler {
	before := 0
	return func(m *nats.Msg) {
		if dropped, err := m.Sub.Dropped(); err == nil && dropped > before {
			inbox.Miss(dropped - before)
			c.lost.Add(uint64(dropped - before)) //nolint:gosec // more than before
			before = dropped
		}
		c.lost.Add(uint64(inbox.Put(m.Data))) //nolint:gosec // never negative
	}
}
