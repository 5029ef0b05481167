package cache

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/bytedance/sonic"
)

// Remote is one command's view of the second level. Safe for concurrent use.
type Remote[K comparable, V any] struct {
	shared  *Shared
	command string
	shape   string
	text    func(K) string
}

// NewRemote returns the view of a command, "service.command". It is an error if
// queries have no text (see [Text]) or if answers would not come back from JSON as
// they were: unexported and left-out fields, interfaces, functions, channels.
func NewRemote[K comparable, V any](command string, s *Shared) (*Remote[K, V], error) {
	text, err := Text[K]()
	if err != nil {
		return nil, fmt.Errorf("%s: its query: %w", command, err)
	}
	shape, err := shapeOf(reflect.TypeFor[K](), reflect.TypeFor[V]())
	if err != nil {
		return nil, fmt.Errorf("%s: its answer: %w", command, err)
	}
	if err := sonic.Pretouch(reflect.TypeFor[V]()); err != nil {
		return nil, fmt.Errorf("%s: its answer: %w", command, err)
	}
	s.mu.Lock()
	s.shapes[command] = shape
	s.mu.Unlock()
	return &Remote[K, V]{shared: s, command: command, shape: shape, text: text}, nil
}

// Text returns how a query is spelled, here and by the operator.
func (r *Remote[K, V]) Text(key K) string { return r.text(key) }

func (r *Remote[K, V]) key(key K) Key { return Key{r.command, r.shape, r.text(key)} }

// Get returns the entries of keys in their order, an empty one where there is
// none, in the time of one look-up. It never fails: a store that does is counted,
// and knows nothing.
func (r *Remote[K, V]) Get(ctx context.Context, keys []K) []Entry[V] {
	entries := make([]Entry[V], len(keys))
	if len(keys) == 0 {
		return entries
	}
	named := make([]Key, len(keys))
	for i, key := range keys {
		named[i] = r.key(key)
	}
	s, asked := r.shared, time.Now()
	texts, err := lookup(ctx, s, func(ctx context.Context) ([]string, error) { return s.store.Get(ctx, named, s.options.MaxEntryBytes) })
	if err != nil || len(texts) != len(keys) {
		return entries
	}
	now := time.Now()
	for i, text := range texts {
		entries[i] = r.read(named[i], text, asked, now)
	}
	return entries
}

// read returns the entry that a text holds, if it is one and still of use.
func (r *Remote[K, V]) read(key Key, text string, asked, now time.Time) Entry[V] {
	s := r.shared
	if text == "" {
		s.misses.Add(1)
		return Entry[V]{}
	}
	e, err := decode[V](key, text, s.clock.Load().ahead)
	switch {
	case err != nil || len(text) > s.options.MaxEntryBytes:
		s.rubbish.Add(1)
		s.send(queued{key: key})
	case !now.Before(e.Stale):
		s.misses.Add(1)
	case s.Outdated(asked, key.Command, key.Text, e.Tags):
		s.outdated.Add(1)
	default:
		s.hits.Add(1)
		return e
	}
	return Entry[V]{}
}

// Put has an entry written, soon; it does not wait. An entry is not written if
// something has invalidated it since it was Stored (when the call for it began),
// if it is too large, or if there are more changes to write than the queue holds.
func (r *Remote[K, V]) Put(key K, e Entry[V]) {
	if !e.Found() || len(e.Tags) > MaxTags || slices.ContainsFunc(e.Tags, badTag) || e.Size > int64(r.shared.options.MaxEntryBytes) {
		r.shared.dropped.Add(1)
		return
	}
	if e.Fresh.Before(e.Stored) {
		e.Fresh = e.Stored
	}
	if e.Stale.Before(e.Fresh) {
		e.Stale = e.Fresh
	}
	k := r.key(key)
	r.shared.send(queued{
		key: k, size: max(e.Size, 0) + Overhead, asked: e.Stored, stale: e.Stale, tags: e.Tags,
		encode: func(shift time.Duration) ([]byte, error) { return encode(k, &e, shift) },
	})
}

func badTag(tag string) bool { return tag == "" || len(tag) > MaxTag }

// Drop has the entry of a key forgotten, soon; it does not wait.
func (r *Remote[K, V]) Drop(key K) { r.shared.send(queued{key: r.key(key), size: Overhead}) }

// Claim asks for leave to refresh the entries of keys, in the time of one look-up,
// and returns those for which it is given: no replica was given it within d before
// the end of that look-up, or nobody can tell, because the store is gone or lets
// replicas not agree.
func (r *Remote[K, V]) Claim(ctx context.Context, keys []K, d time.Duration) []K {
	c := r.shared.coordinator
	if c == nil || len(keys) == 0 {
		return keys
	}
	named := make([]Key, len(keys))
	for i, key := range keys {
		named[i] = r.key(key)
	}
	d += r.shared.options.Timeout // the leave is used once the look-up has ended
	leave, err := lookup(ctx, r.shared, func(ctx context.Context) ([]bool, error) { return c.Claim(ctx, named, d) })
	if err != nil || len(leave) != len(keys) {
		return keys
	}
	mine := make([]K, 0, len(keys))
	for i, key := range keys {
		if leave[i] {
			mine = append(mine, key)
		}
	}
	return mine
}

// Outdated reports whether an answer that was asked for at a moment may have been
// invalidated since; see [Shared.Outdated]. Of an entry from Get, the moment is
// that of Get.
func (r *Remote[K, V]) Outdated(asked time.Time, key K, tags []string) bool {
	return r.shared.recent.used.Load() && r.shared.Outdated(asked, r.command, r.text(key), tags)
}
