package stream

import (
	"context"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

// What of a key is remembered at most.
const (
	maxRemembered = 64
	maxBytes      = 64 << 10
)

// topic is a key that is followed: its upstream, and what it has told of late.
type topic struct {
	hub    *hub
	key    any
	epoch  string // of its ids: no other topic has it, here or in another process
	cancel context.CancelFunc

	followers int         // guarded by the hub's lock, as idle is
	idle      *time.Timer // ends it; nil: it has always been followed

	mu      sync.Mutex
	events  []*event // of which the sequence has no hole
	bytes   int      // of them
	seq     uint64   // of the last one; 0: there was none
	changed chan struct{}
	lost    bool  // the upstream was, so that what comes next does not follow what came
	err     error // why nothing comes any more
}

// event is a value that came.
type event struct {
	seq  uint64
	id   string
	size int
	gap  bool
	form form
}

// place is how far a follower is.
type place struct {
	topic *topic
	last  uint64 // that it had
	gap   bool   // it missed what was before
	left  bool
}

// errSlow is what ends a follower that is so far behind that values are gone.
var errSlow = fault.New(fault.Limited, "too slow: what comes next is no longer remembered")

// newEpoch returns 50 random bits.
func newEpoch() string {
	const bits = 50
	return strconv.FormatUint(rand.Uint64()>>(64-bits), 36) //nolint:mnd // digits and letters
}

// join has one more follow. The hub is locked.
func (t *topic) join() {
	t.followers++
	if t.idle != nil {
		t.idle.Stop()
	}
}

// leave has one less follow. The last one leaves the upstream behind for a while.
func (p *place) leave() {
	t := p.topic
	h := t.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.left {
		return
	}
	p.left = true
	h.followers--
	t.followers--
	if t.followers == 0 && h.topics[t.key] == t {
		t.idle = time.AfterFunc(h.options.Linger, t.retire)
	}
}

// retire ends the topic unless somebody has come back.
func (t *topic) retire() {
	h := t.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if t.followers == 0 && h.topics[t.key] == t {
		delete(h.topics, t.key)
		t.end(errHubClosed)
	}
}

// end ends the upstream, and tells those who follow why. The hub is locked.
func (t *topic) end(why error) {
	t.cancel()
	if t.idle != nil {
		t.idle.Stop()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.err = why
	t.wake()
}

// wake wakes all who wait. The topic is locked.
func (t *topic) wake() {
	close(t.changed)
	t.changed = make(chan struct{})
}

func (t *topic) waiting() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.changed
}

// told takes a value that came.
func (t *topic) told(value any) {
	h := t.hub
	size := h.options.Bytes(value)
	if size > maxBytes {
		h.counts.refused.Add(1)
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil { // it comes too late
		return
	}
	h.counts.events.Add(1)
	t.seq++
	t.events = append(t.events, &event{
		seq: t.seq, id: t.epoch + "-" + strconv.FormatUint(t.seq, 10), size: size, gap: t.lost && !h.options.State, form: form{value: value},
	})
	t.lost = false
	t.bytes += size
	t.forget()
	t.wake()
}

// forget drops what is too much to be remembered. The last one fits by itself.
func (t *topic) forget() {
	drop := 0
	for len(t.events)-drop > maxRemembered || t.bytes > maxBytes {
		t.bytes -= t.events[drop].size
		drop++
	}
	if drop > 0 {
		n := copy(t.events, t.events[drop:])
		clear(t.events[n:])
		t.events = t.events[:n]
	}
}

// place returns where a follower begins.
func (t *topic) place(after string) *place {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := &place{topic: t, last: t.seq}
	if seq, ok := t.parse(after); ok {
		p.last = seq
		return p
	}
	p.gap = after != ""
	if t.seq > 0 && (p.gap || t.hub.options.State) {
		p.last-- // it has the latest one
	}
	return p
}

// parse reads an id of this topic after which everything is remembered.
func (t *topic) parse(id string) (seq uint64, ok bool) {
	epoch, digits, _ := strings.Cut(id, "-")
	seq, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || epoch != t.epoch || seq > t.seq {
		return 0, false
	}
	return seq, seq == t.seq || seq+1 >= t.events[0].seq
}

// next returns what a follower has next, nil if nothing is there yet.
func (t *topic) next(p *place) (e *event, gap bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.last == t.seq {
		return nil, false, t.err
	}
	e, gap = t.events[len(t.events)-1], p.gap
	switch oldest := t.events[0].seq; {
	case p.last+1 >= oldest:
		e = t.events[p.last+1-oldest]
	case !t.hub.options.State:
		return nil, false, errSlow
	default:
		gap = true
	}
	p.last, p.gap = e.seq, false
	return e, gap || e.gap, nil
}
