package guard

import "math"

// slower reports whether the counts refute that the quantile of the candidate which a
// share of requests lies above is at most factor times that of control.
//
// If control's is in a bucket, then at least that share of its requests are in the
// bucket or above; and of the candidate's at most that share are above factor times
// the upper end of the bucket. The hypothesis is refuted when that is for each bucket.
// The one that control's quantile was seen in is looked at first: while the candidate
// is well, that is all.
func slower(control, candidate *Counts, share, factor float64, needed evidence) bool {
	q := quantiles{control, candidate, share, factor}
	if q.against(control.Latency.quantile(share)) < needed {
		return false
	}
	for bucket := range buckets {
		if q.against(bucket) < needed {
			return false
		}
	}
	return true
}

// quantiles compares one of control with one of the candidate.
type quantiles struct {
	control, candidate *Counts
	share, factor      float64
}

// against is the evidence against control's quantile being in a bucket and the
// candidate's within the limit of it: the mean of what each arm says, and of what both
// say together, because they are independent.
func (q *quantiles) against(bucket int) evidence {
	control := above(q.control, bucket).below(q.share)
	candidate := none()
	if bucket < buckets-1 {
		if beyond, there := bucketFrom(q.factor * float64(bound(bucket+1))); there {
			candidate = above(q.candidate, beyond).above(q.share)
		}
	}
	return meanOf(control, candidate, control+candidate)
}

// above counts the requests in a bucket and all above.
func above(c *Counts, bucket int) tally {
	return tally{float64(c.Latency.from(bucket)), float64(c.Requests)}
}

// meanOf is the logarithm of the mean of values that are given by theirs.
func meanOf(a, b, c float64) float64 {
	greatest := max(a, b, c)
	if math.IsInf(greatest, -1) {
		return greatest
	}
	return greatest + math.Log((math.Exp(a-greatest)+math.Exp(b-greatest)+math.Exp(c-greatest))/3)
}
