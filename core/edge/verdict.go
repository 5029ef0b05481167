package edge

import (
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// Verdict is what a page that ended tells about the room there was for it. The
// zero value is nothing.
type Verdict uint8

// The verdicts. Of a whole page it counts how long it took.
const (
	Silent Verdict = iota // it was not made, or came without a part: nothing is learnt
	Whole                 // it came with every part that there is
	Lost                  // it failed, because a call that it needs had no time or no room left
)

// VerdictOf judges a page by the error it ended with, nil of one that was made,
// and by its parts. Parts that are missing because nobody is logged in, or
// because there is no such thing, leave a page whole.
func VerdictOf(err error, parts []report.Part) Verdict {
	if err != nil {
		if crowded(fault.ReasonOf(err)) {
			return Lost
		}
		return Silent
	}
	for i := range parts {
		if m := &parts[i].Mark; m.Rung > report.Live && !natural(m.Reason) {
			return Silent
		}
	}
	return Whole
}

// crowded are the reasons that too many pages at once would give. An error and an
// open circuit may be their consequence, but come from a broken backend as well,
// and fewer pages do not mend that.
func crowded(r fault.Reason) bool {
	return r == fault.ReasonTimeout || r == fault.ReasonFull || r == fault.ReasonBudget
}

// natural are the reasons that say nothing against a backend.
func natural(r fault.Reason) bool {
	return r == fault.None || r == fault.ReasonAnonymous || r == fault.ReasonNotFound
}
