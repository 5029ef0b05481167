package report

import (
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

// Rung is the step of the ladder that a part of a page stands on, best first.
type Rung uint8

// The rungs, from best to worst.
const (
	Cached  Rung = iota // a fresh remembered answer: no call was made
	Live                // the backend answered now
	Stale               // a remembered answer past its freshness stood in
	Default             // a hardwired answer stood in
	Missing             // there is nothing to show
)

var rungNames = [...]string{"cached", "live", "stale", "default", "missing"}

// Rungs returns every rung, best first.
func Rungs() []Rung { return []Rung{Cached, Live, Stale, Default, Missing} }

// String returns the rung's name, an RFC 9651 token.
func (r Rung) String() string {
	if int(r) >= len(rungNames) {
		return rungNames[Missing]
	}
	return rungNames[r]
}

// Mark is where an answer stands and why: its rung, the age of the oldest
// answer in it (0 for a live one), and the reason it is not live.
// The zero Mark is a fresh cached answer of age 0; a live one is Mark{Rung: Live}.
type Mark struct {
	Rung   Rung
	Age    time.Duration
	Reason fault.Reason
}

// joined is the algebra of rungs: what two answers used together stand on.
// It is symmetric, associative and idempotent: the worse of the two.
var joined = [5][5]Rung{
	Cached:  {Cached: Cached, Live: Live, Stale: Stale, Default: Default, Missing: Missing},
	Live:    {Cached: Live, Live: Live, Stale: Stale, Default: Default, Missing: Missing},
	Stale:   {Cached: Stale, Live: Stale, Stale: Stale, Default: Default, Missing: Missing},
	Default: {Cached: Default, Live: Default, Stale: Default, Default: Default, Missing: Missing},
	Missing: {Cached: Missing, Live: Missing, Stale: Missing, Default: Missing, Missing: Missing},
}

// Join returns the mark of something made of both: the worse rung, the greater
// age, and the reason of the worse one. Of two reasons for one rung it takes
// the one that [fault.Reasons] names first, so that order does not matter.
func (m Mark) Join(other Mark) Mark {
	j := Mark{Rung: joined[m.Rung][other.Rung], Age: max(m.Age, other.Age), Reason: m.Reason}
	switch {
	case m.Rung != j.Rung:
		j.Reason = other.Reason
	case other.Rung == j.Rung:
		j.Reason = first(m.Reason, other.Reason)
	}
	return j
}

// first returns the reason that comes first; one that is none comes last.
func first(a, b fault.Reason) fault.Reason {
	if a == fault.None || b == fault.None {
		return a | b
	}
	return min(a, b)
}
