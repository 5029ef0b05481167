package command

import (
	"time"

	"github.com/facet-gateway/facet/core/report"
)

// Recent is what a command has come to in the last 10 s.
type Recent struct {
	Runs      [outcomes]uint64 // by [report.Outcome]; of a batch, one
	Answers   [rungs]uint64    // by [report.Rung]; of a batch, one a query
	Collapsed uint64           // queries that left in batches
	Busiest   int64            // the most runs in progress at once, of those that have ended
	Execute   Latency          // of the runs themselves
	Total     Latency          // of the answers that a run was made for, with what stood in for it
}

// Latency is how long something took, with an error of at most 1 %.
type Latency struct {
	Count int64
	Mean  time.Duration
	At    []time.Duration // at the percentiles that were asked for
}

// Recent returns what the command has come to in the last 10 s, latencies at
// the percentiles, from 0 to 100 and ascending. Runs that were canceled have no
// latency: it would be their client's. It costs some 100 µs.
func (c *Control) Recent(percentiles ...float64) Recent { return c.recentAt(time.Now(), percentiles) }

func (c *Control) recentAt(now time.Time, percentiles []float64) Recent {
	recent := c.ledger.recent(now)
	recent.Execute = c.ledger.latency(now, runOnly, percentiles)
	recent.Total = c.ledger.latency(now, answerOnly, percentiles)
	return recent
}

// Micros is how long runs took, in microseconds and with an error of at most
// 1 %, at three percentiles, and the longest. All are 0 when there were none.
type Micros struct {
	P50 int64 `json:"p50"`
	P95 int64 `json:"p95"`
	P99 int64 `json:"p99"`
	Max int64 `json:"max"`
}

func (c *Control) latency() Micros {
	at := c.ledger.latency(time.Now(), runOnly, []float64{50, 95, 99, 100}).At
	return Micros{P50: at[0].Microseconds(), P95: at[1].Microseconds(), P99: at[2].Microseconds(), Max: at[3].Microseconds()}
}

// Durations is how long the runs of a command took since it was made, but those
// that were canceled.
type Durations struct {
	Count   uint64
	Sum     time.Duration
	Buckets []Bucket // ascending; each counts those below it, too
}

// Bucket counts what took at most a time.
type Bucket struct {
	UpTo  time.Duration
	Count uint64
}

// Durations returns how long the command's runs took.
func (c *Control) Durations() Durations { return c.ledger.read() }

// latencyQuantile returns how long a run takes at the q-quantile of the last
// 10 s, q from 0 to 1, or false if fewer than 100 runs tell. It is at most a
// second old, and costs an atomic load and a look at the clock.
func (c *Control) latencyQuantile(q float64) (time.Duration, bool) {
	return c.ledger.quantile(q, time.Now())
}

// ran counts a run that was made and has just ended, while it still holds its ticket.
func (c *Control) ran(call *report.Call, end time.Time) {
	c.outcomes[call.Outcome].Add(1)
	c.ledger.enter(end, entry{
		of: aRun, which: uint8(call.Outcome), took: inMicros(call.Took), answered: inMicros(call.Sought + end.Sub(call.Began)),
		keys:       uint16(call.Keys),               //nolint:gosec // at most BatchLimit
		inProgress: uint32(c.bulkhead.inUse.Load()), //nolint:gosec // nobody runs so many
	})
}

// count counts an answer.
func (c *Control) count(rung report.Rung, at time.Time) {
	c.rungs[rung].Add(1)
	c.ledger.enter(at, entry{of: anAnswer, which: uint8(rung)})
}

// substituted counts how long an answer took whose run failed.
func (c *Control) substituted(call *report.Call) {
	switch call.Outcome {
	case report.Failure, report.TimedOut, report.CallerFault:
		now := time.Now()
		c.ledger.enter(now, entry{of: aStandIn, answered: inMicros(call.Sought + now.Sub(call.Began))})
	case report.Success, report.Rejected, report.ShortCircuited, report.OutOfBudget, report.Canceled:
	}
}
