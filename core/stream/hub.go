package stream

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

// HubOptions bounds a hub. What is 0 has the default that is named beside it.
type HubOptions[T any] struct {
	// State says that a value stands for all that came before it: who begins to follow
	// has the latest one, and who falls behind goes on with it. Without it, who begins has
	// what comes, and who falls behind is refused.
	State bool

	Keys      int           // with an upstream at once; 10,000. Who follows one more is refused (Limited)
	Followers int           // of all keys; 100,000
	Opens     int           // with State: upstreams that begin at once, until their first value or for 500 ms; 64
	Linger    time.Duration // how long an upstream stays when nobody follows any more; 10 s
	Bytes     func(T) int   // of a value, with what shapes make of it; 1 KiB each
}

const (
	defaultKeys      = 10_000
	defaultFollowers = 100_000
	defaultOpens     = 64
	defaultLinger    = 10 * time.Second
	defaultBytes     = 1 << 10
)

// Hub shares what is subscribed to once among all who follow it: each key that somebody
// follows has one upstream, and one short memory, from which they read. Its costs are
// a goroutine, and at most 64 values and 64 KiB, for each key; a follower costs some
// 100 bytes. Safe for concurrent use.
type Hub[K comparable, T any] struct{ *hub }

// hub is a Hub without its types.
type hub struct {
	options HubOptions[any]
	open    func(ctx context.Context, key any, told func(any)) error

	mu        sync.Mutex
	topics    map[any]*topic
	followers int
	closed    bool

	opening chan struct{}  // has a token of each upstream that begins
	running sync.WaitGroup // upstreams
	left    atomic.Int64   // of them, those that run
	counts  struct{ events, opens, failures, refused atomic.Uint64 }
}

// NewHub returns a hub. Its open subscribes to a key, tells values as they come, and
// returns when ctx ends or the subscription is lost; in that case it is called anew, after
// waits of 100 ms to 1 s and for its turn, and followers just hear nothing meanwhile. If it
// fails before it has told the first value, those who follow the key get its error, and it
// is not called again until somebody else follows. A value of over 64 KiB is dropped, and
// counted.
func NewHub[K comparable, T any](o HubOptions[T], open func(ctx context.Context, key K, told func(T)) error) *Hub[K, T] {
	h := &hub{topics: make(map[any]*topic)}
	h.options = HubOptions[any]{
		State: o.State, Keys: orElse(o.Keys, defaultKeys), Followers: orElse(o.Followers, defaultFollowers),
		Opens: orElse(o.Opens, defaultOpens), Linger: orElse(o.Linger, defaultLinger), Bytes: func(any) int { return defaultBytes },
	}
	h.opening = make(chan struct{}, h.options.Opens)
	if o.Bytes != nil {
		h.options.Bytes = func(v any) int {
			value, _ := v.(T) // it is one
			return o.Bytes(value)
		}
	}
	h.open = func(ctx context.Context, key any, told func(any)) error {
		k, _ := key.(K) // it is one
		return open(ctx, k, func(value T) { told(value) })
	}
	return &Hub[K, T]{h}
}

func orElse[N int | time.Duration](n, otherwise N) N {
	if n > 0 {
		return n
	}
	return otherwise
}

// Feed returns the feed of a key. Nothing is subscribed to before it is followed.
func (h *Hub[K, T]) Feed(key K) Feed[T] {
	return Feed[T]{origin: keyed{h.hub, key}, form: func(e *event) *form { return &e.form }}
}

// HubStats is what a hub does and has done.
type HubStats struct {
	Keys      int    `json:"keys"`      // with an upstream now
	Followers int    `json:"followers"` // now
	Events    uint64 `json:"events"`    // values that upstreams told
	Opens     uint64 `json:"opens"`     // of upstreams
	Failures  uint64 `json:"failures"`  // of upstreams that ended by themselves
	Refused   uint64 `json:"refused"`   // values that were too large
}

// Stats returns what the hub does and has done.
func (h *hub) Stats() HubStats {
	h.mu.Lock()
	defer h.mu.Unlock()
	return HubStats{
		Keys: len(h.topics), Followers: h.followers, Events: h.counts.events.Load(), Opens: h.counts.opens.Load(),
		Failures: h.counts.failures.Load(), Refused: h.counts.refused.Load(),
	}
}

// hubGrace is how long Close waits for upstreams to end.
const hubGrace = 2 * time.Second

// Close ends all upstreams. Those who follow get an error, as does who tries to from now
// on. It waits for the upstreams, 2 s at most, and returns how many still run, because
// their code ignores that their context has ended.
func (h *hub) Close() (runaways int) {
	h.mu.Lock()
	h.closed = true
	for key, t := range h.topics {
		delete(h.topics, key)
		t.end(errHubClosed)
	}
	h.mu.Unlock()
	ended := make(chan struct{})
	go func() { // as long as the runaways
		defer close(ended)
		h.running.Wait()
	}()
	timer := time.NewTimer(hubGrace)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	}
	return int(h.left.Load())
}

var (
	errHubClosed    = fault.New(fault.Unavailable, "this gateway is stopping")
	errKeysFull     = fault.New(fault.Limited, "as many things are followed as may be")
	errFollowerFull = fault.New(fault.Limited, "as many follow as may")
)

// keyed is the origin of a key's feed.
type keyed struct {
	hub *hub
	key any
}

func (k keyed) follow(after string) (*place, error) {
	h := k.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	t, there := h.topics[k.key]
	switch {
	case h.closed:
		return nil, errHubClosed
	case h.followers >= h.options.Followers:
		return nil, errFollowerFull
	case !there && len(h.topics) >= h.options.Keys:
		return nil, errKeysFull
	case !there:
		t = h.begin(k.key)
	}
	h.followers++
	t.join()
	return t.place(after), nil
}

// begin opens the upstream of a key. The hub is locked.
func (h *hub) begin(key any) *topic {
	ctx, cancel := context.WithCancel(context.Background())
	t := &topic{hub: h, key: key, cancel: cancel, epoch: newEpoch(), changed: make(chan struct{})}
	h.topics[key] = t
	h.left.Add(1)
	h.running.Go(func() {
		defer h.left.Add(-1)
		t.keepOpen(ctx)
	})
	return t
}

// drop takes a topic out, so that the next who follows its key begins a new one.
func (h *hub) drop(t *topic, why error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.topics[t.key] == t {
		delete(h.topics, t.key)
	}
	t.end(why)
}
