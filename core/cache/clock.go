package cache

import (
	"context"
	"time"
)

// reading is how far the store's clock is ahead of this process's.
type reading struct {
	at    time.Time // when it was read; zero: never, and the two are taken for one
	ahead time.Duration
	doubt time.Duration // at most so much more or less
}

const readings = 3

// readClock compares the clocks, and keeps the reading that took the least time.
func (s *Shared) readClock(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	var best *reading
	for range readings {
		before := time.Now()
		theirs, err := s.coordinator.Now(ctx)
		if err != nil {
			return false
		}
		doubt := time.Since(before)/2 + time.Microsecond
		if best == nil || doubt < best.doubt {
			middle := before.Add(doubt).Round(0) // by the wall clock: that is what may have been set
			best = &reading{at: before, ahead: theirs.Sub(middle), doubt: doubt}
		}
	}
	s.clock.Store(best)
	return true
}

// earliest returns a moment of this process by the store's clock, the earliest
// that it can have been.
func (s *Shared) earliest(t time.Time) time.Time {
	r := s.clock.Load()
	return t.Round(0).Add(r.ahead - r.doubt)
}

// now returns the latest that it can be by the store's clock.
func (s *Shared) now() time.Time {
	r := s.clock.Load()
	return time.Now().Round(0).Add(r.ahead + r.doubt)
}
