package command

import "time"

// Forced is what a person has decided about a circuit.
type Forced uint8

// The states that a circuit can be forced into. The zero value is the usual: the
// circuit decides for itself.
const (
	NotForced    Forced = iota
	ForcedOpen          // every run is refused with [ErrOpen], and nothing is asked
	ForcedClosed        // every run is made, and whatever it comes to opens nothing
)

// String returns the state as [Stats] tells it.
func (f Forced) String() string {
	switch f {
	case ForcedOpen:
		return "forced_open"
	case ForcedClosed:
		return "forced_closed"
	case NotForced:
	}
	return "not_forced"
}

const maxForced = 24 * time.Hour

// decree is one decision of a person's; nothing changes it.
type decree struct {
	state Forced
	until time.Time // zero: until it is released
}

// lawless is the epoch of calls made under a decree: it never comes, so that what
// they come to changes nothing.
const lawless = ^uint64(0)

// byHand reports whether a person decided: that is no limit to be only observed.
func (a permit) byHand() bool { return a.epoch == lawless }

// Force opens or closes the circuit by hand, in place of what was forced before,
// from the next run on: for a time, over 0s and at most 24h, or with 0 until
// [Control.Release]. A run in progress goes on, and what it comes to no longer
// counts. It returns a [*RangeError] and changes nothing when a value is out of
// its range.
//
// While nothing is forced, that it could be costs a run one atomic load.
func (c *Control) Force(state Forced, limit time.Duration) error {
	switch {
	case state != ForcedOpen && state != ForcedClosed:
		return &RangeError{Field: "state", Allowed: "forced open or closed"}
	case limit < 0 || limit > maxForced:
		return &RangeError{Field: "for", Allowed: "over 0s and at most 24h"}
	}
	d := &decree{state: state}
	if limit > 0 {
		d.until = time.Now().Add(limit)
	}
	c.circuit.force(d)
	return nil
}

// Release lets the circuit decide for itself again, and reports whether it was
// forced. So does the end of the time that it was forced for. The circuit is then
// closed, and remembers no fault: while it was forced nobody looked, and what was
// before may be over. Only faults of the very last moment before it was forced, if
// it is released in that same moment, may be counted after all: hystrix-go takes
// them from a queue.
func (c *Control) Release() bool {
	d := c.circuit.decree(time.Now())
	return d != nil && c.circuit.release(d)
}

// Forced returns what the circuit is forced into, and until when; a zero time is
// until it is released.
func (c *Control) Forced() (Forced, time.Time) {
	if d := c.circuit.decree(time.Now()); d != nil {
		return d.state, d.until
	}
	return NotForced, time.Time{}
}

// decree returns the one in force, nil if there is none. One whose time is over
// ends here: whoever looks next sees to it, so that no timer has to.
func (c *circuit) decree(now time.Time) *decree {
	d := c.forced.Load()
	if d != nil && !d.until.IsZero() && !now.Before(d.until) {
		c.release(d)
		return c.forced.Load()
	}
	return d
}

func (c *circuit) force(d *decree) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.epoch.Add(1) // for calls in progress
	c.forced.Store(d)
}

// release ends a decree, unless another one is in force.
func (c *circuit) release(d *decree) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.forced.Load() != d {
		return false
	}
	c.renew(time.Now(), 0)
	c.forced.Store(nil) // last: nobody meets the circuit of before
	return true
}

// allow returns leave to make a call as a decree has it.
func (d *decree) allow() (permit, bool) { return permit{epoch: lawless}, d.state == ForcedClosed }
