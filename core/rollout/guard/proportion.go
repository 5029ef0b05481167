package guard

import "math"

// evidence is the natural logarithm of an e-value: above ln(1/alpha) it refutes a
// hypothesis at alpha, as often as it may have been looked at.
type evidence = float64

// none is the evidence of nothing.
func none() evidence { return math.Inf(-1) }

// enough is the evidence that refutes at alpha.
func enough(alpha float64) evidence { return -math.Log(alpha) }

// moreOften is the evidence against the hypothesis that what happens to a request of
// the candidate with chance p happens to one of control with at least p - margin.
//
// For any two chances, mixture / likelihood of the counts is a martingale that begins
// at 1, so its least over all pairs of chances of the hypothesis is no greater than
// one that is. Where the shares that were seen are not within the hypothesis, the
// likelihood is greatest on its edge, because its logarithm is concave.
func moreOften(control, candidate tally, margin float64) evidence {
	if !(candidate.share() > control.share()+margin) {
		return none()
	}
	p := likeliest(control, candidate, margin)
	return control.mixture() + candidate.mixture() - control.likelihood(p) - candidate.likelihood(p+margin)
}

// likeliest is the chance p of control that makes the counts likeliest if that of the
// candidate is p + margin: it is between what either arm alone makes likeliest.
func likeliest(control, candidate tally, margin float64) float64 {
	low, high := control.share(), candidate.share()-margin
	for range 60 { // a bit each: more than a float64 has
		p := (low + high) / 2
		if control.slope(p)+candidate.slope(p+margin) > 0 {
			low = p
		} else {
			high = p
		}
	}
	return (low + high) / 2
}

// above is the evidence that more than a share p of requests is counted, below that
// fewer are.
func (t tally) above(p float64) evidence { return t.mixture() - t.likelihood(min(p, t.share())) }
func (t tally) below(p float64) evidence { return t.mixture() - t.likelihood(max(p, t.share())) }

// tally is how many of n requests are counted.
type tally struct{ counted, n float64 }

func (t tally) share() float64 { return t.counted / t.n }

// mixture is the logarithm of the chance of these requests, in their order, if the
// chance of each was drawn from Jeffreys' prior, Beta(1/2, 1/2).
func (t tally) mixture() float64 {
	return lnGamma(t.counted+0.5) + lnGamma(t.n-t.counted+0.5) - lnGamma(t.n+1) - math.Log(math.Pi)
}

// likelihood is the same if the chance of each was p.
func (t tally) likelihood(p float64) float64 {
	return times(t.counted, math.Log(p)) + times(t.n-t.counted, math.Log1p(-p))
}

// slope is how much the likelihood grows with p.
func (t tally) slope(p float64) float64 { return times(t.counted, 1/p) - times(t.n-t.counted, 1/(1-p)) }

// times is a product in which none of something infinite is nothing.
func times(count, of float64) float64 {
	if count == 0 {
		return 0
	}
	return count * of
}

func lnGamma(x float64) float64 {
	y, _ := math.Lgamma(x)
	return y
}
