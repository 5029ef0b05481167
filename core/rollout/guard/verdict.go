package guard

import (
	"fmt"
	"strconv"
)

// Metric is what is looked at. Its name is that of the limit in a document.
type Metric string

// The metrics.
const (
	Errors   Metric = "errors"
	Degraded Metric = "degraded"
	Panics   Metric = "panics"
	P50      Metric = "p50"
	P99      Metric = "p99"
	Bytes    Metric = "bytes"
)

// Verdict is what the counts say of a candidate.
type Verdict struct {
	Worse  bool   // by more than the limit of Metric; else nothing below says anything
	Judged bool   // there were enough requests of both arms
	Metric Metric // the first of those that are worse, in the order errors, degraded, p99, p50, bytes; panics before all
	Limit  float64

	Candidate, Control Figure
}

// Figure is what was seen of one arm.
type Figure struct {
	Requests uint64
	Counted  uint64  // of them: of errors, degraded pages and panics
	Value    float64 // their share in percent; of latencies the upper end of the quantile's bucket in ms; of bytes the mean
}

// Sentence says in one sentence why the candidate, whose name is given, is worse; ""
// if it is not.
func (v *Verdict) Sentence(candidate string) string {
	if !v.Worse {
		return ""
	}
	limit := strconv.FormatFloat(v.Limit, 'f', -1, 64)
	c, o := &v.Candidate, &v.Control
	switch v.Metric {
	case Panics:
		return fmt.Sprintf("panics: %s of %s requests of %s; the limit is %s", grouped(c.Counted), grouped(c.Requests), candidate, limit)
	case Errors, Degraded:
		return fmt.Sprintf("%s: %s of %s requests of %s against %s of %s of control; allowed %s %% more",
			v.Metric, grouped(c.Counted), grouped(c.Requests), candidate, grouped(o.Counted), grouped(o.Requests), limit)
	}
	unit := "ms"
	if v.Metric == Bytes {
		unit = "on average"
	}
	return fmt.Sprintf("%s: %s %s in %s requests of %s against %s in %s of control; allowed %s %% more",
		v.Metric, short(c.Value), unit, grouped(c.Requests), candidate, short(o.Value), grouped(o.Requests), limit)
}

// short writes a value with as many digits as a person reads.
func short(value float64) string {
	if value < 100 {
		return strconv.FormatFloat(value, 'f', 1, 64)
	}
	return grouped(uint64(value + 0.5))
}

// grouped writes a number such as 1,904.
func grouped(n uint64) string {
	text := strconv.FormatUint(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
