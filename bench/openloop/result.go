package openloop

import (
	"math"
	"slices"
	"time"
)

// Served holds for a page, whole or degraded as declared.
func Served(a Answer) bool { return a.Status == 200 || a.Status == 304 }

// Whole holds for a page every part of which is live or cached.
func Whole(a Answer) bool { return Served(a) && a.Parts == "" }

// Refused holds for a page that was not made: a 503.
func Refused(a Answer) bool { return a.Status == 503 }

// Any holds for every answer, and for what had none.
func Any(Answer) bool { return true }

// Lost holds for a page that did not come: no answer, one that is no page, or one that
// is not sound.
func Lost(a Answer) bool { return !Served(a) || a.Faulty }

// Count returns how many answers hold.
func (r Result) Count(holds func(Answer) bool) int {
	n := 0
	for _, a := range r.Answers {
		if holds(a) {
			n++
		}
	}
	return n
}

// Share returns which share of the answers holds, 0 of none.
func (r Result) Share(holds func(Answer) bool) float64 {
	return float64(r.Count(holds)) / float64(max(len(r.Answers), 1))
}

// Percentile returns the latency that p percent of the answers that hold do not
// exceed; 0 if none holds.
func (r Result) Percentile(p float64, holds func(Answer) bool) time.Duration {
	var all []time.Duration
	for _, a := range r.Answers {
		if holds(a) {
			all = append(all, a.Took)
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	rank := int(math.Ceil(p / 100 * float64(len(all))))
	return all[min(max(rank, 1), len(all))-1]
}

// Between returns the answers that were due in a span of time since the start.
func (r Result) Between(from, to time.Duration) Result {
	some := Result{Name: r.Name}
	for _, a := range r.Answers {
		if a.Due >= from && a.Due < to {
			some.Answers = append(some.Answers, a)
		}
	}
	return some
}
