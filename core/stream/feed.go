package stream

import (
	"github.com/facet-gateway/facet/core/fault"
)

// Feed is values of type T that keep coming, where a [Stream] is one value. It does
// nothing until it is followed, and may be followed any number of times, from several
// goroutines. A [Hub] makes feeds, and a [Shape] makes other ones of them. The zero
// Feed fails.
type Feed[T any] struct {
	origin origin
	form   func(*event) *form // what this feed has of an event
	err    error              // why it cannot be followed
}

// origin is where a feed comes from: a key of a hub.
type origin interface {
	follow(after string) (*place, error)
}

var errZeroFeed = fault.New(fault.Internal, "a zero feed was followed")

// NoFeed returns the feed that cannot be followed, because of err.
func NoFeed[T any](err error) Feed[T] { return Feed[T]{err: err} }

// Follow returns a follower of what comes from now on, who must be closed. Of a feed
// whose values are a state it has the latest one first.
//
// If after is the [Item.ID] that somebody had last, the follower has what came after
// it, as far as that is remembered. Of an id that nobody remembers, or that is none of
// this process, it has the latest value and is told of the gap. It costs no goroutine.
func (f Feed[T]) Follow(after string) (*Follower[T], error) {
	switch {
	case f.err != nil:
		return nil, f.err
	case f.origin == nil:
		return nil, errZeroFeed
	}
	place, err := f.origin.follow(after)
	if err != nil {
		return nil, err
	}
	return &Follower[T]{place: place, form: f.form}, nil
}

// Item is a value of a feed.
type Item[T any] struct {
	Value T
	ID    string // of at most 32 letters, digits and hyphens; see [Feed.Follow]
	Gap   bool   // what came before this value was missed
}

// Follower is one who follows a feed. Nothing is kept for it: it reads what the hub
// remembers for all, at its own pace. It belongs to one goroutine.
type Follower[T any] struct {
	place *place
	form  func(*event) *form
}

// Changed returns the channel that is closed when there is more than at the time of
// the call. Ask for it first and for [Follower.Next] then, so as to miss nothing.
func (f *Follower[T]) Changed() <-chan struct{} { return f.place.topic.waiting() }

// Next returns the next value without waiting; none, if it has not come yet. An error
// says that there will be no other: that the feed has none at all, that the follower was
// too slow, or that the shape of a value failed. The last one leaves the others readable.
func (f *Follower[T]) Next() (item Item[T], ok bool, err error) {
	e, gap, err := f.place.topic.next(f.place)
	if e == nil || err != nil {
		return item, false, err
	}
	n := f.form(e)
	if n.err != nil {
		return item, false, n.err
	}
	value, _ := n.value.(T) // it is one
	return Item[T]{Value: value, ID: e.id, Gap: gap}, true, nil
}

// Close ends following. Closing twice is closing once.
func (f *Follower[T]) Close() { f.place.leave() }
