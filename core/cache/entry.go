package cache

import "time"

// Entry is a remembered answer, or that the backend knows of none. It is shared:
// nobody may change what it holds.
type Entry[V any] struct {
	Value  V
	Absent bool      // the backend said that there is no such thing
	Stored time.Time // when the call for it began; zero: there is no entry
	Fresh  time.Time // until when it is used without a call
	Stale  time.Time // until when it may stand in for a failed call; not before Fresh
	Size   int64     // bytes of the answer, as received
	Tags   []string  // what it can be invalidated by, beside its key
	Shared time.Time // when one for the key was last given to the second level, which does not keep this; zero: never
}

// Found reports whether there is an entry.
func (e *Entry[V]) Found() bool { return !e.Stored.IsZero() }

// Age returns how old the answer is, at least 0.
func (e *Entry[V]) Age(now time.Time) time.Duration { return max(now.Sub(e.Stored), 0) }
