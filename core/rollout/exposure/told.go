package exposure

import (
	"hash/maphash"
	"sync/atomic"
)

// told remembers which exposures were told in a window: a table of marks, without
// locks, and with no pointer for a collector to follow. An exposure has a bucket by
// its hash, and a mark there that is the rest of its hash and the window: those of
// windows before make room by themselves. Two exposures have the same mark by a
// chance of one in 10^12; the second is then not told in that window.
//
// golang-lru takes 10 MiB for the hashes of 100,000, 27 MiB for their texts, and a lock.
type told struct {
	seed    maphash.Seed
	buckets [1 << bucketBits]bucket
}

type bucket [1 << wayBits]atomic.Uint64

// The bits of a mark, from the lowest: the window, then the hash's. The highest is
// set, so that no mark is 0, which is an empty place. What is cut off of a hash is
// its bucket, and which mark there goes when none is free.
const (
	bucketBits = 14
	wayBits    = 4
	windowBits = 20 // at a minute each, they begin again after two years
	windowMask = 1<<windowBits - 1
	marked     = 1 << 63
)

// mark is where an exposure is remembered.
type mark struct {
	place *atomic.Uint64
	is    uint64
}

// first reports whether an exposure is new in a window, which it is only once until
// it is forgotten, whoever asks at the same moment.
//
// Who comes second finds the mark, or fails to put its own into the place that the
// first took: both choose the first free place, or the same one to be lost.
func (t *told) first(what identity, window int64) (mark, bool) {
	hash := maphash.Comparable(t.seed, what)
	b := &t.buckets[hash&(1<<bucketBits-1)]
	lost := hash >> bucketBits & (1<<wayBits - 1)
	m := marked | hash&^windowMask | uint64(window)&windowMask //nolint:gosec // its low bits are what is wanted
	for {
		place, was := b.place(m, lost)
		if place == nil {
			return mark{}, false
		}
		if place.CompareAndSwap(was, m) {
			return mark{place, m}, true
		}
	}
}

// place returns where a mark goes and what is there, nil if the mark is there.
func (b *bucket) place(m, lost uint64) (place *atomic.Uint64, was uint64) {
	free, old := -1, uint64(0)
	for i := range b {
		is := b[i].Load()
		switch {
		case is == m:
			return nil, 0
		case free < 0 && outdated(is, m):
			free, was = i, is
		case i == int(lost): //nolint:gosec // below 16
			old = is
		}
	}
	if free < 0 {
		return &b[lost], old
	}
	return &b[free], was
}

// outdated reports whether there is no mark, or one of a window before that of m. One
// of a window after it is not: a request that began in the window before ends now.
func outdated(is, m uint64) bool {
	age := (m - is) & windowMask
	return is == 0 || (age != 0 && age <= windowMask/2)
}

// forget lets the exposure be told again.
func (m mark) forget() { m.place.CompareAndSwap(m.is, 0) }
