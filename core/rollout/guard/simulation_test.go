package guard_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/guard"
)

// world is where requests come from.
type world struct {
	share     float64 // of the candidate
	control   source
	candidate source
}

// source makes the request that is asked a part of the way through the step, 0 to 1.
type source func(r *rand.Rand, at float64) guard.Outcome

// shop is what a gateway's requests look like: one in two hundred fails, one page in
// twenty lacks something, and one in ten is a large one.
func shop(r *rand.Rand, _ float64) guard.Outcome {
	s := guard.Outcome{
		Failed: r.Float64() < 0.005, Degraded: r.Float64() < 0.05,
		Took: time.Duration(20e6 * math.Exp(0.6*r.NormFloat64())), Bytes: 2_000 + r.IntN(2_000),
	}
	if r.IntN(10) == 0 {
		s.Bytes *= 15
	}
	return s
}

// trial is one step that is played, and how.
type trial struct {
	world    world
	limits   rollout.Guard
	requests int // of both arms
	windows  int // they are spread over
	every    int // requests of the candidate between two looks
	first    int // window
}

// play returns the verdict that ended the step, if any did, and after how many
// requests of the candidate.
func (tr *trial) play(seed uint64) (guard.Verdict, int) {
	r := rand.New(rand.NewPCG(seed, 5))
	tally := guard.Tally{Window: tr.first}
	asked := 0
	for i := range tr.requests {
		if window := tr.first + i*tr.windows/tr.requests; window > tally.Window {
			tally.Window, tally.Control.Window, tally.Candidate.Window = window, guard.Counts{}, guard.Counts{}
		}
		at := float64(i) / float64(tr.requests)
		if r.Float64() >= tr.world.share {
			count(&tally.Control, tr.world.control(r, at), 1)
			continue
		}
		count(&tally.Candidate, tr.world.candidate(r, at), 1)
		asked++
		if asked%tr.every == 0 {
			if v := tally.Judge(&tr.limits); v.Worse {
				return v, asked
			}
		}
	}
	return guard.Verdict{}, asked
}

// count counts n equal requests, in much less time than a meter takes to tell of them.
func count(arm *guard.Arm, o guard.Outcome, n uint64) {
	for _, c := range [...]*guard.Counts{&arm.Window, &arm.Step} {
		c.Requests += n
		c.Latency[guard.BucketOf(o.Took)] += n
		size := float64(min(o.Bytes, guard.MaxBytes))
		c.Bytes += float64(n) * size
		c.Squares += float64(n) * size * size
		if o.Failed {
			c.Failed += n
		}
		if o.Degraded {
			c.Degraded += n
		}
	}
}

// aborted returns how many of many steps were aborted, by the metric that did it.
func (tr *trial) aborted(runs int) (all int, by map[guard.Metric]int) {
	by = map[guard.Metric]int{}
	for seed := range runs {
		if v, _ := tr.play(uint64(seed)); v.Worse {
			by[v.Metric]++
			all++
		}
	}
	return all, by
}

// mostly is how many of so many runs may be aborted if the chance is alpha: three
// standard deviations more than on average.
func mostly(alpha float64, runs int) int {
	n := float64(runs)
	return int(alpha*n + 3*math.Sqrt(n*alpha*(1-alpha)))
}

// TestAsGoodIsNotAborted plays steps of candidates that are as good as control or
// just within the limits, looking often.
func TestAsGoodIsNotAborted(t *testing.T) {
	t.Parallel()
	const alpha = 0.05
	same := func(share float64, s source) world { return world{share, s, s} }
	// So small that no slack hides a false abort.
	least := rollout.Guard{MinSamples: 20, Alpha: alpha, Errors: 0.01, Degraded: 0.01, P50: 0.01, P99: 0.01, Bytes: 0.01}
	only := func(set func(g *rollout.Guard)) rollout.Guard {
		g := rollout.Guard{MinSamples: 20, Alpha: alpha}
		set(&g)
		return g
	}
	for name, tc := range map[string]trial{
		"errors": {world: same(0.3, failing(0.05)), limits: only(func(g *rollout.Guard) { g.Errors = 0.01 })},
		"degraded": {world: same(0.3, func(r *rand.Rand, _ float64) guard.Outcome {
			return guard.Outcome{Degraded: r.Float64() < 0.3}
		}), limits: only(func(g *rollout.Guard) { g.Degraded = 0.01 })},
		"p50":               {world: same(0.3, shop), limits: only(func(g *rollout.Guard) { g.P50 = 0.01 })},
		"p99":               {world: same(0.3, shop), limits: only(func(g *rollout.Guard) { g.P99 = 0.01 })},
		"bytes":             {world: same(0.3, shop), limits: only(func(g *rollout.Guard) { g.Bytes = 0.01 })},
		"together":          {world: same(0.3, shop), limits: least},
		"together, few":     {world: same(0.02, shop), limits: least},
		"together, most":    {world: same(0.98, shop), limits: least},
		"errors at 1 %":     {world: same(0.01, failing(0.05)), limits: least},
		"an outage of both": {world: same(0.2, outage), limits: least},
		"errors at the edge": {
			world: world{0.3, failing(0.01), failing(0.02)}, limits: only(func(g *rollout.Guard) { g.Errors = 1 }),
		},
		"p50 at the edge": {
			world: world{0.3, twice(1, 0.5), twice(2, 0.5)}, limits: only(func(g *rollout.Guard) { g.P50 = 100 }),
		},
		"p99 at the edge": {
			world: world{0.3, twice(1, 0.01), twice(2, 0.01)}, limits: only(func(g *rollout.Guard) { g.P99 = 100 }),
		},
		"bytes at the edge": {
			world: world{0.3, sized(10_000, 1), sized(15_000, 1)}, limits: only(func(g *rollout.Guard) { g.Bytes = 50 }),
		},
		"bytes, rare large pages":     {world: same(0.5, rare), limits: only(func(g *rollout.Guard) { g.Bytes = 0.01 })},
		"bytes, and little control":   {world: same(0.98, rare), limits: only(func(g *rollout.Guard) { g.Bytes = 0.01 })},
		"bytes, and little candidate": {world: same(0.02, rare), limits: only(func(g *rollout.Guard) { g.Bytes = 0.01 })},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.requests, tc.windows = 2_400, 3
			tc.every = max(1, int(tc.world.share*float64(tc.requests))/100)
			runs := 1_000 / fewer
			if tc.limits == least {
				runs *= 2
			}
			all, by := tc.aborted(runs)
			t.Logf("%d of %d aborted: %v", all, runs, by)
			if all > mostly(alpha, runs) {
				t.Errorf("%d of %d steps were aborted, more than %d: %v", all, runs, mostly(alpha, runs), by)
			}
		})
	}
}

// failing fails with a chance.
func failing(p float64) source {
	return func(r *rand.Rand, _ float64) guard.Outcome { return guard.Outcome{Failed: r.Float64() < p} }
}

// outage is the shop with a backend that is away a tenth of the time.
func outage(r *rand.Rand, at float64) guard.Outcome {
	s := shop(r, at)
	if at > 0.5 && at < 0.6 && r.IntN(2) == 0 {
		s.Failed, s.Took = true, time.Second
	}
	return s
}

// twice is so many times 67 ms, and with a chance so many times 537 ms: between
// buckets, so that nothing is lost by their width.
func twice(times int, p float64) source {
	return func(r *rand.Rand, _ float64) guard.Outcome {
		if r.Float64() < p {
			return guard.Outcome{Took: time.Duration(times) << 29}
		}
		return guard.Outcome{Took: time.Duration(times) << 26}
	}
}

// sized has pages of a mean size, lognormal.
func sized(mean, sigma float64) source {
	return func(r *rand.Rand, _ float64) guard.Outcome {
		return guard.Outcome{Bytes: int(mean * math.Exp(sigma*r.NormFloat64()-sigma*sigma/2))}
	}
}

// rare has one page in a hundred that is twenty times as large.
func rare(r *rand.Rand, _ float64) guard.Outcome {
	s := guard.Outcome{Bytes: 3_000 + r.IntN(100)}
	if r.IntN(100) == 0 {
		s.Bytes *= 20
	}
	return s
}

// TestLookingOftenCheats proves that the steps above are hard: a test for one look,
// at the same alpha, aborts many times as many of them.
func TestLookingOftenCheats(t *testing.T) {
	t.Parallel()
	const alpha, z, runs = 0.05, 1.645, 2_000 / fewer
	aborted := 0
	for seed := range runs {
		r := rand.New(rand.NewPCG(uint64(seed), 5))
		var failed, n [2]float64
		for i := range 3_000 {
			arm := i & 1
			n[arm]++
			if r.Float64() < 0.05 {
				failed[arm]++
			}
			p := (failed[0] + failed[1]) / (n[0] + n[1])
			if n[1] >= 20 && i%10 == 0 && failed[1]/n[1]-failed[0]/n[0] > z*math.Sqrt(p*(1-p)*(1/n[0]+1/n[1])) {
				aborted++
				break
			}
		}
	}
	t.Logf("%d of %d aborted", aborted, runs)
	if aborted < 4*mostly(alpha, runs)/2 {
		t.Errorf("only %d of %d steps were aborted", aborted, runs)
	}
}

// TestHalfOfItsRequestsFail: a candidate at 1 % that errs on half of them is found
// within 200 of them, whatever came before.
func TestHalfOfItsRequestsFail(t *testing.T) {
	t.Parallel()
	const most, runs = 200, 1_000 / fewer
	half := func(r *rand.Rand, at float64) guard.Outcome {
		s := shop(r, at)
		s.Failed = r.IntN(2) == 0
		return s
	}
	for name, tc := range map[string]struct{ least, first, windows int }{
		"min_samples 20":           {20, 0, 1},
		"min_samples 50":           {50, 0, 1},
		"min_samples 100":          {100, 0, 1},
		"after 30 days of nothing": {50, 8_640, 1},
		"ten requests a window":    {50, 0, 25},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limits := all()
			limits.MinSamples = tc.least
			tr := trial{
				world: world{0.01, shop, half}, limits: limits, requests: 25_000, windows: tc.windows, every: 1, first: tc.first,
			}
			tr.found(t, runs, most, guard.Errors)
		})
	}
}

// found holds the step to ending in each run within so many requests of the candidate.
func (tr *trial) found(t *testing.T, runs, most int, metric guard.Metric) {
	t.Helper()
	after := make([]int, 0, runs)
	for seed := range runs {
		v, asked := tr.play(uint64(seed))
		if !v.Worse || v.Metric != metric || asked > most {
			t.Errorf("run %d: %+v after %d requests", seed, v, asked)
		}
		after = append(after, asked)
	}
	slices.Sort(after)
	at := func(percent int) int { return after[(len(after)-1)*percent/100] }
	t.Logf("requests of the candidate: least %d, median %d, 95 %% %d, most %d", at(0), at(50), at(95), at(100))
}

// TestAHealthyPastHidesNothing: the same after ten thousand good requests.
func TestAHealthyPastHidesNothing(t *testing.T) {
	t.Parallel()
	limits := all()
	past, r := guard.Tally{Window: 100}, rand.New(rand.NewPCG(6, 6))
	for range 10_000 {
		count(&past.Control, shop(r, 0), 99)
		count(&past.Candidate, shop(r, 0), 1)
	}
	past.Control.Window, past.Candidate.Window = guard.Counts{}, guard.Counts{}
	for seed := range 1_000 / fewer {
		r, tally := rand.New(rand.NewPCG(uint64(seed), 6)), past
		asked, worse := 0, false
		for ; asked < 200 && !worse; asked++ {
			for range 99 {
				count(&tally.Control, shop(r, 0), 1)
			}
			s := shop(r, 0)
			s.Failed = r.IntN(2) == 0
			count(&tally.Candidate, s, 1)
			worse = tally.Judge(&limits).Worse
		}
		if !worse {
			t.Errorf("run %d: not found within %d requests", seed, asked)
		}
	}
}

// TestPower: what is worse than a limit is found, the sooner the worse it is.
func TestPower(t *testing.T) {
	t.Parallel()
	const runs = 100 / min(fewer, 10)
	limits := rollout.Guard{MinSamples: 50, Errors: 1, Degraded: 5, P50: 25, P99: 25, Bytes: 25}
	spoil := func(spoil func(r *rand.Rand, s *guard.Outcome)) source {
		return func(r *rand.Rand, at float64) guard.Outcome {
			s := shop(r, at)
			spoil(r, &s)
			return s
		}
	}
	for name, tc := range map[string]struct {
		candidate source
		metric    guard.Metric
		most      int // requests of the candidate
	}{
		"2 % more errors":   {spoil(func(r *rand.Rand, s *guard.Outcome) { s.Failed = s.Failed || r.IntN(50) == 0 }), guard.Errors, 16_000},
		"10 % more errors":  {spoil(func(r *rand.Rand, s *guard.Outcome) { s.Failed = s.Failed || r.IntN(10) == 0 }), guard.Errors, 600},
		"20 % more holes":   {spoil(func(r *rand.Rand, s *guard.Outcome) { s.Degraded = s.Degraded || r.IntN(5) == 0 }), guard.Degraded, 600},
		"twice the p50":     {spoil(func(_ *rand.Rand, s *guard.Outcome) { s.Took = max(s.Took, min(2*s.Took, 70e6)) }), guard.P50, 600},
		"twice the p99":     {spoil(func(_ *rand.Rand, s *guard.Outcome) { s.Took = slowTail(s.Took) }), guard.P99, 3_000},
		"twice the bytes":   {spoil(func(_ *rand.Rand, s *guard.Outcome) { s.Bytes *= 2 }), guard.Bytes, 2_000},
		"twice the latency": {spoil(func(_ *rand.Rand, s *guard.Outcome) { s.Took *= 2 }), guard.P50, 600},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tr := trial{
				world: world{0.1, shop, tc.candidate}, limits: limits, requests: 10*tc.most + tc.most, windows: 1, every: 10,
			}
			tr.found(t, runs, tc.most, tc.metric)
		})
	}
}

// slowTail doubles what is slow, so that the 99th percentile is twice as long.
func slowTail(d time.Duration) time.Duration {
	if d > 60*time.Millisecond {
		return 2 * d
	}
	return d
}

// TestUsersAreNotIndependent holds the package comment to what it says of users with
// twenty requests each, of whom one in a hundred always fails, whoever answers.
func TestUsersAreNotIndependent(t *testing.T) {
	t.Parallel()
	const each, runs = 20, 500 / fewer
	for _, tc := range []struct {
		limits      rollout.Guard
		least, most float64 // of the steps that are aborted
	}{
		{rollout.Guard{MinSamples: 100, Errors: 1}, 0.14, 0.2},
		{rollout.Guard{MinSamples: 100, Errors: 1, Alpha: 0.0001}, 0.1, 0.15},
		{rollout.Guard{MinSamples: 1_000, Errors: 1}, 0.04, 0.07},
		{rollout.Guard{MinSamples: 1_000, Errors: 3}, 0, 0.005},
		{rollout.Guard{MinSamples: 5_000, Errors: 1}, 0, 0.005},
	} {
		aborted := 0
		for seed := range runs {
			r, tally := rand.New(rand.NewPCG(uint64(seed), 7)), guard.Tally{}
			for user := range 10_000 {
				o := guard.Outcome{Failed: r.IntN(100) == 0}
				if user%20 > 0 {
					count(&tally.Control, o, each)
					continue
				}
				count(&tally.Candidate, o, each)
				if tally.Judge(&tc.limits).Worse {
					aborted++
					break
				}
			}
		}
		t.Logf("%+v: %d of %d aborted", tc.limits, aborted, runs)
		if aborted > mostly(tc.most, runs) || fewer == 1 && float64(aborted) < tc.least*runs {
			t.Errorf("%+v: %d of %d steps were aborted, the comment says %v to %v", tc.limits, aborted, runs, tc.least, tc.most)
		}
	}
}
