package guard

import (
	"math"

	"github.com/facet-gateway/facet/core/rollout"
)

// defaultAlpha is that of a guard without one.
const defaultAlpha = 0.01

// The shares of requests above the quantiles.
const (
	beyondP50 = 0.5
	beyondP99 = 0.01
)

// Judge compares the counts of both arms in one window, or in the whole step
// ([WholeStep]). It says nothing of a candidate, except that it panicked too often,
// unless both arms have the guard's least number of requests; nothing at all without a
// guard, or of counts that are not valid.
//
// It takes some 3 µs and no memory while the candidate is well.
func Judge(limits *rollout.Guard, window int, control, candidate Counts) Verdict {
	if limits == nil || window < WholeStep || candidate.Validate() != nil {
		return Verdict{}
	}
	if limits.Panics > 0 && candidate.Panicked >= uint64(limits.Panics) {
		return Verdict{Worse: true, Metric: Panics, Limit: float64(limits.Panics), Candidate: Panics.figure(&candidate)}
	}
	if control.Validate() != nil || min(control.Requests, candidate.Requests) < leastSamples(limits) {
		return Verdict{}
	}
	looks, n := looksOf(limits)
	needed := enough(alphaOf(alpha(limits), window) / float64(n))
	for _, l := range looks[:n] {
		if l.refuted(&control, &candidate, needed) {
			return Verdict{
				Worse: true, Judged: true, Metric: l.metric, Limit: l.limit,
				Candidate: l.metric.figure(&candidate), Control: l.metric.figure(&control),
			}
		}
	}
	return Verdict{Judged: true}
}

func leastSamples(limits *rollout.Guard) uint64 { return uint64(max(1, limits.MinSamples)) }

func alpha(limits *rollout.Guard) float64 {
	if limits.Alpha > 0 && limits.Alpha < 1 {
		return limits.Alpha
	}
	return defaultAlpha
}

// look is one metric that a guard looks at.
type look struct {
	metric Metric
	limit  float64 // percent
}

// looksOf returns the n that have a limit, in their order.
func looksOf(limits *rollout.Guard) (looks [5]look, n int) {
	for _, l := range [...]look{
		{Errors, float64(limits.Errors)}, {Degraded, float64(limits.Degraded)}, {P99, limits.P99}, {P50, limits.P50}, {Bytes, limits.Bytes},
	} {
		if l.limit > 0 && !math.IsInf(l.limit, 1) {
			looks[n] = l
			n++
		}
	}
	return looks, n
}

// refuted reports whether there is the evidence needed that the candidate is worse by
// more than the limit.
func (l look) refuted(control, candidate *Counts, needed evidence) bool {
	limit := l.limit / 100
	switch l.metric {
	case P99:
		return slower(control, candidate, beyondP99, 1+limit, needed)
	case P50:
		return slower(control, candidate, beyondP50, 1+limit, needed)
	case Bytes:
		return larger(control, candidate, 1+limit) >= needed
	default:
		return moreOften(l.metric.figure(control).tally(), l.metric.figure(candidate).tally(), limit) >= needed
	}
}

// figure returns what was seen of one arm.
func (m Metric) figure(c *Counts) Figure {
	f := Figure{Requests: c.Requests}
	switch m {
	case P99:
		f.Value = c.Latency.milliseconds(beyondP99)
	case P50:
		f.Value = c.Latency.milliseconds(beyondP50)
	case Bytes:
		f.Value = c.mean()
	default:
		f.Counted = c.of(m)
		f.Value = 100 * float64(f.Counted) / float64(c.Requests)
	}
	return f
}

// tally is of those that are counted.
func (f Figure) tally() tally { return tally{float64(f.Counted), float64(f.Requests)} }

// of returns how many requests are counted for a metric.
func (c *Counts) of(m Metric) uint64 {
	switch m {
	case Errors:
		return c.Failed
	case Degraded:
		return c.Degraded
	default:
		return c.Panicked
	}
}
