package exposure_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/exposure"
)

func TestUnitIsToldOnceInAWindow(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) exposure.Event {
		return with(seen("u-7"), func(e *exposure.Event) { e.At = noon.Add(d) })
	}
	cases := []struct {
		name   string
		window time.Duration
		events []exposure.Event
		told   int
	}{
		{"the same request again", 0, []exposure.Event{seen("u-7"), seen("u-7"), seen("u-7")}, 1},
		{"to the end of the hour", 0, []exposure.Event{at(0), at(time.Hour - 1)}, 1},
		{"the next hour", 0, []exposure.Event{at(time.Hour - 1), at(time.Hour), at(2*time.Hour - 1)}, 2},
		{"a request that began before the hour", 0, []exposure.Event{at(time.Hour), at(time.Hour - 1), at(time.Hour), at(time.Hour - 1)}, 2},
		{"a clock set back", 0, []exposure.Event{at(48 * time.Hour), at(0), at(0)}, 2},
		{"a minute", time.Minute, []exposure.Event{at(0), at(time.Minute - 1), at(time.Minute)}, 2},
		{"a day begins at midnight of UTC", 24 * time.Hour, []exposure.Event{at(0), at(12*time.Hour - 1), at(12 * time.Hour)}, 2},
		{"another unit", 0, []exposure.Event{seen("u-7"), seen("u-8"), seen("u-7")}, 2},
		{"another request", 0, []exposure.Event{seen("u-7"), with(seen("u-7"), func(e *exposure.Event) { e.Request = "req-2" })}, 1},
		{"another revision", 0, []exposure.Event{seen("u-7"), with(seen("u-7"), func(e *exposure.Event) { e.Revision++ })}, 1},
		{"another class", 0, []exposure.Event{seen("u-7"), with(seen("u-7"), func(e *exposure.Event) { e.Class = "tv" })}, 2},
		{"another rollout", 0, []exposure.Event{seen("u-7"), with(seen("u-7"), func(e *exposure.Event) { e.Assigned.Rollout = "grid" })}, 2},
		{"another version", 0, []exposure.Event{seen("u-7"), with(seen("u-7"), func(e *exposure.Event) { e.Assigned.Version = "v1" })}, 2},
		{
			"a test before it does not hide it", 0,
			[]exposure.Event{with(seen("u-7"), func(e *exposure.Event) { e.Assigned.Why = rollout.Forced }), seen("u-7"), seen("u-7")}, 2,
		},
		{
			"names do not run into each other", 0,
			[]exposure.Event{
				with(seen("b"), func(e *exposure.Event) { e.Assigned.Rollout = "ra" }),
				with(seen("ab"), func(e *exposure.Event) { e.Assigned.Rollout = "r" }),
			}, 2,
		},
		{"nobody", 0, []exposure.Event{seen("")}, 0},
		{
			"who is in no rollout", 0,
			[]exposure.Event{with(seen("u-7"), func(e *exposure.Event) { e.Assigned = rollout.Assignment{Version: "v1"} })}, 0,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var b book
			r := start(t, exposure.Options{Log: true, Window: c.window}, &b)
			for _, e := range c.events {
				r.Seen(e)
			}
			if err := stop(r); err != nil {
				t.Error(err)
			}
			if got := len(b.all("feature_flag.evaluation")); got != c.told {
				t.Errorf("told %d times, want %d", got, c.told)
			}
			told := uint64(c.told) //nolint:gosec // a small number
			if s := r.Stats(); s.Told != told || s.Logged != told || s.Dropped != 0 || s.Failed != 0 {
				t.Errorf("%+v, want %d told and logged", s, c.told)
			}
		})
	}
}

func TestLineSaysWhoSawWhatAndWhy(t *testing.T) {
	t.Parallel()
	usual := map[string]any{
		"event.name": "feature_flag.evaluation", "feature_flag.key": "phone/reviews-first", "feature_flag.result.variant": "phone/v2",
		"feature_flag.result.reason": "split", "feature_flag.context.id": "u-7", "feature_flag.version": "17",
		"feature_flag.provider.name": "facet", "facet.arm": "candidate", "request_id": "req-1", "trace_id": "4bf92f35000000000000000000000036",
	}
	cases := []struct {
		name   string
		change func(e *exposure.Event)
		want   map[string]any // what differs; nil: it is not there
	}{
		{"candidate", func(*exposure.Event) {}, nil},
		{
			"control", func(e *exposure.Event) { e.Assigned.Version, e.Assigned.Arm = "v1", rollout.Control },
			map[string]any{"feature_flag.result.variant": "phone/v1", "facet.arm": "control"},
		},
		{
			"on an allow-list", func(e *exposure.Event) { e.Assigned.Arm, e.Assigned.Why = rollout.Neither, rollout.Targeted },
			map[string]any{"feature_flag.result.reason": "targeting_match", "facet.arm": "neither"},
		},
		{
			"forced", func(e *exposure.Event) { e.Assigned = rollout.Assignment{Version: "v3", Why: rollout.Forced} },
			map[string]any{
				"feature_flag.key": "phone", "feature_flag.result.variant": "phone/v3", "feature_flag.result.reason": "targeting_match",
				"facet.arm": "neither", "facet.forced": true,
			},
		},
		{
			"quarantined", func(e *exposure.Event) {
				e.Assigned = rollout.Assignment{Version: "v1", Rollout: "reviews-first", Why: rollout.Quarantined}
			},
			map[string]any{"feature_flag.result.variant": "phone/v1", "feature_flag.result.reason": "disabled", "facet.arm": "neither"},
		},
		{
			"control in the place of a candidate that panicked",
			func(e *exposure.Event) { e.Assigned.Version, e.Fault = "v1", fault.ReasonPanic },
			map[string]any{"feature_flag.result.variant": "phone/v1", "feature_flag.result.reason": "error", "error.type": "panic"},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var b book
			r := start(t, exposure.Options{Log: true}, &b)
			r.Seen(with(seen("u-7"), c.change))
			if err := stop(r); err != nil {
				t.Fatal(err)
			}
			want := make(map[string]any)
			for name, value := range usual {
				want[name] = value
			}
			for name, value := range c.want {
				want[name] = value
			}
			lines := b.all("feature_flag.evaluation")
			if len(lines) != 1 {
				t.Fatalf("%d lines", len(lines))
			}
			if diff := cmp.Diff(want, lines[0].attrs); diff != "" || !lines[0].at.Equal(noon) {
				t.Errorf("at %v: %s", lines[0].at, diff)
			}
		})
	}
}

func TestUnitsAreHashedByAKey(t *testing.T) {
	t.Parallel()
	var b book
	r := start(t, exposure.Options{Log: true, HashKey: write(t, "key", "  0123456789abcdef0123456789abcdef\n")}, &b)
	r.Seen(seen("u-7"))
	r.Seen(seen("u-8"))
	r.Seen(seen("u-7"))
	if err := stop(r); err != nil {
		t.Fatal(err)
	}
	// printf u-7 | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef | cut -c-32, likewise u-8
	want := []any{"6ac7c26e04381d5f889075e9a8904e4e", "fcef48e052954dc1f2e38f443fc72ea5"}
	if diff := cmp.Diff(want, b.exposures("feature_flag.context.id")); diff != "" {
		t.Error(diff)
	}
}

// TestUnitIsToldOnceByManyRequests has many goroutines ask at the same moment.
func TestUnitIsToldOnceByManyRequests(t *testing.T) {
	t.Parallel()
	const units, times = 5_000, 8
	var b book
	r := start(t, exposure.Options{Log: true}, &b)
	var all sync.WaitGroup
	for range times {
		all.Go(func() {
			for u := range units {
				r.Seen(seen(strconv.Itoa(u)))
			}
		})
	}
	all.Wait()
	if err := stop(r); err != nil {
		t.Fatal(err)
	}
	counts := make(map[any]int)
	for _, unit := range b.exposures("feature_flag.context.id") {
		counts[unit]++
	}
	for unit, n := range counts {
		if n != 1 {
			t.Errorf("%v was told %d times", unit, n)
		}
	}
	if s := r.Stats(); len(counts) != units || s.Repeated != units*(times-1) {
		t.Errorf("told %d units, want %d; %+v", len(counts), units, s)
	}
}

// TestMemoryIsBounded has more units than are remembered.
func TestMemoryIsBounded(t *testing.T) {
	r := start(t, exposure.Options{Log: true}, slog.DiscardHandler)
	before := heap()
	tell := func(n int) exposure.Stats {
		for u := range n {
			r.Seen(seen("unit-" + strconv.Itoa(u)))
			if u%4096 == 0 { // so that the queue has room
				eventually(t, "the queue is empty", func() bool { return r.Stats().Queued == 0 })
			}
		}
		return told(t, r, 1)
	}
	few := tell(100_000)
	again := tell(100_000)
	if forgotten := again.Told - few.Told; few.Told != 100_000 || forgotten > 50 {
		t.Errorf("of 100,000 units %d were told, then %d again; want at most 50", few.Told, forgotten)
	}
	all := tell(manyUnits)
	grown := heap() - before
	t.Logf("100,000 units: %d were told twice; %d units: told %d, the heap has grown by %d KiB",
		again.Told-few.Told, manyUnits, all.Told-again.Told, grown>>10)
	if all.Dropped != 0 || all.Told < manyUnits {
		t.Errorf("%+v, want all units told", all)
	}
	if grown > 1<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
	runtime.KeepAlive(r)
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first one has put aside
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // no heap is so large
}

// stuck is a handler that blocks until it is let go.
type stuck struct {
	slog.Handler
	in  chan struct{} // a line came
	out chan struct{} // lines go on
}

func (s *stuck) Handle(ctx context.Context, r slog.Record) error {
	select {
	case s.in <- struct{}{}:
	default:
	}
	<-s.out
	return s.Handler.Handle(ctx, r)
}

func TestRequestsDoNotWaitForAStuckLog(t *testing.T) {
	t.Parallel()
	const units = 20_000
	var b book
	log := &stuck{&b, make(chan struct{}, 1), make(chan struct{})}
	r := start(t, exposure.Options{Log: true}, log)
	r.Seen(seen("first"))
	<-log.in

	began := time.Now()
	for u := range units {
		r.Seen(seen(strconv.Itoa(u)))
	}
	took := time.Since(began)
	s := r.Stats()
	if s.Told != 1+8192 || s.Dropped != units-8192 || s.Queued != 8192 {
		t.Errorf("%+v, want 8,192 queued and the others dropped", s)
	}
	if took > 5*time.Second { // some 5 ms; a wait would not end
		t.Errorf("%d requests waited %v", units, took)
	}

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := r.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("closed while the log was stuck: %v", err)
	}
	close(log.out)
	if err := stop(r); err == nil || r.Stats().Logged+r.Stats().Dropped != units+1 {
		t.Errorf("closed with %v and %+v, want it to say that some were not told", err, r.Stats())
	}
}

// TestWhatWasDroppedIsToldLater: an exposure without room is no exposure that was told.
func TestWhatWasDroppedIsToldLater(t *testing.T) {
	t.Parallel()
	const units = 10_000
	var b book
	log := &stuck{&b, make(chan struct{}, 1), make(chan struct{})}
	r := start(t, exposure.Options{Log: true}, log)
	r.Seen(seen("first"))
	<-log.in
	for u := range units {
		r.Seen(seen(strconv.Itoa(u)))
	}
	close(log.out)
	told(t, r, 1)
	for u := range units {
		r.Seen(seen(strconv.Itoa(u)))
	}
	if err := stop(r); err != nil {
		t.Fatal(err)
	}
	counts := make(map[any]int)
	for _, unit := range b.exposures("feature_flag.context.id") {
		counts[unit]++
	}
	if len(counts) != units+1 || r.Stats().Logged != units+1 {
		t.Errorf("%d units were told, want %d; %+v", len(counts), units+1, r.Stats())
	}
}

// broken is a handler that fails, or panics.
type broken struct {
	slog.Handler
	panics bool
	left   atomic.Int32
}

func (b *broken) Handle(ctx context.Context, r slog.Record) error {
	switch {
	case b.left.Add(-1) < 0:
		return b.Handler.Handle(ctx, r)
	case b.panics:
		panic("a handler's own")
	}
	return errors.New("a full disk")
}

func TestWhatTheLogDoesNotTakeIsToldLater(t *testing.T) {
	t.Parallel()
	for _, panics := range []bool{false, true} {
		t.Run(fmt.Sprintf("panics %v", panics), func(t *testing.T) {
			t.Parallel()
			var b book
			log := &broken{Handler: &b, panics: panics}
			log.left.Store(2)
			r := start(t, exposure.Options{Log: true}, log)
			eventually(t, "it is told", func() bool {
				r.Seen(seen("u-7"))
				return r.Stats().Logged > 0
			})
			r.Seen(seen("u-7"))
			if err := stop(r); err != nil {
				t.Error(err)
			}
			if s := r.Stats(); s.Failed != 2 || s.Told != 3 || s.Logged != 1 {
				t.Errorf("%+v, want two failures, a line, and no line more", s)
			}
		})
	}
}

func TestWhoTellsNobodyCostsNothing(t *testing.T) {
	t.Parallel()
	r, err := exposure.New(exposure.Options{}, slog.New(slog.DiscardHandler))
	if r != nil || err != nil {
		t.Fatalf("%v, %v", r, err)
	}
	r.Seen(seen("u-7"))
	if s := r.Stats(); s != (exposure.Stats{}) {
		t.Errorf("%+v", s)
	}
	if err := stop(r); err != nil {
		t.Error(err)
	}
}

func TestSeenAfterTheEnd(t *testing.T) {
	t.Parallel()
	r := start(t, exposure.Options{Log: true}, slog.DiscardHandler)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := stop(r); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	r.Seen(seen("u-7"))
	if s := r.Stats(); s.Dropped != 1 || s.Told != 0 {
		t.Errorf("%+v", s)
	}
}

// TestRepeatedExposureTakesNoMemory beside the benchmark, which nobody has to run.
func TestRepeatedExposureTakesNoMemory(t *testing.T) {
	r := start(t, exposure.Options{Log: true}, slog.DiscardHandler)
	e := seen("u-7")
	r.Seen(e)
	told(t, r, 1)
	if n := testing.AllocsPerRun(1000, func() { r.Seen(e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkSeenAgain(b *testing.B) {
	r := start(b, exposure.Options{Log: true}, slog.DiscardHandler)
	e := seen("u-1234567890")
	b.ReportAllocs()
	for b.Loop() {
		r.Seen(e)
	}
}

// BenchmarkSeenAgainByMany has 100,000 units seen by all processors.
func BenchmarkSeenAgainByMany(b *testing.B) {
	r := start(b, exposure.Options{Log: true}, slog.DiscardHandler)
	units := make([]string, 100_000)
	for u := range units {
		units[u] = "u-" + strconv.Itoa(u)
		r.Seen(seen(units[u]))
		if u%4096 == 0 {
			told(b, r, 1)
		}
	}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		e := seen("")
		for u := 0; pb.Next(); u++ {
			e.Unit = units[u%len(units)]
			r.Seen(e)
		}
	})
}

// BenchmarkSeenFirst is of units that are new, at the pace of the goroutine that tells.
func BenchmarkSeenFirst(b *testing.B) {
	r := start(b, exposure.Options{Log: true}, slog.DiscardHandler)
	e := seen("u-1234567890")
	b.ReportAllocs()
	for b.Loop() {
		e.At = e.At.Add(time.Hour)
		r.Seen(e)
	}
	b.ReportMetric(float64(r.Stats().Dropped)/float64(b.N), "dropped/op")
}
