package guard_test

import (
	"testing"

	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/guard"
)

// TestExactChanceOfAFalseAbort looks after every request, at the edge of the
// hypothesis, and adds up the chance of all that can happen: no simulation. The whole
// step has half of alpha; what the package comment claims is less.
func TestExactChanceOfAFalseAbort(t *testing.T) {
	t.Parallel()
	const alpha, claimed = 0.1, 0.006
	edge := func(percent rollout.Percent) walk {
		return walk{
			limits: rollout.Guard{Alpha: alpha, Errors: percent},
			of:     func(n, counted int, _ bool) guard.Counts { return of(uint64(n), uint64(counted)) },
			margin: float64(percent) / 100,
		}
	}
	// Half of control's requests take 64 ms and of the candidate's 128 ms, the other
	// half 640 ms and 1,280 ms: exactly twice as long, between buckets.
	median := walk{
		limits: rollout.Guard{Alpha: alpha, P50: 100},
		of: func(n, counted int, candidate bool) guard.Counts {
			c := guard.Counts{Requests: uint64(n)}
			fast := guard.BucketOf(1 << 26)
			if candidate {
				fast = guard.BucketOf(1 << 27)
			}
			c.Latency[fast], c.Latency[fast+48] = uint64(n-counted), uint64(counted)
			return c
		},
	}
	for name, tc := range map[string]struct {
		walk
		chances []float64
	}{
		"1 % more":  {edge(1), []float64{0, 0.01, 0.05, 0.2, 0.5, 0.9, 0.99}},
		"10 % more": {edge(10), []float64{0, 0.01, 0.05, 0.2, 0.5, 0.9}},
		"50 % more": {edge(50), []float64{0, 0.01, 0.1, 0.25, 0.5}},
		"median":    {median, []float64{0.5}},
	} {
		for _, ratio := range []int{1, 3} {
			tc.ratio = ratio
			for i, chance := range tc.abort(tc.chances) {
				t.Logf("%s, %d of control for each of the candidate, chance %v: aborted with a chance of %.5f", name, ratio, tc.chances[i], chance)
				if chance > alpha/2 {
					t.Errorf("%s: aborted with a chance of %v, allowed is %v", name, chance, alpha/2)
				}
			}
		}
	}
}

// walk is every way in which requests of both arms can be counted or not, some of
// control's after each of the candidate's.
type walk struct {
	limits rollout.Guard
	of     func(n, counted int, candidate bool) guard.Counts
	margin float64 // of the candidate's chance above control's
	ratio  int
}

const steps = 50 // of a walk, less with the race detector

// abort returns the chance of being aborted within the walk, for each chance of
// control. What is kept is the chance of each pair of numbers that is still running.
func (w *walk) abort(chances []float64) []float64 {
	aborted := make([]float64, len(chances))
	running := map[[2]int][]float64{{}: ones(len(chances))}
	n := [2]int{}
	for range steps / (1 + fewer/8) {
		arm := 0
		if n[0] >= w.ratio*(n[1]+1) {
			arm = 1
		}
		n[arm]++
		next := map[[2]int][]float64{}
		for counted, weights := range running {
			w.branch(next, counted, arm, weights, chances)
		}
		for counted, weights := range next {
			if w.worse(n, counted) {
				for i := range weights {
					aborted[i] += weights[i]
				}
				delete(next, counted)
			}
		}
		running = next
	}
	return aborted
}

// branch adds both ways in which a request of an arm can go.
func (w *walk) branch(next map[[2]int][]float64, counted [2]int, arm int, weights, chances []float64) {
	for yes := range 2 {
		to := counted
		to[arm] += yes
		if next[to] == nil {
			next[to] = make([]float64, len(chances))
		}
		for i, p := range chances {
			if arm == 1 {
				p += w.margin
			}
			if yes == 0 {
				p = 1 - p
			}
			next[to][i] += weights[i] * p
		}
	}
}

func (w *walk) worse(n, counted [2]int) bool {
	if n[0] == 0 || n[1] == 0 {
		return false
	}
	control, candidate := w.of(n[0], counted[0], false), w.of(n[1], counted[1], true)
	return guard.Judge(&w.limits, guard.WholeStep, control, candidate).Worse
}

func ones(n int) []float64 {
	all := make([]float64, n)
	for i := range all {
		all[i] = 1
	}
	return all
}

// TestWalkNoticesAWorseCandidate proves that the one above can fail: beyond the edge,
// the chance of an abort is far above alpha.
func TestWalkNoticesAWorseCandidate(t *testing.T) {
	t.Parallel()
	w := walk{
		limits: rollout.Guard{Alpha: 0.1, Errors: 1},
		of:     func(n, counted int, _ bool) guard.Counts { return of(uint64(n), uint64(counted)) },
		margin: 0.8, ratio: 1,
	}
	if got := w.abort([]float64{0.1}); got[0] < 0.5 {
		t.Errorf("aborted with a chance of %v", got[0])
	}
}
