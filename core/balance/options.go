package balance

import (
	"fmt"
	"time"
)

// Policy is how an instance is chosen.
type Policy string

// The policies.
const (
	LeastLoaded Policy = "least_loaded" // of two at random, by latency and calls in flight
	RoundRobin  Policy = "round_robin"  // each in its turn
)

// Options is what the configuration says about the instances of a service. Every
// field has to be in its range, see [Options.Validate].
type Options struct {
	Policy       Policy
	Zone         string        // where this gateway runs: its instances are preferred while at least half of them are in; "": all are alike
	SlowStart    time.Duration // over which an instance that is new or back gets its share; 0 to 10 min, 0: at once
	Outlier      Outlier
	PanicPercent int    // of the instances that have to be in; when fewer are, all are used; 0 to 100, 0: when none is
	Check        *Check // active health checks; nil: none
}

// Outlier says which instances are ejected, and for how long.
type Outlier struct {
	Consecutive int           // faults in a row after which an instance is out; 0 to 1000, 0: however many
	SuccessRate int           // percent points below the mean of the others, over an interval, that take it out; 0 to 100, 0: however bad
	Interval    time.Duration // between two such looks; 1 s to 10 min
	Ejection    time.Duration // how long the first one lasts; each next one twice as long, up to 5 min; 100 ms to 5 min
	MaxPercent  int           // of the instances that may be out, with those that are unhealthy; 0 to 100
}

func (o Outlier) ejects() bool { return o.MaxPercent > 0 && (o.Consecutive > 0 || o.SuccessRate > 0) }

// Check says how often instances are asked how they are, and what is made of it.
// What asks them is said by [Pool.Probe].
type Check struct {
	Interval  time.Duration // between two checks of an instance; 100 ms to 10 min
	Timeout   time.Duration // of one; 10 ms to Interval
	Healthy   int           // good ones in a row until an unhealthy instance is in; 1 to 100
	Unhealthy int           // bad ones in a row until it is not; 1 to 100
}

// DefaultOptions returns the options of a file that says nothing.
func DefaultOptions() Options {
	return Options{
		Policy: LeastLoaded, SlowStart: 10 * time.Second, PanicPercent: 50,
		Outlier: Outlier{Consecutive: 5, SuccessRate: 30, Interval: 10 * time.Second, Ejection: 10 * time.Second, MaxPercent: 50},
	}
}

// InTurn returns the options of a client that is told none: each instance in its turn, and
// none is ejected.
func InTurn() Options {
	o := DefaultOptions()
	o.Policy, o.Outlier.MaxPercent, o.SlowStart = RoundRobin, 0, 0
	return o
}

// DefaultCheck returns the checks of a file that says no more than that there are some.
func DefaultCheck() Check {
	return Check{Interval: 5 * time.Second, Timeout: time.Second, Healthy: 2, Unhealthy: 3}
}

// RangeError says which field of the options is out of its range.
type RangeError struct {
	Field   string // as the configuration spells it, such as "outlier.max_percent"
	Allowed string // such as "0 to 100"
}

// Error names the field and what is allowed.
func (e *RangeError) Error() string { return fmt.Sprintf("balance.%s: must be %s", e.Field, e.Allowed) }

// longest is how long an ejection lasts at most.
const longest = 5 * time.Minute

type check struct {
	ok             bool
	field, allowed string
}

// Validate returns a [*RangeError] for the first field out of its range.
func (o Options) Validate() error {
	checks := []check{
		{o.Policy == LeastLoaded || o.Policy == RoundRobin, "policy", "least_loaded or round_robin"},
		{len(o.Zone) <= 64, "zone", "at most 64 bytes"},
		{within(o.SlowStart, 0, 10*time.Minute), "slow_start", "0s to 10m"},
		{within(o.Outlier.Consecutive, 0, 1000), "outlier.consecutive", "0 to 1000"},
		{within(o.Outlier.SuccessRate, 0, 100), "outlier.success_rate", "0 to 100"},
		{within(o.Outlier.Interval, time.Second, 10*time.Minute), "outlier.interval", "1s to 10m"},
		{within(o.Outlier.Ejection, 100*time.Millisecond, longest), "outlier.ejection", "100ms to 5m"},
		{within(o.Outlier.MaxPercent, 0, 100), "outlier.max_percent", "0 to 100"},
		{within(o.PanicPercent, 0, 100), "panic_percent", "0 to 100"},
	}
	if c := o.Check; c != nil {
		checks = append(checks,
			check{within(c.Interval, 100*time.Millisecond, 10*time.Minute), "check.interval", "100ms to 10m"},
			check{within(c.Timeout, 10*time.Millisecond, c.Interval), "check.timeout", "10ms to the interval"},
			check{within(c.Healthy, 1, 100), "check.healthy", "1 to 100"},
			check{within(c.Unhealthy, 1, 100), "check.unhealthy", "1 to 100"},
		)
	}
	for _, c := range checks {
		if !c.ok {
			return &RangeError{Field: c.field, Allowed: c.allowed}
		}
	}
	return nil
}

func within[N int | time.Duration](n, least, most N) bool { return least <= n && n <= most }
