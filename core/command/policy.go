package command

import (
	"fmt"
	"time"
)

// Policy is what the configuration says about a command. Every field has to be
// in its range: a zero is refused, but in Cache, where it turns a thing off.
type Policy struct {
	Timeout       time.Duration // for the whole command; > 0
	MaxConcurrent int           // runs in progress at once; 1 to 100,000
	Circuit       Circuit
	Cache         Cache
}

// Circuit says when the circuit opens and how long it stays open.
type Circuit struct {
	Volume       int           // requests in the 10 s window before the percentage counts; ≥ 1
	ErrorPercent int           // of faults in the window that opens it; 1 to 100
	Consecutive  int           // faults in a row that open it at once; ≥ 1
	Sleep        time.Duration // until one probe is let through; > 0
}

// Cache says how long answers are remembered.
type Cache struct {
	Fresh   time.Duration // an answer this young is used without a call; 0: never
	Stale   time.Duration // an answer this old stands in for a failed call; 0: never
	Entries int           // at most this many answers; 0: 10,000
	Bytes   int64         // at most this many bytes of them; 0: 16 MiB
}

// DefaultPolicy returns the policy of a command that the configuration does
// not mention and that declares nothing else.
func DefaultPolicy() Policy {
	return Policy{
		Timeout:       300 * time.Millisecond,
		MaxConcurrent: 100,
		Circuit:       Circuit{Volume: 20, ErrorPercent: 50, Consecutive: 20, Sleep: 5 * time.Second},
	}
}

// The bounds of a policy.
const (
	maxTimeout    = 10 * time.Minute
	maxConcurrent = 100_000
	maxCount      = 1_000_000
	maxSleep      = time.Hour
	maxRemembered = 30 * 24 * time.Hour
)

// RangeError says which field of a policy is out of its range.
type RangeError struct {
	Field   string // as the configuration spells it, such as "circuit.volume"
	Allowed string // such as "1 to 100"
}

// Error names the field and what is allowed.
func (e *RangeError) Error() string { return fmt.Sprintf("%s: must be %s", e.Field, e.Allowed) }

// Validate returns a [*RangeError] for the first field out of its range.
func (p Policy) Validate() error {
	checks := []struct {
		ok             bool
		field, allowed string
	}{
		{p.Timeout > 0 && p.Timeout <= maxTimeout, "timeout", "over 0s and at most 10m"},
		{p.MaxConcurrent >= 1 && p.MaxConcurrent <= maxConcurrent, "max_concurrent", "1 to 100000"},
		{p.Circuit.Volume >= 1 && p.Circuit.Volume <= maxCount, "circuit.volume", "1 to 1000000"},
		{p.Circuit.ErrorPercent >= 1 && p.Circuit.ErrorPercent <= 100, "circuit.error_percent", "1 to 100"},
		{p.Circuit.Consecutive >= 1 && p.Circuit.Consecutive <= maxCount, "circuit.consecutive", "1 to 1000000"},
		{p.Circuit.Sleep > 0 && p.Circuit.Sleep <= maxSleep, "circuit.sleep", "over 0s and at most 1h"},
		{p.Cache.Fresh >= 0 && p.Cache.Fresh <= maxRemembered, "cache.fresh", "0s to 720h"},
		{p.Cache.Stale >= 0 && p.Cache.Stale <= maxRemembered, "cache.stale", "0s to 720h"},
		{p.Cache.Entries >= 0, "cache.entries", "0 or more"},
		{p.Cache.Bytes >= 0, "cache.bytes", "0 or more"},
	}
	for _, c := range checks {
		if !c.ok {
			return &RangeError{Field: c.field, Allowed: c.allowed}
		}
	}
	return nil
}

// The bounds of a cache that the policy does not give.
const (
	defaultEntries = 10_000
	defaultBytes   = 16 << 20
)

func (c Cache) enabled() bool { return c.Fresh > 0 || c.Stale > 0 }

func (c Cache) entries() int {
	if c.Entries == 0 {
		return defaultEntries
	}
	return c.Entries
}

func (c Cache) bytes() int64 {
	if c.Bytes == 0 {
		return defaultBytes
	}
	return c.Bytes
}
