package guard_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/guard"
)

// arm repeats a sample.
func arm(n int, s guard.Outcome, more ...guard.Counts) guard.Counts {
	var r guard.Recorder
	for range n {
		r.Record(s)
	}
	c := r.Snapshot()
	for _, m := range more {
		c.Add(m)
	}
	return c
}

func healthy(n int) guard.Counts {
	return arm(n, guard.Outcome{Took: 20 * time.Millisecond, Bytes: 10_000})
}

func all() rollout.Guard {
	return rollout.Guard{MinSamples: 50, Errors: 1, Degraded: 5, Panics: 2, P50: 25, P99: 50, Bytes: 25}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		candidate guard.Counts
		want      string // the sentence
	}{
		"as good": {healthy(500), ""},
		"errors": {
			arm(48, guard.Outcome{Took: 20 * time.Millisecond, Bytes: 10_000, Failed: true}, healthy(48)),
			"errors: 48 of 96 requests of v2 against 3 of 1,904 of control; allowed 1 % more",
		},
		"degraded": {
			arm(48, guard.Outcome{Took: 20 * time.Millisecond, Bytes: 10_000, Degraded: true}, healthy(48)),
			"degraded: 48 of 96 requests of v2 against 0 of 1,904 of control; allowed 5 % more",
		},
		"one panic": {arm(1, guard.Outcome{Took: 20 * time.Millisecond, Bytes: 10_000, Panicked: true}, healthy(95)), ""},
		"panics": {
			arm(2, guard.Outcome{Panicked: true}),
			"panics: 2 of 2 requests of v2; the limit is 2",
		},
		"p99": {
			arm(40, guard.Outcome{Took: 3 * time.Second, Bytes: 10_000}, healthy(160)),
			"p99: 3,087 ms in 200 requests of v2 against 21.0 in 1,904 of control; allowed 50 % more",
		},
		"p50": {
			arm(100, guard.Outcome{Took: 28 * time.Millisecond, Bytes: 10_000}),
			"p50: 28.3 ms in 100 requests of v2 against 21.0 in 1,904 of control; allowed 25 % more",
		},
		"bytes": {
			arm(100, guard.Outcome{Took: 20 * time.Millisecond, Bytes: 15_000}, healthy(10)),
			"bytes: 14,545 on average in 110 requests of v2 against 10,000 in 1,904 of control; allowed 25 % more",
		},
		"faster, smaller": {arm(500, guard.Outcome{Took: time.Microsecond, Bytes: 1}), ""},
	}
	control := arm(3, guard.Outcome{Took: 20 * time.Millisecond, Bytes: 10_000, Failed: true}, healthy(1_901))
	for name, tc := range cases {
		for _, window := range []int{guard.WholeStep, 0, 1} {
			limits := all()
			v := guard.Judge(&limits, window, control, tc.candidate)
			if diff := cmp.Diff(tc.want, v.Sentence("v2")); diff != "" || v.Worse != (tc.want != "") {
				t.Errorf("%s in window %d: %+v %s", name, window, v, diff)
			}
			if v.Worse && !strings.HasPrefix(tc.want, string(v.Metric)) {
				t.Errorf("%s: the metric is %s", name, v.Metric)
			}
		}
	}
}

// TestNothingIsSaid of too little, of rubbish, and where there is no limit.
func TestNothingIsSaid(t *testing.T) {
	t.Parallel()
	ill := func(n int) guard.Counts {
		return arm(n, guard.Outcome{Took: 30 * time.Second, Bytes: 1e6, Failed: true, Degraded: true})
	}
	rubbish := healthy(1_000)
	rubbish.Squares = math.NaN()
	cases := map[string]struct {
		limits             func(*rollout.Guard)
		window             int
		control, candidate guard.Counts
	}{
		"few of the candidate":  {nil, 0, healthy(100_000), ill(49)},
		"few of control":        {nil, 0, healthy(49), ill(1_000)},
		"none of control":       {nil, 0, guard.Counts{}, ill(1_000)},
		"none of the candidate": {nil, 0, healthy(1_000), guard.Counts{}},
		"nobody":                {func(g *rollout.Guard) { g.MinSamples = 0 }, 0, guard.Counts{}, guard.Counts{}},
		"rubbish of control":    {nil, 0, rubbish, ill(1_000)},
		"no such window":        {nil, guard.WholeStep - 1, healthy(1_000), ill(1_000)},
		"no limits":             {func(g *rollout.Guard) { *g = rollout.Guard{MinSamples: 50} }, 0, healthy(1_000), ill(1_000)},
		"limits that are none": {func(g *rollout.Guard) {
			nan := math.NaN()
			*g = rollout.Guard{
				MinSamples: 50, Alpha: nan, Errors: rollout.Percent(nan), Degraded: -1, Panics: -1, P50: math.Inf(1), P99: math.Inf(-1), Bytes: nan,
			}
		}, 0, healthy(1_000), ill(1_000)},
		"limits above all": {func(g *rollout.Guard) {
			*g = rollout.Guard{MinSamples: 50, Errors: 100, Degraded: 100, P50: 1e300, P99: 1e300, Bytes: 1e300}
		}, 0, healthy(1_000), ill(1_000)},
	}
	for name, tc := range cases {
		limits := all()
		if tc.limits != nil {
			tc.limits(&limits)
		}
		if v := guard.Judge(&limits, tc.window, tc.control, tc.candidate); v.Worse || v.Sentence("v2") != "" {
			t.Errorf("%s: %s", name, v.Sentence("v2"))
		}
	}
	control, candidate := healthy(1_000), ill(1_000)
	if v := guard.Judge(nil, 0, control, candidate); v != (guard.Verdict{}) {
		t.Errorf("without a guard: %+v", v)
	}
	limits := all()
	if v := guard.Judge(&limits, 0, control, rubbish); v != (guard.Verdict{}) {
		t.Errorf("of rubbish: %+v", v)
	}
	if v := guard.Judge(&limits, 0, control, candidate); !v.Worse { // so the cases above could have failed
		t.Error("what is ill in every way is not found")
	}
}

// TestPanicsNeedNoControl: not even one that can be read.
func TestPanicsNeedNoControl(t *testing.T) {
	t.Parallel()
	limits := all()
	candidate := arm(2, guard.Outcome{Panicked: true})
	for _, control := range []guard.Counts{{}, {Requests: 7, Bytes: math.NaN()}} {
		if v := guard.Judge(&limits, 0, control, candidate); !v.Worse || v.Metric != guard.Panics {
			t.Errorf("%+v", v)
		}
	}
}

// TestHugeCountsAreJudged: of as many requests as are believed.
func TestHugeCountsAreJudged(t *testing.T) {
	t.Parallel()
	const n = guard.MaxRequests
	huge := func(failed, slow uint64, bytes float64) guard.Counts {
		c := guard.Counts{Requests: n, Failed: failed, Bytes: float64(n) * bytes, Squares: float64(n) * bytes * bytes * 1.5}
		c.Latency[100], c.Latency[150] = n-slow, slow
		return c
	}
	control := huge(n/100, n/200, 1_000)
	for name, tc := range map[string]struct {
		candidate guard.Counts
		want      guard.Metric
	}{
		"as good":     {control, ""},
		"at the edge": {huge(n/50, n/100, 1_250), ""},
		"errors":      {huge(n/49, n/200, 1_000), guard.Errors},
		"p99":         {huge(n/100, n/99, 1_000), guard.P99},
		"bytes":       {huge(n/100, n/200, 1_251), guard.Bytes},
	} {
		limits := all()
		if v := guard.Judge(&limits, 0, control, tc.candidate); !v.Judged || v.Metric != tc.want {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// TestHowMuchLargerIsTooLarge: of 3,200 requests of each arm, with the standard
// deviation 1,000, the means have to be 3.85 standard errors apart at alpha 0.01, of
// which the whole step has half: sqrt(2 (1 + 1/50) (ln 200 + ln(51)/2)).
func TestHowMuchLargerIsTooLarge(t *testing.T) {
	t.Parallel()
	const n, deviation, mean = 3_200, 1_000, 10_000
	arm := func(mean float64) guard.Counts {
		c := guard.Counts{Requests: n, Bytes: n * mean, Squares: n * (mean*mean + deviation*deviation)}
		c.Latency[0] = n
		return c
	}
	limits := rollout.Guard{MinSamples: 50, Bytes: 1e-9}
	for errors, worse := range map[float64]bool{0: false, 3.84: false, 3.86: true, -10: false} {
		control, candidate := arm(mean), arm(mean+errors*deviation*math.Sqrt(2.0/n))
		if v := guard.Judge(&limits, guard.WholeStep, control, candidate); v.Worse != worse {
			t.Errorf("%v standard errors apart: %+v", errors, v)
		}
	}
}

func FuzzJudge(f *testing.F) {
	add := func(limits rollout.Guard, window int, control, candidate guard.Counts) {
		a, err := json.Marshal(control)
		if err != nil {
			f.Fatal(err)
		}
		b, err := json.Marshal(candidate)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(a, b, window, limits.MinSamples, limits.Panics, limits.Alpha, float64(limits.Errors), limits.P50, limits.P99, limits.Bytes)
	}
	add(all(), 0, healthy(1_000), healthy(100))
	add(all(), 3, healthy(1_000), arm(100, guard.Outcome{Took: time.Second, Bytes: 1e6, Failed: true, Panicked: true}))
	add(all(), guard.WholeStep, busy(1_000), everywhere(100))
	add(rollout.Guard{Alpha: math.NaN(), P99: math.Inf(1), P50: 1e-300, Bytes: 1e300}, math.MaxInt, guard.Counts{}, guard.Counts{})
	f.Fuzz(func(t *testing.T, a, b []byte, window, least, panics int, alpha, errors, p50, p99, bytes float64) {
		var control, candidate guard.Counts
		if json.Unmarshal(a, &control) != nil || json.Unmarshal(b, &candidate) != nil {
			return
		}
		limits := &rollout.Guard{
			MinSamples: least, Panics: panics, Alpha: alpha, Errors: rollout.Percent(errors), Degraded: rollout.Percent(errors),
			P50: p50, P99: p99, Bytes: bytes,
		}
		there := guard.Judge(limits, window, control, candidate)
		back := guard.Judge(limits, window, candidate, control)
		held(t, limits, &there, &control, &candidate)
		if there.Worse && back.Worse && there.Metric == back.Metric && there.Metric != guard.Panics {
			t.Errorf("each is worse than the other: %+v, %+v", there, back)
		}
		limits.Panics = 0
		if v := guard.Judge(limits, window, candidate, candidate); v.Worse {
			t.Errorf("worse than itself: %s", v.Sentence("v2"))
		}
	})
}

// held checks what is true of each verdict.
func held(t *testing.T, limits *rollout.Guard, v *guard.Verdict, control, candidate *guard.Counts) {
	t.Helper()
	if v.Worse != (v.Sentence("v2") != "") {
		t.Errorf("%+v says %q", v, v.Sentence("v2"))
	}
	if v.Worse && candidate.Validate() != nil {
		t.Errorf("judged rubbish: %+v", v)
	}
	if v.Judged && (control.Validate() != nil || min(control.Requests, candidate.Requests) < uint64(max(1, limits.MinSamples))) {
		t.Errorf("judged too little: %+v", v)
	}
	for _, figure := range []float64{v.Limit, v.Candidate.Value, v.Control.Value} {
		if math.IsNaN(figure) || math.IsInf(figure, 0) || figure < 0 {
			t.Errorf("a figure is %v", figure)
		}
	}
}

func BenchmarkJudge(b *testing.B) {
	for name, candidate := range map[string]guard.Counts{
		"well":  busy(10_000),
		"worse": arm(100, guard.Outcome{Took: 20 * time.Millisecond, Bytes: 10_000, Failed: true}, busy(10_000)),
		"slow":  arm(10_000, guard.Outcome{Took: 900 * time.Millisecond, Bytes: 10_000}),
	} {
		control := busy(1_000_000)
		control.Failed, candidate.Degraded = 1_000, 100
		if name != "worse" {
			candidate.Failed = 10
		}
		b.Run(name, func(b *testing.B) {
			limits := all()
			limits.Panics = 0
			b.ReportAllocs()
			for b.Loop() {
				if v := guard.Judge(&limits, 3, control, candidate); v.Worse == (name == "well") {
					b.Fatalf("%+v", v)
				}
			}
		})
	}
}
