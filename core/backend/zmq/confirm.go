package zmq

import (
	"context"
	"errors"
	"time"

	"github.com/facet-gateway/facet/core/backend/message"
)

const (
	confirming = 2 * time.Second        // a subscription, while publishers come and go
	settling   = 100 * time.Millisecond // from when the kernel has one until it is in force
)

var (
	errNoPublisher = errors.New("no publisher is known")
	errUnconfirmed = errors.New("the publishers come and go, or take no subscription")
)

// confirmed waits until all publishers that are up have been asked for a topic, and returns
// what is closed when those are others. The error is not that of ctx alone.
func (ps *publishers) confirmed(ctx context.Context, topic string) (changed <-chan struct{}, err error) {
	if err := ps.tried(ctx); err != nil {
		return nil, err
	}
	timed, cancel := context.WithTimeoutCause(ctx, confirming, errUnconfirmed)
	defer cancel()
	for {
		wishes, changed, err := ps.wishes(topic)
		if err != nil {
			return nil, err
		}
		settled := true
		for _, w := range wishes {
			settled = settled && w.settled(timed, changed)
		}
		switch {
		case settled:
			return changed, nil
		case timed.Err() != nil:
			return nil, context.Cause(timed) //nolint:wrapcheck // Subscribe does
		}
	}
}

// tried waits for the first attempts to connect, so that who is new does not begin with
// some of the publishers.
func (ps *publishers) tried(ctx context.Context) error {
	ps.mu.Lock()
	all := make([]<-chan struct{}, 0, len(ps.all))
	for _, p := range ps.all {
		all = append(all, p.tried)
	}
	ps.mu.Unlock()
	for _, tried := range all {
		select {
		case <-tried:
		case <-ctx.Done():
			return context.Cause(ctx) //nolint:wrapcheck // Subscribe does
		}
	}
	return nil
}

// wishes returns what the publishers that are up are asked for, and what is closed when
// those are others.
func (ps *publishers) wishes(topic string) (all []*wish, changed <-chan struct{}, err error) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	err = errNoPublisher
	for _, p := range ps.all {
		switch {
		case p.feed != nil && p.feed.up:
			all = append(all, p.feed.wishes[topic])
		case p.cause != nil:
			err = p.cause
		}
	}
	if ps.life.Err() != nil {
		return nil, nil, message.ErrClosed
	}
	if len(all) > 0 {
		err = nil
	}
	return all, ps.changed, err
}

// settled waits until a wish can be taken to be fulfilled. It is false if ctx ends or
// stop is closed before.
func (w *wish) settled(ctx context.Context, stop <-chan struct{}) bool {
	select {
	case <-w.asked:
	case <-stop:
		return false
	case <-ctx.Done():
		return false
	}
	timer := time.NewTimer(time.Until(w.at.Add(settling)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-stop:
	case <-ctx.Done():
	}
	return false
}
