// Package cache remembers answers with their age: fresh for a while, then good
// enough to stand in for a failed call, then gone. It is bounded by entries and
// by bytes, evicts what was used least recently, and runs nothing of its own.
// What changed elsewhere is forgotten by its key or by a tag.
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

	mu     sync.Mutex
	lru    *simplelru.LRU[K, Entry[V]]
	bytes  int64
	tagged map[string]map[K]struct{} // the keys of a tag
	gone   recent
	text   func(K) string // of a key, as [Cache.Forget] knows it
}

// Overhead is what an entry weighs beside the bytes of its answer: the map's and
// the list's share and the entry itself, measured with answers of one word.
const Overhead = 300

// New returns a cache of at most entries answers (≥ 1) that weigh at most bytes
// (≥ 1) together. text is how a person names a key; now is the clock.
func New[K comparable, V any](entries int, bytes int64, text func(K) string, now func() time.Time) *Cache[K, V] {
	c := &Cache[K, V]{now: now, maxBytes: max(bytes, 1), text: text, tagged: make(map[string]map[K]struct{})}
	// NewLRU refuses only a size below 1.
	c.lru, _ = simplelru.NewLRU(max(entries, 1), func(k K, e Entry[V]) { c.left(k, &e) })
	return c
}

// weight is what an entry counts of the bytes.
func (e *Entry[V]) weight() int64 {
	n := e.Size + Overhead
	for _, tag := range e.Tags {
		n += int64(len(tag)) + tagOverhead
	}
	return n
}

// tagOverhead is what a tag of an entry weighs beside its text.
const tagOverhead = 100

// Put remembers an answer until it is too old to stand in. One that alone is over
// the limit of bytes is not remembered, nor one that was asked for before its key
// or a tag of it was forgotten; what the key held is dropped then.
func (c *Cache[K, V]) Put(key K, e Entry[V]) { c.PutAsked(key, e, e.Stored) }

// PutAsked is Put of an answer that somebody else has kept, and that was asked for
// at another moment than it was made.
func (c *Cache[K, V]) PutAsked(key K, e Entry[V], asked time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.weight() > c.maxBytes || !e.Stale.After(c.now()) || c.outrun(key, &e, asked) {
		c.lru.Remove(key)
		return
	}
	if old, ok := c.lru.Peek(key); ok { // Add puts the new one in its place, and tells nobody
		c.left(key, &old)
	}
	c.bytes += e.weight()
	c.lru.Add(key, e)
	for _, tag := range e.Tags {
		c.tag(tag, key)
	}
	c.shrink()
}

// outrun reports whether an entry was asked for before its key or a tag of it was
// forgotten.
func (c *Cache[K, V]) outrun(key K, e *Entry[V], asked time.Time) bool {
	return c.gone.used.Load() && c.gone.since(asked, "", c.text(key), e.Tags)
}

// shrink forgets what was used least recently, until the rest is within bounds.
func (c *Cache[K, V]) shrink() {
	for c.bytes > c.maxBytes {
		c.lru.RemoveOldest()
	}
}

func (c *Cache[K, V]) tag(tag string, key K) {
	keys := c.tagged[tag]
	if keys == nil {
		keys = make(map[K]struct{}, 1)
		c.tagged[tag] = keys
	}
	keys[key] = struct{}{}
}

// left takes the books of an entry that is no more.
func (c *Cache[K, V]) left(key K, e *Entry[V]) {
	c.bytes -= e.weight()
	for _, tag := range e.Tags {
		delete(c.tagged[tag], key)
		if len(c.tagged[tag]) == 0 {
			delete(c.tagged, tag)
		}
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

// Get returns the answer under key, if it is not too old even to stand in. The
// zero entry is none.
func (c *Cache[K, V]) Get(key K) Entry[V] {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.lru.Get(key)
	if !ok {
		return Entry[V]{}
	}
	if !c.now().Before(e.Stale) {
		c.lru.Remove(key)
		return Entry[V]{}
	}
	return e
}

// Drop removes the answer under key, which a later one may replace.
func (c *Cache[K, V]) Drop(key K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lru.Remove(key)
}

// Forget removes the answers whose key has a text, and returns how many there
// were. It looks at all keys, for which other users of the cache wait: some 50 ns
// each. Answers under such a key that were asked for before are not remembered any
// more.
func (c *Cache[K, V]) Forget(text string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone.note(subject{key: text}, c.now())
	n := 0
	for _, key := range c.lru.Keys() {
		if c.text(key) == text {
			c.lru.Remove(key)
			n++
		}
	}
	return n
}

// ForgetTag removes every answer of a tag and returns how many there were. Answers
// of the tag that were asked for before are not remembered any more.
func (c *Cache[K, V]) ForgetTag(tag string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gone.note(subject{tag: tag}, c.now())
	n := len(c.tagged[tag])
	for key := range c.tagged[tag] { // the last Remove deletes the map from tagged
		c.lru.Remove(key)
	}
	return n
}

// Outdate has no answer that there is count as fresh any more: whether it still
// holds is not known. Each may stand in as before.
func (c *Cache[K, V]) Outdate() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	for _, key := range c.lru.Keys() {
		if e, ok := c.lru.Peek(key); ok && e.Fresh.After(e.Stored) {
			e.Fresh = e.Stored
			c.lru.Add(key, e)
		}
	}
	c.gone.noteAll(now)
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
