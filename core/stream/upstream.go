package stream

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

// Bounds of the waits before an upstream is opened anew. One that was lost is back
// within a second of its broker; those of all keys do not come at once.
const (
	firstWait = 100 * time.Millisecond
	lastWait  = time.Second
)

var errEnded = fault.Because(fault.ReasonError, errors.New("the subscription ended"))

// keepOpen has the upstream open until ctx ends, or it fails before it has told anything.
func (t *topic) keepOpen(ctx context.Context) {
	wait := firstWait
	for {
		before := t.last()
		err := t.openOnce(ctx)
		if ctx.Err() != nil {
			return
		}
		after := t.last()
		if after > 0 || !refused(err) {
			t.hub.counts.failures.Add(1)
		}
		if after == 0 {
			t.hub.drop(t, err)
			return
		}
		if after > before {
			wait = firstWait
		}
		if !pause(ctx, wait) {
			return
		}
		wait = min(2*wait, lastWait) //nolint:mnd // twice as long each time
	}
}

// refused reports that there is nothing to tell of a key: the upstream is well.
func refused(err error) bool {
	return fault.CodeOf(err) == fault.NotFound || errors.Is(err, fault.ErrRefused)
}

// openOnce opens the upstream once, and returns why it ended.
func (t *topic) openOnce(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = Panicked(v)
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.lost = true
	}()
	begun, err := t.hub.begins(ctx)
	if err != nil {
		return err
	}
	defer begun()
	defer time.AfterFunc(openingTime, begun).Stop()
	t.hub.counts.opens.Add(1)
	told := func(value any) {
		begun()
		t.told(value)
	}
	if err = t.hub.open(ctx, t.key, told); err == nil {
		err = errEnded
	}
	return err
}

// openingTime is how long an upstream that tells nothing holds up others.
const openingTime = 500 * time.Millisecond

// begins waits for an upstream's turn: what a value stands for may be asked for first,
// and of all keys at once that would be too much for a service whose broker comes back.
// The upstream has to say when it has begun, as often as it likes.
func (h *hub) begins(ctx context.Context) (begun func(), err error) {
	if !h.options.State {
		return func() {}, nil
	}
	select {
	case h.opening <- struct{}{}:
		return sync.OnceFunc(func() { <-h.opening }), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (t *topic) last() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.seq
}

// pause waits for half of a time or more, up to all of it. It reports whether ctx goes on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d/2 + rand.N(d/2)) //nolint:mnd // half
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
