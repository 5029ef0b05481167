package nats

import (
	"context"

	"github.com/nats-io/nats.go"

	"github.com/facet-gateway/facet/core/backend/message"
	"github.com/facet-gateway/facet/core/fault"
)

// What NATS's client keeps of a subscription, or of answers, before it hands it over.
const (
	waiting      = 1 << 14 // messages
	waitingBytes = 8 << 20
)

// Subscribe tells the messages of a subject, which may hold wildcards, one after another
// on the caller's goroutine, until ctx ends or the client is closed. It goes on by
// itself when NATS was away; what is published meanwhile is nobody's. lost is how many
// messages were dropped before this one, as told was too slow for them: the oldest go
// first, see Options.InboxMessages. The error says why it ended, never nil.
func Subscribe(ctx context.Context, c *Client, subject string, told func(body []byte, lost uint64)) error {
	if !validSubject(subject, true) {
		return fault.Because(fault.None, errSubject)
	}
	inbox := message.NewInbox(c.options.InboxMessages, c.options.InboxBytes)
	var last *session
	for {
		s, ok := c.await(ctx, last)
		if !ok {
			return c.ended(ctx)
		}
		last = s
		sub, err := s.conn.Subscribe(subject, c.filler(inbox))
		if err != nil {
			continue // the session has given up
		}
		_ = sub.SetPendingLimits(waiting, max(waitingBytes, c.options.InboxBytes)) // of those that the filler has not seen
		c.tell(ctx, s, inbox, told)
		_ = sub.Unsubscribe() // fails only on a session that has given up
	}
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

// tell tells what comes, until ctx or the session ends.
func (c *Client) tell(ctx context.Context, s *session, inbox *message.Inbox, told func([]byte, uint64)) {
	for {
		body, lost, ok := inbox.Next(ctx, s.closed)
		if !ok {
			return
		}
		told(body, lost)
	}
}

func (c *Client) ended(ctx context.Context) error {
	if ctx.Err() != nil {
		return fault.Ended(ctx, c.options.Service)
	}
	return fault.Because(fault.ReasonError, message.ErrClosed)
}
