package cache

import (
	"sync"
	"sync/atomic"
	"time"
)

// The bounds of what is kept of invalidations: a call may take ten minutes, so
// that an answer may be that late, and then some.
const (
	recentFor = 11 * time.Minute
	maxRecent = 4096
)

// subject is what an invalidation is about.
type subject struct{ command, key, tag string }

// recent is what was invalidated lately, so that an answer that was asked for
// before is not remembered when it comes after. What falls out for want of room
// raises the floor: all that was asked for until then is refused, which costs a
// call and is never wrong.
type recent struct {
	used  atomic.Bool
	mu    sync.RWMutex
	at    map[subject]time.Time
	order []noted
	floor time.Time
}

type noted struct {
	subject subject
	at      time.Time
}

// note keeps an invalidation, and reports whether it says anything new.
func (r *recent) note(s subject, at time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !at.After(r.at[s]) {
		return false
	}
	if r.at == nil {
		r.at = make(map[subject]time.Time)
	}
	r.at[s] = at
	r.order = append(r.order, noted{s, at})
	for len(r.order) > maxRecent || at.Sub(r.order[0].at) > recentFor {
		r.forget(at)
	}
	r.used.Store(true)
	return true
}

// forget drops the oldest.
func (r *recent) forget(now time.Time) {
	old := r.order[0]
	r.order = r.order[1:]
	if r.at[old.subject].Equal(old.at) {
		delete(r.at, old.subject)
	}
	if now.Sub(old.at) <= recentFor && old.at.After(r.floor) {
		r.floor = old.at
	}
}

// noteAll refuses all that was asked for until at.
func (r *recent) noteAll(at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at, r.order = nil, nil
	if at.After(r.floor) {
		r.floor = at
	}
	r.used.Store(true)
}

// since reports whether what a key or one of the tags name was invalidated at or
// after a moment.
func (r *recent) since(moment time.Time, command, key string, tags []string) bool {
	if !r.used.Load() {
		return false
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if !moment.After(r.floor) || r.hit(subject{command: command, key: key}, moment) {
		return true
	}
	for _, tag := range tags {
		if r.hit(subject{tag: tag}, moment) {
			return true
		}
	}
	return false
}

func (r *recent) hit(s subject, moment time.Time) bool {
	at, ok := r.at[s]
	return ok && !moment.After(at)
}
