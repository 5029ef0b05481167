package stream

import (
	"context"
	"errors"
	"math/rand/v2"
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
		t.hub.counts.failures.Add(1)
		after := t.last()
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
	t.hub.counts.opens.Add(1)
	if err = t.hub.open(ctx, t.key, t.told); err == nil {
		err = errEnded
	}
	return err
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
