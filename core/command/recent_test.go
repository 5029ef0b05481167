package command_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// TestLatenciesAreExactToOnePercent, over six orders of magnitude.
func TestLatenciesAreExactToOnePercent(t *testing.T) {
	percentiles := []float64{0, 10, 50, 90, 95, 99, 99.9, 100}
	random := rand.New(rand.NewPCG(7, 7))
	for name, draw := range map[string]func() float64{
		"even":     func() float64 { return 1 + random.Float64()*1e6 },
		"spread":   func() float64 { return math.Pow(10, random.Float64()*8) },
		"two hums": func() float64 { return float64(100+random.IntN(50)) * math.Pow(1000, float64(random.IntN(2))) },
		"all one":  func() float64 { return 12_345 },
	} {
		t.Run(name, func(t *testing.T) {
			c := command.New("test.latency", answerOne)
			now, all := time.Now(), make([]float64, 5000)
			for i := range all {
				all[i] = math.Floor(draw())
				command.Enter(c.Control, now.Add(-time.Duration(all[i])*time.Microsecond), time.Duration(all[i])*time.Microsecond)
			}
			slices.Sort(all)
			recent := c.Recent(percentiles...)
			for i, p := range percentiles {
				want := all[max(0, int(math.Ceil(p/100*float64(len(all))))-1)]
				if got := float64(recent.Execute.At[i].Microseconds()); math.Abs(got-want) > want/100 {
					t.Errorf("%v %%: %v, want %v", p, got, want)
				}
			}
			var sum float64
			for _, v := range all {
				sum += v
			}
			mean := sum / float64(len(all))
			if got := float64(recent.Execute.Mean.Microseconds()); math.Abs(got-mean) > mean/100+1 {
				t.Errorf("mean %v, want %v", got, mean)
			}
			if !slices.Equal(recent.Execute.At, recent.Total.At) || recent.Total.Count != int64(len(all)) {
				t.Errorf("total %+v", recent.Total)
			}
		})
	}
}

// TestWindowForgets what is older than 10 s, and takes the clock as it comes.
func TestWindowForgets(t *testing.T) {
	c := command.New("test.window", answerOne)
	start := time.Now()
	for second := range 60 {
		at := start.Add(time.Duration(second) * time.Second)
		for range 10 {
			command.Enter(c.Control, at, time.Microsecond)
		}
		command.Enter(c.Control, start.Add(-time.Hour), 1) // from before the beginning
		recent := command.RecentAt(c.Control, at, 50)
		if n := recent.Runs[report.Success]; second >= 10 && n != 100 {
			t.Errorf("after %d s: %d runs", second, n)
		}
		if n := recent.Execute.Count; second >= 10 && (n < 80 || n > 100) {
			t.Errorf("after %d s: %d latencies", second, n)
		}
	}
	later := command.RecentAt(c.Control, start.Add(80*time.Second), 50, 100)
	if later.Runs != (command.Recent{}).Runs || later.Execute.Count != 0 || later.Execute.At[1] != 0 || later.Answers[report.Live] != 0 {
		t.Errorf("%+v", later)
	}
	if d := c.Durations(); d.Count != 660 {
		t.Errorf("%d since the start", d.Count)
	}
}

func TestRecentCountsEveryOutcomeAndRung(t *testing.T) {
	answer := func(ctx context.Context, query int) (int, error) {
		switch query {
		case 1:
			return 0, errPlain
		case 2:
			return 0, fault.New(fault.NotFound, "")
		case 3:
			<-ctx.Done()
			return 0, ctx.Err()
		}
		return query, nil
	}
	c := command.New("test.recent", answer).Safe().Default(func(int) int { return 9 })
	configure(t, c.Control, func(p *command.Policy) { p.Timeout, p.Cache.Fresh = 30*time.Millisecond, time.Hour })
	for _, query := range []int{0, 0, 0, 1, 1, 2, 3} {
		_, _, _ = run(t.Context(), c.Observe(query))
	}
	gone, leave := context.WithCancelCause(t.Context())
	leave(errors.New("the client left"))
	outcome(gone, c, 3)
	recent := c.Recent(100)
	for o, want := range map[report.Outcome]uint64{
		report.Success: 1, report.Failure: 2, report.CallerFault: 1, report.TimedOut: 1, report.Canceled: 1,
	} {
		if recent.Runs[o] != want {
			t.Errorf("%v: %d, want %d", o, recent.Runs[o], want)
		}
	}
	for r, want := range map[report.Rung]uint64{report.Live: 1, report.Cached: 2, report.Default: 3, report.Missing: 2} {
		if recent.Answers[r] != want {
			t.Errorf("%v: %d, want %d", r, recent.Answers[r], want)
		}
	}
	if recent.Busiest != 1 || recent.Execute.Count != 5 || recent.Total.Count != 5 || recent.Execute.At[0] < 30*time.Millisecond {
		t.Errorf("%+v", recent)
	}
	if s := c.Stats().Latency; s.Max < 30_000 || s.Max > 2_000_000 || s.P50 > s.P95 || s.P95 > s.P99 || s.P99 > s.Max {
		t.Errorf("%+v", s)
	}
}

func TestDurations(t *testing.T) {
	c := command.New("test.durations", answerOne)
	for _, took := range []time.Duration{
		0, time.Millisecond, 1001 * time.Microsecond, 300 * time.Millisecond, 301 * time.Millisecond, time.Minute,
	} {
		command.Enter(c.Control, time.Now(), took)
	}
	d := c.Durations()
	if d.Count != 6 || d.Sum != 60_603_001*time.Microsecond {
		t.Errorf("%d of %v", d.Count, d.Sum)
	}
	want := map[time.Duration]uint64{
		time.Millisecond: 2, 2500 * time.Microsecond: 3, 300 * time.Millisecond: 4, 500 * time.Millisecond: 5, 10 * time.Second: 5,
	}
	for i, b := range d.Buckets {
		if n, asked := want[b.UpTo]; asked && b.Count != n {
			t.Errorf("up to %v: %d, want %d", b.UpTo, b.Count, n)
		}
		if i > 0 && (b.UpTo <= d.Buckets[i-1].UpTo || b.Count < d.Buckets[i-1].Count) {
			t.Errorf("bucket %d: %+v after %+v", i, b, d.Buckets[i-1])
		}
	}
}

func TestLatencyQuantile(t *testing.T) {
	c := command.New("test.quantile", answerOne)
	start := time.Now()
	enter := func(n int, took time.Duration) {
		for range n {
			command.Enter(c.Control, start, took)
		}
	}
	enter(99, 10*time.Millisecond)
	if d, ok := command.QuantileAt(c.Control, 0.95, start); ok {
		t.Errorf("%v of 99 runs", d)
	}
	enter(1, 10*time.Millisecond)
	if _, ok := command.QuantileAt(c.Control, 0.95, start.Add(900*time.Millisecond)); ok {
		t.Error("it was looked for again within a second")
	}
	at := func(q float64, after, want time.Duration) {
		t.Helper()
		d, ok := command.QuantileAt(c.Control, q, start.Add(after))
		if !ok || d < want || d > want+want/100 {
			t.Errorf("after %v: %v, %v, want %v", after, d, ok, want)
		}
	}
	at(0.95, time.Second, 10*time.Millisecond)
	enter(10, 200*time.Millisecond)
	at(0.95, 1900*time.Millisecond, 10*time.Millisecond)
	at(0.95, 2*time.Second, 200*time.Millisecond)
	at(0.5, 2*time.Second, 10*time.Millisecond)
	if _, ok := command.QuantileAt(c.Control, 0.95, start.Add(30*time.Second)); ok {
		t.Error("the past is not forgotten")
	}
}

// TestLedgerFromManyGoroutines: nothing is lost, and nobody waits for readers.
func TestLedgerFromManyGoroutines(t *testing.T) {
	_, c := newBackend(t, asIs)
	stop := make(chan struct{})
	var readers, all sync.WaitGroup
	readers.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				c.Recent(50, 99)
				c.Durations()
				command.LatencyQuantile(c.Control, 0.95)
			}
		}
	})
	const each = 300
	for range 8 {
		all.Go(func() {
			for i := range each {
				outcome(t.Context(), c, i)
			}
		})
	}
	all.Wait()
	close(stop)
	readers.Wait()
	if d, s := c.Durations(), c.Stats(); d.Count != 8*each || s.Outcomes["success"] != 8*each {
		t.Errorf("%d durations of %d runs", d.Count, s.Outcomes["success"])
	}
}

func TestRecordingAllocatesNothing(t *testing.T) {
	c := command.New("test.allocations", answerOne)
	began := time.Now()
	for second := range 20 { // every span has its histogram
		command.Enter(c.Control, began.Add(time.Duration(second)*time.Second), time.Millisecond)
	}
	c.Durations()
	if n := testing.AllocsPerRun(1000, func() { command.Enter(c.Control, began, time.Millisecond) }); n != 0 {
		t.Errorf("%v allocations a run", n)
	}
}

func TestRecentCountsBatches(t *testing.T) {
	_, c := newShelf(t, command.Cache{})
	if got, _, err := run(t.Context(), all(c, upTo(450))); err != nil || len(got) != 450 {
		t.Fatalf("%d answers, %v", len(got), err)
	}
	recent := c.Recent()
	if recent.Collapsed != 450 || recent.Runs[report.Success] != 3 || recent.Answers[report.Live] != 450 || recent.Execute.Count != 3 {
		t.Errorf("%+v", recent)
	}
}
