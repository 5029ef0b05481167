package rollout

import "math"

// Buckets is how many parts the units of a class are divided into: a share has
// steps of 0.01 %.
const Buckets = 10_000

// Percent is a share of the units of a class, 0 to 100 in steps of 0.01.
type Percent float64

const bucketsPerPercent = Buckets / 100

// Hundredths is the share in hundredths of a percent, 0 to 10,000.
func (p Percent) Hundredths() int { return p.buckets() }

// buckets is how many buckets a share is.
func (p Percent) buckets() int { return int(math.Round(float64(p) * bucketsPerPercent)) }

// valid reports whether p is in its range, and a whole number of buckets.
func (p Percent) valid() bool {
	const near = 1e-6 // of a bucket
	exact := float64(p) * bucketsPerPercent
	return p >= 0 && p <= 100 && math.Abs(exact-math.Round(exact)) < near
}

// percentOf is the share of a number of buckets: of two shares the difference, for
// example, which is not exact in their own arithmetic.
func percentOf(buckets int) Percent { return Percent(buckets) / bucketsPerPercent }

const percentRule = "must be 0 to 100 percent, in steps of 0.01"

// Slice is a part of the buckets of a class, from one share to another.
type Slice struct {
	From Percent `json:"from"`
	To   Percent `json:"to"`
}

func (s Slice) size() int { return s.To.buckets() - s.From.buckets() }

func (s Slice) overlaps(o Slice) bool {
	return s.From.buckets() < o.To.buckets() && o.From.buckets() < s.To.buckets()
}
