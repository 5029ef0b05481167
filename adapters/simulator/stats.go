package simulator

import "sync/atomic"

// Stats are the counts of one service since the start or the last reset.
type Stats struct {
	Requests    int64 `json:"requests"`
	InFlight    int64 `json:"in_flight"`
	MaxInFlight int64 `json:"max_in_flight"`
	Aborted     int64 `json:"aborted"` // requests whose client went away before the answer
}

// counts are Stats that change.
type counts struct {
	requests, inFlight, maxInFlight, aborted atomic.Int64
}

func (c *counts) enter() {
	c.requests.Add(1)
	now := c.inFlight.Add(1)
	for highest := c.maxInFlight.Load(); now > highest; highest = c.maxInFlight.Load() {
		if c.maxInFlight.CompareAndSwap(highest, now) {
			return
		}
	}
}

func (c *counts) leave(aborted bool) {
	if aborted {
		c.aborted.Add(1)
	}
	c.inFlight.Add(-1)
}

func (c *counts) stats() Stats {
	return Stats{
		Requests:    c.requests.Load(),
		InFlight:    c.inFlight.Load(),
		MaxInFlight: c.maxInFlight.Load(),
		Aborted:     c.aborted.Load(),
	}
}

func (c *counts) reset() {
	c.requests.Store(0)
	c.maxInFlight.Store(c.inFlight.Load())
	c.aborted.Store(0)
}
