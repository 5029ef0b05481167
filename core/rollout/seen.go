package rollout

import (
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/devices"
)

// Seen is a request that was assigned, with what became of it.
type Seen struct {
	Assignment
	Class    devices.Class
	Unit     string         // "": nobody in particular
	Report   *report.Report // nobody may keep it
	Took     time.Duration
	Status   int // 499: the client was gone
	Bytes    int
	Panicked bool   // the version did, also where its page came without a part
	FellBack bool   // control answered instead
	Answered string // the version that answered, such as "v1"
	Revision uint64 // of the state that it was assigned by
}

// Failed reports whether the version made no page, for a reason of this side.
func (s *Seen) Failed() bool { return s.Status >= 500 || s.FellBack }

// Degraded reports whether a page came with a part that is not what it could be. That
// there is nobody to show a part to, or nothing to show, is what the part is.
func (s *Seen) Degraded() bool {
	for i := range s.Report.Parts {
		m := &s.Report.Parts[i].Mark
		if m.Rung > report.Live && m.Reason != fault.ReasonAnonymous && m.Reason != fault.ReasonNotFound {
			return true
		}
	}
	return false
}
