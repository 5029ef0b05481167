package balance

import (
	"math"
	"sync/atomic"
	"time"
)

const (
	memory  = 10_000.0                        // ms after which a peak counts a third of what it did; as Finagle's
	nominal = float32(100 * time.Millisecond) // what a fault counts as before any latency is known
	noise   = 0.9                             // loads nearer to each other than this are equal
)

// latency is a peak EWMA of how long an instance takes, in nanoseconds: 32 bits of a
// float, and 32 bits of the millisecond when it was last changed. The zero value
// knows nothing.
type latency struct{ bits atomic.Uint64 }

func (l *latency) load() (ns float32, at uint32) {
	bits := l.bits.Load()
	return math.Float32frombits(uint32(bits >> 32)), uint32(bits) //nolint:gosec // the two halves
}

// at returns what is believed at a time: a peak is forgotten towards the median.
func (l *latency) at(now int64, median float32) float32 {
	ns, at := l.load()
	switch {
	case ns == 0:
		return median
	case ns <= median:
		return ns
	}
	return median + (ns-median)*left(now, at)
}

// tells reports whether a call is worth the clock where few are: it is a peak, or
// its nanoseconds, as good as random, say so; those of one in 64 do.
func (l *latency) tells(took time.Duration) bool {
	ns, _ := l.load()
	return float32(took) > ns || uint64(took)*0x9E3779B97F4A7C15>>58 == 0 //nolint:gosec // a hash (Knuth's multiplicative one)
}

// observe learns from one call, and reports whether it came within a millisecond of
// one before. Such a call, if no slower, changes nothing.
func (l *latency) observe(took float32, now int64) (again bool) {
	for {
		old := l.bits.Load()
		ns, at := math.Float32frombits(uint32(old>>32)), uint32(old) //nolint:gosec // the two halves
		stamp := uint32(now)                                         //nolint:gosec // it wraps around after 49 days, as the difference does
		switch {
		case took >= ns:
			ns = took
		case stamp == at:
			return true
		default:
			ns = took + (ns-took)*left(now, at)
		}
		if l.bits.CompareAndSwap(old, uint64(math.Float32bits(ns))<<32|uint64(stamp)) {
			return stamp == at
		}
	}
}

func (l *latency) forget() { l.bits.Store(0) }

// asSlow returns what a fault counts as at least, so that failing fast attracts
// nobody: three times the median, and more for each fault in a row before it.
func asSlow(median float32, row int32) float32 {
	if median == 0 {
		median = nominal
	}
	return median * float32(1+2*min(row, 50))
}

// left returns the share of a peak that is left of it by now.
func left(now int64, at uint32) float32 {
	age := float64(int32(uint32(now) - at)) //nolint:gosec // wraps around on purpose
	switch {
	case age <= 0:
		return 1
	case age < memory/64: // a good line, and much cheaper than the curve
		return float32(1 - age/memory)
	}
	return float32(math.Exp(-age / memory))
}
