package cache_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/cache"
)

// clocked is a store whose clock is not this machine's.
type clocked struct {
	*memory
	ahead time.Duration

	stored  atomic.Int64 // of the last write, by its clock
	mu      sync.Mutex
	heard   func(cache.Invalidation)
	started func()
	lose    chan struct{}
}

func newClocked(ahead time.Duration) *clocked {
	return &clocked{memory: newMemory(), ahead: ahead, lose: make(chan struct{})}
}

func (c *clocked) Now(context.Context) (time.Time, error) { return time.Now().Add(c.ahead), nil }

func (c *clocked) Claim(_ context.Context, keys []cache.Key, _ time.Duration) ([]bool, error) {
	return make([]bool, len(keys)), nil
}

func (c *clocked) Invalidate(context.Context, cache.Invalidation, string, time.Duration) (time.Time, int, error) {
	return time.Now().Add(c.ahead), 0, nil
}

func (c *clocked) Write(ctx context.Context, writes []cache.Write) (int, error) {
	c.stored.Store(writes[len(writes)-1].Stored.UnixNano())
	return c.memory.Write(ctx, writes)
}

func (c *clocked) Watch(ctx context.Context, started func(), heard func(cache.Invalidation)) error {
	c.mu.Lock()
	c.started, c.heard = started, heard
	c.mu.Unlock()
	started()
	select {
	case <-ctx.Done():
	case <-c.lose:
	}
	return errBroken
}

func (c *clocked) publish(i cache.Invalidation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard(i)
}

// TestTheStoresClockCounts has a store whose clock is an hour off: what is written
// is by its time, what is read by this process's, and an answer is outdated by when
// it was asked for, whichever clock says so.
func TestTheStoresClockCounts(t *testing.T) {
	for _, ahead := range []time.Duration{-time.Hour, 0, time.Hour} {
		t.Run(ahead.String(), func(t *testing.T) {
			store := newClocked(ahead)
			s := open(t, store, cache.Options{Timeout: time.Second})
			r := remote(t, s)
			until(t, "it is connected", func() bool { return s.Stats().Connected })
			until(t, "it is found", func() bool { r.Put(one, entry("p-1")); return get(t, r, one).Found() })
			if d := time.Until(time.Unix(0, store.stored.Load()).Add(-ahead)).Abs(); d > 10*time.Second {
				t.Errorf("written as stored %v from now", d)
			}
			if e := get(t, r, one); time.Since(e.Stored).Abs() > 10*time.Second || time.Until(e.Stale) < 50*time.Minute {
				t.Errorf("read as %+v", e)
			}
			early := time.Now()
			store.publish(cache.Invalidation{Tag: "t", At: time.Now().Add(ahead)})
			if !r.Outdated(early, one, []string{"t"}) || r.Outdated(time.Now().Add(time.Second), one, []string{"t"}) || r.Outdated(early, one, nil) {
				t.Error("what is outdated is not, or the other way round")
			}
			if len(r.Claim(t.Context(), []query{one}, time.Second)) > 0 {
				t.Error("leave, where another has it")
			}
		})
	}
}

// TestASlowSubscriberHearsOfAll: what the queue of events has no room for is not
// lost, it puts all in doubt.
func TestASlowSubscriberHearsOfAll(t *testing.T) {
	store := newClocked(0)
	s := open(t, store, cache.Options{})
	until(t, "it is connected", func() bool { return s.Stats().Connected })
	var all, single atomic.Int64
	release := make(chan struct{})
	s.Subscribe(func(i cache.Invalidation) {
		<-release
		if i.All {
			all.Add(1)
		} else {
			single.Add(1)
		}
	})
	for i := range 3000 {
		store.publish(cache.Invalidation{Tag: fmt.Sprint(i), At: time.Now()})
	}
	close(release)
	until(t, "it hears of all", func() bool { return all.Load() == 1 })
	if n := single.Load(); n > 1100 {
		t.Errorf("%d were queued", n)
	}
	if got := s.Stats(); got.Invalidations != 3000 || got.Missed != 2 {
		t.Errorf("%+v", got)
	}
}

// TestNothingIsWrittenWhileDeaf: a replica that cannot hear of invalidations does
// not write answers.
func TestNothingIsWrittenWhileDeaf(t *testing.T) {
	store := newClocked(0)
	s := open(t, store, cache.Options{})
	r := remote(t, s)
	until(t, "it is connected", func() bool { return s.Stats().Connected })
	close(store.lose) // from now on each watch ends at once
	until(t, "it is lost", func() bool { return !s.Stats().Connected })
	var dropped bool
	until(t, "a write is dropped", func() bool {
		before := s.Stats().Dropped
		r.Put(one, entry("p-1"))
		dropped = s.Stats().Dropped > before
		return dropped
	})
}
