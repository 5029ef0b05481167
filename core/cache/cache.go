// Package cache remembers answers with their age: fresh for a while, then good
// enough to stand in for a failed call, then gone. It is bounded by entries and
// by bytes, evicts what was used least recently, and runs nothing of its own.
//
// golang-lru's plain Cache is inside, under one mutex: its expirable sibling
// deletes what should be served stale and keeps a goroutine that never stops.
package cache

import (
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// Cache holds answers of type V under keys of type K. It is safe for concurrent
// use. What it holds is shared: nobody may change it.
type Cache[K comparable, V any] struct {
	now      func() time.Time
	maxBytes int64

	mu    sync.Mutex
	lru   *simplelru.LRU[K, entry[V]]
	bytes int64
}

type entry[V any] struct {
	value      V
	stored     time.Time
	freshUntil time.Time
	staleUntil time.Time
	size       int64
}

// Overhead is what an entry weighs beside the bytes of its answer: the map's and
// the list's share and the entry itself, measured with answers of one word.
const Overhead = 256

// New returns a cache of at most entries answers (≥ 1) that weigh at most bytes
// (≥ 1) together. now is the clock.
func New[K comparable, V any](entries int, bytes int64, now func() time.Time) *Cache[K, V] {
	c := &Cache[K, V]{now: now, maxBytes: max(bytes, 1)}
	// NewLRU refuses only a size below 1.
	c.lru, _ = simplelru.NewLRU(max(entries, 1), func(_ K, e entry[V]) { c.bytes -= e.size })
	return c
}

// Put remembers an answer that weighs size bytes: fresh for the first duration,
// usable when stale until the second is over, both from now. An answer that
// alone is over the limit is not remembered, and what the key held is dropped.
func (c *Cache[K, V]) Put(key K, value V, size int64, fresh, stale time.Duration) {
	now := c.now()
	e := entry[V]{value: value, stored: now, freshUntil: now.Add(fresh), staleUntil: now.Add(max(fresh, stale)), size: size + Overhead}
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.size > c.maxBytes || !e.staleUntil.After(now) {
		c.lru.Remove(key)
		return
	}
	if old, ok := c.lru.Peek(key); ok { // Add puts the new one in its place, and tells nobody
		c.bytes -= old.size
	}
	c.bytes += e.size
	c.lru.Add(key, e)
	c.shrink()
}

// shrink forgets what was used least recently, until the rest is within bounds.
func (c *Cache[K, V]) shrink() {
	for c.bytes > c.maxBytes {
		c.lru.RemoveOldest()
	}
}

// Resize gives the cache other bounds, as New does. What was used least recently
// is forgotten where they have become too narrow; that takes some 100 ns an answer,
// for which other users of the cache wait.
func (c *Cache[K, V]) Resize(entries int, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.maxBytes = max(bytes, 1)
	c.lru.Resize(max(entries, 1))
	c.shrink()
}

// Hit is a remembered answer.
type Hit[V any] struct {
	Value V
	Age   time.Duration
	Fresh bool
}

// Get returns the answer under key, if it is still fresh or usable when stale.
func (c *Cache[K, V]) Get(key K) (Hit[V], bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.lru.Get(key)
	if !ok {
		return Hit[V]{}, false
	}
	now := c.now()
	if !now.Before(e.staleUntil) {
		c.lru.Remove(key)
		return Hit[V]{}, false
	}
	return Hit[V]{Value: e.value, Age: max(now.Sub(e.stored), 0), Fresh: now.Before(e.freshUntil)}, true
}

// Drop forgets the answer under key.
func (c *Cache[K, V]) Drop(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lru.Remove(key)
}

// Size is what a cache holds now.
type Size struct {
	Entries int   `json:"entries"`
	Bytes   int64 `json:"bytes"` // as weighed by Put, Overhead included
}

// Size returns what the cache holds now.
func (c *Cache[K, V]) Size() Size {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Size{Entries: c.lru.Len(), Bytes: c.bytes}
}
