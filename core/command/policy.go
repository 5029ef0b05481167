package command

import (
	"fmt"
	"time"
)

// Policy is what the configuration says about a command. Every field has to be
// in its range: a zero is refused where it is not said to turn a thing off.
type Policy struct {
	Timeout        time.Duration // for the whole command, all attempts together; > 0
	AttemptTimeout time.Duration // for one attempt; 0: as Timeout
	MaxConcurrent  int           // attempts in progress at once; 1 to 100,000
	Mode           Mode
	Circuit        Circuit
	Cache          Cache
	Retry          Retry
	Hedge          bool          // a second attempt once the first has taken as long as 95 % of those of late
	Coalesce       bool          // the same query from several requests at once is one call
	BatchWindow    time.Duration // how long a query waits for those of other requests; 0: for none

	Traits Traits // what the code has declared; the configuration cannot change it
}

// Mode says whether limits are kept.
type Mode uint8

// The modes of a command.
const (
	Enforce Mode = iota // the bulkhead, the circuit and the time limit refuse and end calls
	Observe             // they only count what they would have done
)

// String returns the mode as the configuration spells it.
func (m Mode) String() string {
	if m == Observe {
		return "observe"
	}
	return "enforce"
}

// Traits are what the declaration of a command says of its calls.
type Traits struct {
	Safe    bool // a call changes nothing, so that it may be made twice
	Batched bool // there is a form of the call for many queries
}

// Circuit says when the circuit opens and how long it stays open.
type Circuit struct {
	Volume       int           // requests in the 10 s window before the percentage counts; ≥ 1
	ErrorPercent int           // of faults in the window that opens it; 1 to 100
	Consecutive  int           // faults in a row that open it at once; ≥ 1
	Sleep        time.Duration // until one probe is let through; > 0
}

// Cache says how long answers are remembered. Ages count from the beginning of
// the call that brought the answer.
type Cache struct {
	Fresh      time.Duration // an answer this young is used without a call; 0: never
	Revalidate time.Duration // an answer this old is used while one call renews it (stale-while-revalidate, RFC 5861); 0: never
	Stale      time.Duration // an answer this old stands in for a failed call (stale-if-error, RFC 5861); 0: never
	Negative   time.Duration // that there is no such thing is believed this long without a call; 0: never
	Jitter     int           // percent by which each answer's times are shortened at most, at random; 0 to 50
	Entries    int           // at most this many answers; 0: 10,000
	Bytes      int64         // at most this many bytes of them; 0: 16 MiB
}

// Retry says whether a failed attempt is followed by another, on another instance.
type Retry struct {
	Attempts int           // in all; 1 to 5
	Backoff  time.Duration // before the second attempt, half of it at random; doubled before each further one; 0: none
}

// DefaultPolicy returns the policy of a command that the configuration does
// not mention and that declares nothing else.
func DefaultPolicy() Policy {
	return Policy{
		Timeout:       300 * time.Millisecond,
		MaxConcurrent: 100,
		Circuit:       Circuit{Volume: 20, ErrorPercent: 50, Consecutive: 20, Sleep: 5 * time.Second},
		Cache:         Cache{Jitter: 10},
		Retry:         Retry{Attempts: 1, Backoff: 10 * time.Millisecond},
	}
}

// The bounds of a policy.
const (
	maxTimeout    = 10 * time.Minute
	maxConcurrent = 100_000
	maxCount      = 1_000_000
	maxEntries    = 100_000_000
	maxSleep      = time.Hour
	maxRemembered = 30 * 24 * time.Hour
	maxJitter     = 50
	maxAttempts   = 5
	maxBackoff    = 10 * time.Second
	maxWindow     = 100 * time.Millisecond
)

// RangeError says which field of a policy is out of its range.
type RangeError struct {
	Field   string // as the configuration spells it, such as "circuit.volume"
	Allowed string // such as "1 to 100"
}

// Error names the field and what is allowed.
func (e *RangeError) Error() string { return fmt.Sprintf("%s: must be %s", e.Field, e.Allowed) }

// check is one rule of a policy.
type check struct {
	ok             bool
	field, allowed string
}

// Validate returns a [*RangeError] for the first field out of its range.
func (p Policy) Validate() error {
	for _, rules := range [][]check{p.limits(), p.Circuit.rules(), p.Cache.rules(), p.sharing()} {
		for _, c := range rules {
			if !c.ok {
				return &RangeError{Field: c.field, Allowed: c.allowed}
			}
		}
	}
	return nil
}

func (p Policy) limits() []check {
	return []check{
		{p.Timeout > 0 && p.Timeout <= maxTimeout, "timeout", "over 0s and at most 10m"},
		{p.AttemptTimeout >= 0 && p.AttemptTimeout <= p.Timeout, "attempt_timeout", "0s to timeout"},
		{p.MaxConcurrent >= 1 && p.MaxConcurrent <= maxConcurrent, "max_concurrent", "1 to 100000"},
		{p.Mode <= Observe, "mode", "enforce or observe"},
	}
}

func (c Circuit) rules() []check {
	return []check{
		{c.Volume >= 1 && c.Volume <= maxCount, "circuit.volume", "1 to 1000000"},
		{c.ErrorPercent >= 1 && c.ErrorPercent <= 100, "circuit.error_percent", "1 to 100"},
		{c.Consecutive >= 1 && c.Consecutive <= maxCount, "circuit.consecutive", "1 to 1000000"},
		{c.Sleep > 0 && c.Sleep <= maxSleep, "circuit.sleep", "over 0s and at most 1h"},
	}
}

func (c Cache) rules() []check {
	return []check{
		{c.Fresh >= 0 && c.Fresh <= maxRemembered, "cache.fresh", "0s to 720h"},
		{c.Revalidate == 0 || c.Revalidate >= c.Fresh && c.Revalidate <= maxRemembered, "cache.revalidate", "0s, or fresh to 720h"},
		{c.Stale >= 0 && c.Stale <= maxRemembered, "cache.stale", "0s to 720h"},
		{c.Negative >= 0 && c.Negative <= maxRemembered, "cache.negative", "0s to 720h"},
		{c.Jitter >= 0 && c.Jitter <= maxJitter, "cache.jitter", "0 to 50"},
		{c.Entries >= 0 && c.Entries <= maxEntries, "cache.entries", "0 to 100000000"},
		{c.Bytes >= 0, "cache.bytes", "0 or more"},
	}
}

func (p Policy) sharing() []check {
	return []check{
		{p.Retry.Attempts >= 1 && p.Retry.Attempts <= maxAttempts, "retry.attempts", "1 to 5"},
		{p.Retry.Attempts == 1 || p.Traits.Safe, "retry.attempts", "1, because a call of this command may change something"},
		{p.Cache.Fresh == 0 || p.Traits.Safe, "cache.fresh", "0s, because a call of this command may change something"},
		{p.Cache.Revalidate == 0 || p.Traits.Safe, "cache.revalidate", "0s, because a call of this command may change something"},
		{p.Cache.Stale == 0 || p.Traits.Safe, "cache.stale", "0s, because a call of this command may change something"},
		{p.Cache.Negative == 0 || p.Traits.Safe, "cache.negative", "0s, because a call of this command may change something"},
		{p.Retry.Backoff >= 0 && p.Retry.Backoff <= maxBackoff, "retry.backoff", "0s to 10s"},
		{!p.Hedge || p.Traits.Safe, "hedge", "false, because a call of this command may change something"},
		{!p.Coalesce || p.Traits.Safe, "coalesce", "false, because a call of this command may change something"},
		{p.BatchWindow >= 0 && p.BatchWindow <= maxWindow, "batch_window", "0s to 100ms"},
		{p.BatchWindow == 0 || p.Traits.Batched, "batch_window", "0s, because this command has no form for many queries"},
	}
}

// The bounds of a cache that the policy does not give.
const (
	defaultEntries = 10_000
	defaultBytes   = 16 << 20
)

func (c Cache) enabled() bool {
	return c.Fresh > 0 || c.Revalidate > 0 || c.Stale > 0 || c.Negative > 0
}

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
