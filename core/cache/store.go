package cache

import (
	"context"
	"time"
)

// Key names one entry of the second level. As text it is
// "<command>:<shape>:<text>", and a store puts its own prefix before it.
type Key struct {
	Command string // "service.command"
	Shape   string // of the types, so that a new build never reads an old one's bytes
	Text    string // of the query; see [Text]
}

// String returns the key as a store holds it, without the store's prefix.
func (k Key) String() string { return k.Command + ":" + k.Shape + ":" + k.Text }

// Write is a change of one entry.
type Write struct {
	Key    Key
	Value  []byte        // nil: the entry is dropped
	TTL    time.Duration // after which the store forgets it; > 0
	Tags   []string      // what it can be invalidated by
	Stored time.Time     // by the store's clock; the store refuses what was invalidated at or after it
}

// Store holds bytes that replicas share. Its methods return when their context
// ends or soon after, and are safe for concurrent use. It logs nothing, and no
// password is in its errors.
type Store interface {
	// Get returns the values under keys, in their order; "" where there is none.
	// A value of more than limit bytes comes cut, yet longer than limit, and one
	// that is no value at all as a text that is no entry.
	Get(ctx context.Context, keys []Key, limit int) ([]string, error)

	// Write makes changes in their order, and returns how many were made or
	// rightly refused, with the error of one that was not.
	Write(ctx context.Context, writes []Write) (done int, err error)

	// Close ends all that the store has going; calls in progress fail.
	Close()
}

// Coordinator is what a store can do besides if it lets replicas agree. Without
// it there are no tags and no refresh that replicas share, and an invalidation
// reaches no other replica.
type Coordinator interface {
	// Claim reports of each key whether nobody else has claimed it within the last d,
	// in one round trip.
	Claim(ctx context.Context, keys []Key, d time.Duration) ([]bool, error)

	// Invalidate drops what is meant, refuses writes of what is older for as long
	// as keep, and tells all who watch, all at one instant, which it returns, by
	// the store's clock, with the number of entries that it dropped. shape is the
	// caller's own, of a key.
	Invalidate(ctx context.Context, i Invalidation, shape string, keep time.Duration) (at time.Time, dropped int, err error)

	// Now returns the time of the store's clock.
	Now(ctx context.Context) (time.Time, error)

	// Watch calls heard for each invalidation, from the moment at which it has
	// called started, until the context ends or the store is lost. Neither may block.
	Watch(ctx context.Context, started func(), heard func(Invalidation)) error
}
