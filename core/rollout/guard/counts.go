package guard

import (
	"errors"
	"math"
	"time"
)

// Outcome is what one request came to. Those that were forced, or are a shadow's, or of
// units that take no part in the comparison are none.
type Outcome struct {
	Took     time.Duration // from its header to its answer
	Bytes    int           // of the answer's body; above 4 MiB it counts as that
	Failed   bool          // answered 500 or above, or never, but not because its client went away
	Degraded bool          // a part of the page is stale, default or missing
	Panicked bool          // the version's code did, whatever the client got in the end
}

// Counts is what the requests of one arm came to. The zero value is of none.
type Counts struct {
	Requests uint64  `json:"requests"`
	Failed   uint64  `json:"failed,omitempty"`
	Degraded uint64  `json:"degraded,omitempty"`
	Panicked uint64  `json:"panicked,omitempty"`
	Bytes    float64 `json:"bytes,omitempty"`   // their sum, of whole numbers
	Squares  float64 `json:"squares,omitempty"` // the sum of their squares
	Latency  Latency `json:"latency"`
}

// The bounds of what is believed.
const (
	maxBytes    = 1 << 22 // of one answer
	maxRequests = 1e12    // a thousand a second for thirty years; the arithmetic is exact enough up to here
)

// Add adds what other requests came to. Its result is valid if both were and their sum
// is within the bounds; it never becomes valid because a number has overflowed.
func (c *Counts) Add(o Counts) {
	c.Requests = sum(c.Requests, o.Requests)
	c.Failed = sum(c.Failed, o.Failed)
	c.Degraded = sum(c.Degraded, o.Degraded)
	c.Panicked = sum(c.Panicked, o.Panicked)
	c.Bytes += o.Bytes
	c.Squares += o.Squares
	for i, n := range &o.Latency {
		c.Latency[i] = sum(c.Latency[i], n)
	}
}

// sum adds, and stays at the end of its range.
func sum(a, b uint64) uint64 {
	if a+b < a {
		return math.MaxUint64
	}
	return a + b
}

var errCounts = errors.New("the counts contradict each other or are too large")

// Validate fails if no requests can have come to these counts. They may come from
// another replica, so nothing about them is believed.
func (c *Counts) Validate() error {
	for _, n := range [...]uint64{c.Failed, c.Degraded, c.Panicked} {
		if n > c.Requests {
			return errCounts
		}
	}
	if c.Requests > maxRequests || c.Latency.total() != c.Requests || !c.sized() {
		return errCounts
	}
	return nil
}

// sized reports whether there are answers with these sums. No comparison with NaN holds.
func (c *Counts) sized() bool {
	const rounding = 1e-9 // of sums that were added in floating point
	n := float64(c.Requests)
	if n == 0 {
		return c.Bytes == 0 && c.Squares == 0
	}
	return c.Bytes >= 0 && c.Bytes <= n*maxBytes &&
		c.Squares >= c.Bytes*c.Bytes/n*(1-rounding) && c.Squares <= n*maxBytes*maxBytes
}

// Quantiles returns the median and the 99th percentile of what the requests took, in
// milliseconds: the upper ends of their buckets, so at most 0.52 ms or 6 % too high. They
// are 0 of none.
func (c *Counts) Quantiles() (p50, p99 float64) {
	if c.Requests == 0 {
		return 0, 0
	}
	return c.Latency.milliseconds(beyondP50), c.Latency.milliseconds(beyondP99)
}

// mean is of the bytes.
func (c *Counts) mean() float64 { return c.Bytes / float64(c.Requests) }

// variance is of the bytes.
func (c *Counts) variance() float64 {
	m := c.mean()
	return max(0, c.Squares/float64(c.Requests)-m*m)
}
