package guard

import "math"

// settled is the number of requests from which the mixture is at its best. Others cost
// little: its bound is flat.
const settled = 32

// larger is the evidence against the hypothesis that the candidate's mean of bytes is
// at most factor times control's.
//
// Both arms are taken to vary as the one that varies more: a few requests that lack
// the rare large pages would else seem to know their mean exactly.
func larger(control, candidate *Counts, factor float64) evidence {
	excess := candidate.mean() - factor*control.mean()
	if !(excess > 0) {
		return none()
	}
	n := 1 / (1/float64(candidate.Requests) + factor*factor/float64(control.Requests))
	z2 := excess * excess * n / max(control.variance(), candidate.variance())
	r := n / settled
	return z2/2*r/(1+r) - math.Log1p(r)/2
}
