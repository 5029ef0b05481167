package fleet_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/leaktest"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/fleet"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// clock is a time that tests move.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time { return time.Unix(0, c.at.Load()).UTC() }

func (c *clock) pass(d time.Duration) { c.at.Add(int64(d)) }

// frail is a store that can be away.
type frail struct {
	rollout.Memory
	away atomic.Bool
	full atomic.Bool  // it takes nothing, but tells what it has
	room atomic.Int64 // events of a history that it takes; 0: any number
}

func (f *frail) Report(ctx context.Context, r rollout.Replica) error {
	if f.full.Load() {
		return errors.Join(rollout.ErrAway, errors.New("no space"))
	}
	return f.Memory.Report(ctx, r) //nolint:wrapcheck // it is the store's own
}

func (f *frail) Swap(ctx context.Context, next *rollout.State) error {
	if f.away.Load() {
		return errors.Join(rollout.ErrAway, errors.New("no route"))
	}
	if room := f.room.Load(); room > 0 && len(next.History) > int(room) {
		return fault.New(fault.TooLarge, "it takes too much")
	}
	return f.Memory.Swap(ctx, next) //nolint:wrapcheck // it is the store's own
}

// backup is a store that can be set back to an older state.
type backup struct {
	rollout.Memory
	told atomic.Uint64 // the revision that was told last

	mu      sync.Mutex
	changed func(*rollout.State)
	older   *rollout.State // from which Swap goes on; nil: it was not set back
}

func (b *backup) Watch(ctx context.Context, changed func(*rollout.State), available func(error)) error {
	b.mu.Lock()
	b.changed = changed
	b.mu.Unlock()
	return b.Memory.Watch(ctx, func(s *rollout.State) { //nolint:wrapcheck // it is the store's own
		changed(s)
		b.told.Store(s.Revision)
	}, available)
}

func (b *backup) Swap(ctx context.Context, next *rollout.State) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.older != nil {
		if next.Revision != b.older.Revision+1 {
			return rollout.ErrConflict
		}
		return nil
	}
	return b.Memory.Swap(ctx, next) //nolint:wrapcheck // likewise
}

func (b *backup) restore(s *rollout.State) {
	b.mu.Lock()
	b.older = s
	changed := b.changed
	b.mu.Unlock()
	changed(s)
}

var known = rollout.Catalogue{"watch": {"v1", "v2", "v3"}}

// replicas are fleets of one build with one store.
func replicas(t testing.TB, n int, store rollout.Store, c *clock) []*fleet.Fleet {
	t.Helper()
	return replicasOf(t, n, store, c, func(int) rollout.Catalogue { return known })
}

// replicasOf are fleets of different builds.
func replicasOf(t testing.TB, n int, store rollout.Store, c *clock, builds func(i int) rollout.Catalogue) []*fleet.Fleet {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var all []*fleet.Fleet
	var running sync.WaitGroup
	for i := range n {
		f := fleet.New(fleet.Options{
			Known: builds(i), Headers: rollout.DefaultHeaders(),
			Replica: string(rune('a' + i)), Log: slog.New(slog.DiscardHandler), Now: c.now,
			Defects: fleet.DefectLimits{Panics: 3, Overruns: 2, Window: time.Minute},
		})
		f.Join(store)
		all = append(all, f)
		running.Go(func() {
			if err := f.Run(ctx); err != nil {
				t.Errorf("it ended with %v", err)
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return all
}

// eventually waits until something holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

// agreed waits until all have heard of a revision.
func agreed(t testing.TB, all []*fleet.Fleet, revision uint64) {
	t.Helper()
	for _, f := range all {
		eventually(t, "all have heard", func() bool { return f.State().Revision >= revision })
	}
}

func apply(t testing.TB, f *fleet.Fleet, c rollout.Change) *rollout.State {
	t.Helper()
	s, err := f.Apply(t.Context(), c, "alice")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// turn has all replicas do what they do once a second.
func turn(t testing.TB, all []*fleet.Fleet) {
	t.Helper()
	for range 2 { // the first tell what the second judge
		for _, f := range all {
			fleet.Turn(f, t.Context())
		}
	}
}

// serve counts requests of an arm, every n-th of which fails; 0: none does.
func serve(f *fleet.Fleet, arm rollout.Arm, requests, n int) {
	for i := range requests {
		s := rollout.Seen{
			Class: "watch", Report: newReport(), Took: 10 * time.Millisecond, Status: http.StatusOK, Bytes: 1000,
			Assignment: rollout.Assignment{Version: "v2", Rollout: "grid", Arm: arm, Why: rollout.Split},
		}
		if n > 0 && i%n == 0 {
			s.Status = http.StatusServiceUnavailable
		}
		f.Seen(&s)
	}
}

func newReport() *report.Report { return report.New("r", report.Trace{}) }

func grid(change func(*rollout.Rollout)) rollout.Rollout {
	r := rollout.Rollout{Name: "grid", Candidate: "v2", Share: 1, Guard: &rollout.Guard{MinSamples: 50, Errors: 1}}
	if change != nil {
		change(&r)
	}
	return r
}
