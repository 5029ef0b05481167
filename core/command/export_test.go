package command

import (
	"reflect"
	"time"
	"unsafe"

	"github.com/facet-gateway/facet/core/report"
)

// Succeeded tells the circuit of a command of a call that succeeded at another time.
func Succeeded(c *Control, at time.Time) { c.circuit.events.succeeded(at, 0) }

// Failed tells the circuit of a command of a call that failed at another time.
func Failed(c *Control, at time.Time) {
	c.circuit.events.failed(c.circuit.events.kinds.failure, at, 0)
}

// Over reports whether the share of faults was too high at a time.
func Over(c *Control, at time.Time) bool {
	policy := c.Policy().Circuit
	return c.circuit.events.over(at, &policy)
}

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

// Transitions is how often a circuit has opened and closed.
func Transitions(c *Control) int {
	c.circuit.mu.Lock()
	defer c.circuit.mu.Unlock()
	n := 2 * int(c.circuit.opened.Load()) //nolint:gosec // few
	if c.circuit.open.Load() {
		n--
	}
	return n
}

// Enter takes down a run that began at a time and succeeded, and its answer.
func Enter(c *Control, began time.Time, took time.Duration) {
	call := &report.Call{Began: began, Took: took}
	c.ran(call, began.Add(took))
	c.count(report.Live, began.Add(took))
}

// LatencyQuantile returns the quantile that hedged requests go by.
func LatencyQuantile(c *Control, q float64) (time.Duration, bool) { return c.latencyQuantile(q) }

// QuantileAt returns it as at another time.
func QuantileAt(c *Control, q float64, at time.Time) (time.Duration, bool) {
	return c.ledger.quantile(q, at)
}

// RecentAt returns what there is to tell as at another time.
func RecentAt(c *Control, at time.Time, percentiles ...float64) Recent {
	return c.recentAt(at, percentiles)
}

// Counted is how many events hystrix-go has counted in its window: it counts a
// moment after it was told, and tells nobody.
func Counted(c *Control) int {
	field := reflect.ValueOf(c.circuit.breaker).Elem().FieldByName("metrics")
	metrics := reflect.NewAt(field.Type(), unsafe.Pointer(field.UnsafeAddr())).Elem() //nolint:gosec // to read what is not exported
	requests, _ := metrics.MethodByName("Requests").Call(nil)[0].Interface().(interface{ Sum(now time.Time) float64 })
	return int(requests.Sum(time.Now()))
}

// Waiting is how many queries wait for the window of a command to close.
func Waiting[K comparable, V any](c *Command[K, V]) int {
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	return len(c.flights.waiting)
}

// Windowed reports whether a window of a command is open.
func Windowed[K comparable, V any](c *Command[K, V]) bool {
	c.flights.mu.Lock()
	defer c.flights.mu.Unlock()
	return c.flights.closing != nil
}
