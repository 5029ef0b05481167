package cache

import (
	"sync/atomic"
	"time"
)

// After so many faults in a row a breaker opens, for so long; then it lets one
// through. It is smaller than a command's circuit, which would count what is no
// backend's call, and keep two goroutines for it.
const (
	breakAfter = 5
	breakFor   = time.Second
)

type breaker struct {
	faults atomic.Int32
	until  atomic.Int64 // nanoseconds of the wall clock; 0: closed
}

// allow reports whether a call may be made, and whether it is the one that tells
// if the store is back.
func (b *breaker) allow(now time.Time) (ok, probe bool) {
	until := b.until.Load()
	switch {
	case until == 0:
		return true, false
	case now.UnixNano() < until && until-now.UnixNano() <= int64(breakFor): // else the clock was set back
		return false, false
	}
	probe = b.until.CompareAndSwap(until, now.Add(breakFor).UnixNano())
	return probe, probe
}

// settle counts how a call ended. A success that was on its way when the breaker
// opened closes nothing.
func (b *breaker) settle(now time.Time, probe, success bool) {
	switch {
	case success && (probe || b.until.Load() == 0):
		b.faults.Store(0)
		if probe {
			b.until.Store(0)
		}
	case !success && (b.faults.Add(1) == breakAfter || probe):
		b.until.Store(now.Add(breakFor).UnixNano())
	}
}

func (b *breaker) open() bool { return b.until.Load() != 0 }
