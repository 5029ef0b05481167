package zmq

import (
	"context"
	"errors"
	"fmt"

	"github.com/facet-gateway/facet/core/backend/message"
	"github.com/facet-gateway/facet/core/fault"
)

var (
	errTopic  = errors.New("the topic is none")
	errOthers = errors.New("the publishers are others, and what was published meanwhile is nobody's")
)

const maxTopic = 255 // bytes

// Subscribe tells the messages of a topic of all publishers, one after another on the
// caller's goroutine; those of one publisher are in its order. It calls subscribed once
// nothing should be missed any more, and tells what came meanwhile afterwards. lost is how
// many messages were dropped before this one, as they had no form or told was too slow for
// them: the oldest go first, see Options.InboxMessages.
//
// It ends with ctx, with the error of subscribed, and, as unavailable, when there is no
// publisher, one breaks, or one comes or comes back: messages may be missed then. Until
// subscribed is called it begins anew in the last two cases, for 2 s at most. The error is
// never nil.
//
// ZeroMQ promises less than a broker does: no publisher confirms a subscription, and one
// drops messages, and tells nobody, when a connection takes no more of them.
func Subscribe(
	ctx context.Context, c *Client, topic string, subscribed func() error, told func(body []byte, lost uint64),
) error {
	if topic == "" || len(topic) > maxTopic {
		return fault.Because(fault.None, errTopic)
	}
	inbox := message.NewInbox(c.options.InboxMessages, c.options.InboxBytes)
	defer c.publishers.subscribe(topic, inbox)()
	changed, err := c.publishers.confirmed(ctx, topic)
	if err != nil {
		return c.ended(ctx, err)
	}
	if err := subscribed(); err != nil {
		return err
	}
	for {
		body, lost, ok := inbox.Next(ctx, changed)
		if !ok || ctx.Err() != nil || isClosed(changed) {
			return c.ended(ctx, errOthers)
		}
		told(body, lost)
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// ended says why a subscription ended: its context did, or else err.
func (c *Client) ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fault.Ended(ctx, c.options.Service)
	}
	return fault.Because(fault.ReasonError, fmt.Errorf("%s: %w", c.options.Service, err))
}
