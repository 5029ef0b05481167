package command

import (
	"time"

	"github.com/facet-gateway/facet/core/report"
)

// How many outcomes and rungs there are to count by.
const (
	outcomes = int(report.OutOfBudget) + 1
	rungs    = int(report.Missing) + 1
)

// rolling counts what came about in each of the last seconds. For one goroutine
// at a time.
type rolling [window / bucket]tally

// tally is what came about in one second.
type tally struct {
	second    int64 // which one; 0: none yet
	runs      [outcomes]uint64
	answers   [rungs]uint64
	collapsed uint64 // queries that went into batches
	busiest   int64  // the most runs in progress at once
}

// secondOf numbers the seconds from 1.
func secondOf(at time.Duration) int64 { return int64(at/bucket) + 1 }

// at returns the tally of a moment, or nil if that is long ago: who asks was
// held up for the whole window.
func (r *rolling) at(moment time.Duration) *tally {
	second := secondOf(moment)
	t := &r[second%int64(len(r))]
	switch {
	case second < t.second:
		return nil
	case second > t.second:
		*t = tally{second: second}
	}
	return t
}

// take counts an entry.
func (t *tally) take(e *entry) {
	switch e.of {
	case aRun:
		t.runs[e.which]++
		t.collapsed += uint64(e.keys)
		t.busiest = max(t.busiest, int64(e.inProgress))
	case aRefusal:
		t.runs[e.which]++
	case anAnswer:
		t.answers[e.which]++
	case aStandIn:
	}
}

// addTo adds up this second and the nine before it.
func (r *rolling) addTo(all *Recent, now time.Duration) {
	last := secondOf(now)
	for i := range r {
		if t := &r[i]; t.second > last-int64(len(r)) && t.second <= last {
			t.addTo(all)
		}
	}
}

func (t *tally) addTo(all *Recent) {
	for i, n := range t.runs {
		all.Runs[i] += n
	}
	for i, n := range t.answers {
		all.Answers[i] += n
	}
	all.Collapsed += t.collapsed
	all.Busiest = max(all.Busiest, t.busiest)
}
