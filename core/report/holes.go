package report

import "github.com/facet-gateway/facet/core/fault"

// Holes are the elements of a list that had to be left out: the list closes over
// them, and its part says how many there are and why. The zero value is none.
type Holes struct {
	Count  int
	Reason fault.Reason // of several, the one that [fault.Reasons] names first
}

// Join returns the holes of two lists together.
func (h Holes) Join(other Holes) Holes {
	return Holes{Count: h.Count + other.Count, Reason: first(h.Reason, other.Reason)}
}
