package nats

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
)

// hearing is a subscription that the server may refuse.
type hearing struct {
	subject string
	refuse  context.CancelCauseFunc
}

// mayRefuse has refusals of a subscription told to it, until it is over.
func (c *Client) mayRefuse(h *hearing) (over func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hearing[h] = struct{}{}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.hearing, h)
	}
}

// refused is told what a server says besides. If it refuses answers, calls are of no use
// until there is another connection; if a subscription, that one ends.
func (c *Client) refused(err error) {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return
	}
	if isOf(err, c.inbox+"*") {
		c.calls.Break(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for h := range c.hearing {
		if isOf(err, h.subject) {
			h.refuse(err)
		}
	}
}

// isOf reports whether a subscription to a subject was refused. Only the text tells.
func isOf(refusal error, subject string) bool {
	return strings.Contains(refusal.Error(), "Subscription to "+strconv.Quote(subject))
}
