package guard_test

import (
	"encoding/json"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/guard"
)

func since() time.Time { return time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC) }

func TestWindow(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		after time.Duration
		want  int
	}{
		{-time.Hour, 0}, {0, 0}, {guard.WindowLength - 1, 0}, {guard.WindowLength, 1}, {24 * time.Hour, 288},
	} {
		if got := guard.Window(since(), since().Add(tc.after)); got != tc.want {
			t.Errorf("after %v it is window %d, want %d", tc.after, got, tc.want)
		}
	}
}

// TestWindowsShareAlpha: the whole step and a year of windows have it, and no more.
func TestWindowsShareAlpha(t *testing.T) {
	t.Parallel()
	const alpha = 0.01
	total := guard.AlphaOf(alpha, guard.WholeStep)
	for k := range 105_120 {
		total += guard.AlphaOf(alpha, k)
	}
	if total > alpha || total < 0.9999*alpha {
		t.Errorf("the parts of %v are %v", alpha, total)
	}
}

func TestMeter(t *testing.T) {
	t.Parallel()
	m := guard.NewMeter(since())
	sample := guard.Outcome{Took: time.Millisecond, Bytes: 5}
	for i := range 200 { // three windows of sixty, and a third of the fourth
		now := since().Add(time.Duration(i) * guard.WindowLength / 60)
		m.Control(now, sample)
		m.Control(now, sample)
		m.Candidate(now, sample)
	}
	m.Candidate(since().Add(time.Second), sample) // of a clock that was put back: in the window that is going on
	tally := m.Tally(since().Add(200 * guard.WindowLength / 60))
	got := [...]uint64{
		tally.Control.Window.Requests, tally.Candidate.Window.Requests, tally.Control.Step.Requests, tally.Candidate.Step.Requests,
	}
	if want := [...]uint64{40, 21, 400, 201}; tally.Window != 3 || got != want || !tally.Since.Equal(since()) {
		t.Errorf("window %d of %v has %v, want %v", tally.Window, tally.Since, got, want)
	}
	tally = m.Tally(since().Add(60 * guard.WindowLength)) // begins its window, although nobody asked
	if tally.Window != 60 || tally.Control.Window.Requests != 0 || tally.Control.Step.Requests != 400 {
		t.Errorf("window %d has %d of %d", tally.Window, tally.Control.Window.Requests, tally.Control.Step.Requests)
	}
}

// TestMeterLosesNothing: while many count and windows end, the step has all.
func TestMeterLosesNothing(t *testing.T) {
	t.Parallel()
	const writers, each = 4, 40_000 / fewer
	m := guard.NewMeter(since())
	var counting sync.WaitGroup
	for range writers {
		counting.Go(func() {
			for i := range each {
				now := since().Add(time.Duration(i) * guard.WindowLength / 1_000)
				m.Control(now, guard.Outcome{})
				m.Candidate(now, guard.Outcome{Failed: true})
				if i%1_000 == 0 {
					m.Tally(now)
				}
			}
		})
	}
	counting.Wait()
	tally := m.Tally(since())
	if c, o := tally.Candidate.Step, tally.Control.Step; c.Requests != writers*each || c.Failed != writers*each || o.Requests != writers*each {
		t.Errorf("the step has %d and %d requests, %d failed; want %d", o.Requests, c.Requests, c.Failed, writers*each)
	}
}

// TestThreeReplicasAreJudgedOnTheSum: none of them has enough alone.
func TestThreeReplicasAreJudgedOnTheSum(t *testing.T) {
	t.Parallel()
	limits := &rollout.Guard{MinSamples: 50, Errors: 1}
	now := since().Add(time.Second)
	sum := guard.Tally{Since: since()}
	for range 3 {
		m := guard.NewMeter(since())
		for i := range 2_000 {
			m.Control(now, guard.Outcome{Failed: i == 0})
			if i%100 == 0 {
				m.Candidate(now, guard.Outcome{Failed: i%200 == 0})
			}
		}
		alone := m.Tally(now)
		if v := alone.Judge(limits); v.Judged || v.Worse {
			t.Errorf("one replica with 20 requests says %+v", v)
		}
		if err := sum.Add(overWire(t, &alone)); err != nil {
			t.Fatal(err)
		}
	}
	v := sum.Judge(limits)
	if want := "errors: 30 of 60 requests of v2 against 3 of 6,000 of control; allowed 1 % more"; v.Sentence("v2") != want {
		t.Errorf("got  %q\nwant %q", v.Sentence("v2"), want)
	}
}

// overWire returns what another replica reads of a tally.
func overWire(t *testing.T, tally *guard.Tally) *guard.Tally {
	t.Helper()
	text, err := json.Marshal(tally)
	if err != nil {
		t.Fatal(err)
	}
	var back guard.Tally
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	return &back
}

func TestTallyAddsOnlyItsOwn(t *testing.T) {
	t.Parallel()
	one := counted(guard.Outcome{Failed: true})
	tally := func() guard.Tally {
		return guard.Tally{
			Since: since(), Window: 4,
			Control: guard.Arm{Window: one, Step: one}, Candidate: guard.Arm{Window: one, Step: one},
		}
	}
	cases := map[string]struct {
		spoil        func(*guard.Tally)
		fails        bool
		window, step uint64
	}{
		"the same window":       {func(*guard.Tally) {}, false, 2, 2},
		"another zone":          {func(o *guard.Tally) { o.Since = o.Since.In(time.FixedZone("", 3_600)) }, false, 2, 2},
		"the window before":     {func(o *guard.Tally) { o.Window-- }, false, 1, 2},
		"another step":          {func(o *guard.Tally) { o.Since = o.Since.Add(1) }, true, 1, 1},
		"a rubbish window":      {func(o *guard.Tally) { o.Control.Window.Failed = 2 }, true, 1, 1},
		"a rubbish step":        {func(o *guard.Tally) { o.Candidate.Step.Requests = 0 }, true, 1, 1},
		"bytes without an end":  {func(o *guard.Tally) { o.Candidate.Window.Bytes = math.Inf(1) }, true, 1, 1},
		"squares of no meaning": {func(o *guard.Tally) { o.Control.Step.Squares = math.NaN() }, true, 1, 1},
	}
	for name, tc := range cases {
		sum, other := tally(), tally()
		tc.spoil(&other)
		if err := sum.Add(&other); (err != nil) != tc.fails {
			t.Errorf("%s: %v, want a failure: %v", name, err, tc.fails)
		}
		got := [...]uint64{
			sum.Control.Window.Requests, sum.Candidate.Window.Requests, sum.Control.Step.Requests, sum.Candidate.Step.Requests,
		}
		if diff := cmp.Diff([...]uint64{tc.window, tc.window, tc.step, tc.step}, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestAWindowFindsWhatTheStepHides: after a long health, and the other way round.
func TestAWindowFindsWhatTheStepHides(t *testing.T) {
	t.Parallel()
	limits := &rollout.Guard{MinSamples: 50, Errors: 1}
	healthy, ill, few := of(100_000, 100), of(100, 30), of(10, 5)
	past := of(100_000, 130)
	ofStep := of(60, 30)
	cases := map[string]struct {
		tally guard.Tally
		worse bool
	}{
		"the window is ill": {guard.Tally{
			Control: guard.Arm{Window: healthy, Step: healthy}, Candidate: guard.Arm{Window: ill, Step: past},
		}, true},
		"the window has few": {guard.Tally{
			Control: guard.Arm{Window: healthy, Step: healthy}, Candidate: guard.Arm{Window: few, Step: ofStep},
		}, true},
		"neither": {guard.Tally{
			Control: guard.Arm{Window: healthy, Step: healthy}, Candidate: guard.Arm{Window: few, Step: past},
		}, false},
		"no window": {guard.Tally{
			Window: -7, Control: guard.Arm{Window: healthy, Step: healthy}, Candidate: guard.Arm{Window: ill, Step: past},
		}, false},
	}
	for name, tc := range cases {
		if v := tc.tally.Judge(limits); v.Worse != tc.worse || !v.Judged {
			t.Errorf("%s: %+v, want worse: %v", name, v, tc.worse)
		}
	}
}

// of is an arm of so many requests, of which some failed.
func of(requests, failed uint64) guard.Counts {
	c := guard.Counts{Requests: requests, Failed: failed}
	c.Latency[0] = requests
	return c
}

func BenchmarkMeter(b *testing.B) {
	m := guard.NewMeter(since())
	now := since().Add(time.Minute)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m.Candidate(now, guard.Outcome{Took: time.Duration(i&0xff) * time.Millisecond, Bytes: 20_000})
	}
}

func BenchmarkTally(b *testing.B) {
	m := guard.NewMeter(since())
	b.ReportAllocs()
	for b.Loop() {
		_ = m.Tally(since())
	}
}
