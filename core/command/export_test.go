package command

import "time"

// Succeeded tells the circuit of a command of a call that succeeded at another time.
func Succeeded(c *Control, at time.Time) { c.circuit.events.succeeded(at, 0) }

// Flood hands over n successes faster than hystrix-go counts them.
func Flood(c *Control, n int) {
	for range n {
		c.circuit.events.report(c.circuit.events.kinds.success, time.Now(), 0)
	}
}

// Pause is how long to wait after the n-th attempt.
func Pause(r Retry, n int) time.Duration { return r.pause(n) }

// Kept is for how long an answer is kept fresh.
func Kept(c Cache, fresh time.Duration) time.Duration {
	var stored time.Time
	until, _ := c.until(stored, fresh, 0)
	return until.Sub(stored)
}

// Leave returns what asks the circuit of a command for leave to make a call.
func Leave(c *Control) func() bool {
	now, policy := time.Now(), c.Policy().Circuit
	return func() bool {
		_, ok := c.circuit.allow(now, &policy)
		return ok
	}
}
