package fleet_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/storetest"
)

func TestAChangeReachesAllReplicas(t *testing.T) {
	t.Parallel()
	all := replicas(t, 3, &rollout.Memory{}, newClock())
	s := apply(t, all[1], rollout.Start("watch", grid(func(r *rollout.Rollout) { r.Share = 100 })))
	agreed(t, all, s.Revision)
	for _, f := range all {
		if a := f.Plan().Assign("watch", "u-1", nil); a.Version != "v2" || f.Plan().Revision != s.Revision {
			t.Errorf("it assigns %+v by revision %d", a, f.Plan().Revision)
		}
	}
}

// TestNoChangeIsLost: of many at once on all replicas each is made once.
func TestNoChangeIsLost(t *testing.T) {
	t.Parallel()
	all := replicas(t, 3, &rollout.Memory{}, newClock())
	first := apply(t, all[0], rollout.Start("watch", grid(nil)))
	agreed(t, all, first.Revision)
	const each = 5
	var changing sync.WaitGroup
	for i, f := range all {
		for n := range each {
			changing.Go(func() {
				if _, err := f.Apply(t.Context(), rollout.Grow("watch", "grid", rollout.Percent(10*i+n)), fmt.Sprint(i, n)); err != nil {
					t.Errorf("%d %d: %v", i, n, err)
				}
			})
		}
	}
	changing.Wait()
	want := first.Revision + uint64(len(all)*each)
	agreed(t, all, want)
	s := all[0].State()
	if s.Revision != want || len(s.History) != int(want) {
		t.Errorf("there are %d revisions and %d events, want %d", s.Revision, len(s.History), want)
	}
}

func TestReplaceNeedsTheRevision(t *testing.T) {
	t.Parallel()
	f := replicas(t, 1, &rollout.Memory{}, newClock())[0]
	s := apply(t, f, rollout.Start("watch", grid(nil)))
	for _, revision := range []uint64{0, s.Revision - 1, s.Revision + 1} {
		if _, err := f.Replace(t.Context(), s.Document, revision, "bob"); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("revision %d: %v", revision, err)
		}
	}
	next, err := f.Replace(t.Context(), rollout.Document{}, s.Revision, "bob")
	if err != nil || len(next.Classes) != 0 || next.Revision != s.Revision+1 {
		t.Errorf("it is %+v, %v", next, err)
	}
}

// TestAStoreThatIsSetBack: what it tells then is in force, and changes can be made.
func TestAStoreThatIsSetBack(t *testing.T) {
	t.Parallel()
	store := &backup{}
	f := replicas(t, 1, store, newClock())[0]
	first := apply(t, f, rollout.Start("watch", grid(nil)))
	apply(t, f, rollout.Grow("watch", "grid", 50))
	eventually(t, "the store has told it", func() bool { return store.told.Load() == first.Revision+1 })
	store.restore(first)
	eventually(t, "the older state is in force", func() bool { return f.State().Revision == first.Revision })
	if next := apply(t, f, rollout.Grow("watch", "grid", 7)); next.Revision != first.Revision+1 {
		t.Errorf("the next change makes revision %d", next.Revision)
	}
}

// TestABadCandidateIsAborted: of three replicas, none of which has seen enough alone.
func TestABadCandidateIsAborted(t *testing.T) {
	t.Parallel()
	c := newClock()
	all := replicas(t, 3, &rollout.Memory{}, c)
	s := apply(t, all[0], rollout.Start("watch", grid(nil)))
	agreed(t, all, s.Revision)
	for range 3 {
		for _, f := range all {
			serve(f, rollout.Control, 300, 0)
			serve(f, rollout.Candidate, 22, 2)
		}
		c.pass(time.Second)
		turn(t, all)
	}
	agreed(t, all, s.Revision+1)
	for _, f := range all {
		r := f.State().Rollout("watch", "grid")
		if r.Status != rollout.Aborted || r.Share != 0 || !strings.Contains(r.Reason, "errors") {
			t.Errorf("it is %+v", r)
		}
		if a := f.Plan().Assign("watch", "u-1", nil); a.Version != "" {
			t.Errorf("it assigns %+v", a)
		}
	}
	if h := all[0].State().History; len(h) != 2 || h[1].What != "abort" || !strings.HasPrefix(h[1].By, "guard@") {
		t.Errorf("the history is %+v", h)
	}
}

func TestAGuardMayHold(t *testing.T) {
	t.Parallel()
	c := newClock()
	all := replicas(t, 1, &rollout.Memory{}, c)
	apply(t, all[0], rollout.Start("watch", grid(func(r *rollout.Rollout) { r.Guard.Hold = true })))
	serve(all[0], rollout.Control, 1000, 0)
	serve(all[0], rollout.Candidate, 200, 2)
	turn(t, all)
	if r := all[0].State().Rollout("watch", "grid"); r.Status != rollout.Paused || r.Share != 1 {
		t.Errorf("it is %+v", r)
	}
	revision := all[0].State().Revision
	turn(t, all)
	if all[0].State().Revision != revision {
		t.Error("it is held again and again")
	}
}

// TestAGoodCandidateStays, and one of which little is known.
func TestAGoodCandidateStays(t *testing.T) {
	t.Parallel()
	c := newClock()
	all := replicas(t, 2, &rollout.Memory{}, c)
	s := apply(t, all[0], rollout.Start("watch", grid(nil)))
	agreed(t, all, s.Revision)
	serve(all[0], rollout.Candidate, 20, 1) // too few to say anything
	turn(t, all)
	serve(all[1], rollout.Control, 5000, 50)
	serve(all[1], rollout.Candidate, 3000, 50)
	turn(t, all)
	if r := all[0].State().Rollout("watch", "grid"); r.Status != rollout.Running {
		t.Errorf("it is %+v", r)
	}
}

// TestAPlanAdvances: once for all replicas, when its time has come and enough is known.
func TestAPlanAdvances(t *testing.T) {
	t.Parallel()
	c := newClock()
	all := replicas(t, 2, &rollout.Memory{}, c)
	s := apply(t, all[0], rollout.Start("watch", grid(func(r *rollout.Rollout) {
		r.Automatic = true
		r.Plan = []rollout.Step{{Share: 1, Soak: rollout.Duration(time.Minute)}, {Share: 5, Soak: rollout.Duration(time.Minute)}, {Share: 100}}
	})))
	agreed(t, all, s.Revision)
	share := func() rollout.Percent { return all[0].State().Rollout("watch", "grid").Share }
	c.pass(2 * time.Minute)
	turn(t, all)
	if share() != 1 {
		t.Fatalf("without a request it is at %v", share())
	}
	waits := all[0].Status().Rollouts
	if len(waits) != 1 || !strings.Contains(waits[0].Waits, "fewer requests") || waits[0].Judged || waits[0].Control.P50 != 0 {
		t.Errorf("it tells %+v", waits)
	}
	serve(all[0], rollout.Control, 60, 0)
	serve(all[1], rollout.Candidate, 60, 0)
	turn(t, all)
	agreed(t, all, s.Revision+1)
	if share() != 5 {
		t.Fatalf("it is at %v", share())
	}
	turn(t, all)
	if share() != 5 || all[0].State().Revision != s.Revision+1 {
		t.Errorf("it goes on at once, to %v", share())
	}
	if h := all[0].State().History; h[1].What != "step" || !strings.HasPrefix(h[1].By, "plan@") {
		t.Errorf("the history is %+v", h)
	}
}

// TestAPlanWithoutAGuardAdvancesByItsTime alone.
func TestAPlanWithoutAGuardAdvancesByItsTime(t *testing.T) {
	t.Parallel()
	c := newClock()
	all := replicas(t, 1, &rollout.Memory{}, c)
	apply(t, all[0], rollout.Start("watch", grid(func(r *rollout.Rollout) {
		r.Automatic, r.Guard = true, nil
		r.Plan = []rollout.Step{{Share: 1, Soak: rollout.Duration(time.Minute)}, {Share: 100}}
	})))
	for _, step := range []struct {
		after time.Duration
		want  rollout.Percent
	}{{0, 1}, {59 * time.Second, 1}, {time.Second, 100}, {time.Hour, 100}} {
		c.pass(step.after)
		turn(t, all)
		if got := all[0].State().Rollout("watch", "grid").Share; got != step.want {
			t.Errorf("it is at %v, want %v", got, step.want)
		}
	}
}

// TestAVersionThatPanicsIsTakenOut: everywhere, and its units are control.
func TestAVersionThatPanicsIsTakenOut(t *testing.T) {
	t.Parallel()
	c := newClock()
	all := replicas(t, 2, &rollout.Memory{}, c)
	s := apply(t, all[0], rollout.Start("watch", grid(func(r *rollout.Rollout) { r.Share = 100 })))
	agreed(t, all, s.Revision)
	seen := rollout.Seen{
		Class: "watch", Report: nil, Status: 200, Panicked: true, FellBack: true,
		Assignment: rollout.Assignment{Version: "v2", Rollout: "grid", Arm: rollout.Candidate},
	}
	panics := func(n int) {
		for range n {
			again := seen
			again.Report = newReport()
			all[0].Seen(&again)
		}
	}
	panics(2)
	c.pass(2 * time.Minute) // within a minute it must be three
	panics(2)
	if all[0].Plan().Quarantined("watch", "v2") {
		t.Fatal("it is out after two panics within the window")
	}
	panics(1)
	if a := all[0].Plan().Assign("watch", "u-1", nil); a.Version != "" || a.Why != rollout.Quarantined {
		t.Errorf("at once it assigns %+v", a)
	}
	turn(t, all)
	agreed(t, all, s.Revision+1)
	if q := all[1].State().Classes["watch"].Quarantine["v2"]; q.By != "a" || !strings.Contains(q.Reason, "panicked in 3 requests") {
		t.Errorf("it is told as %+v", q)
	}
	released := apply(t, all[1], rollout.Release("watch", "v2"))
	agreed(t, all, released.Revision)
	turn(t, all)
	for _, f := range all {
		if a := f.Plan().Assign("watch", "u-1", nil); a.Version != "v2" {
			t.Errorf("once released it assigns %+v", a)
		}
	}
}

func TestAVersionThatOverrunsIsTakenOut(t *testing.T) {
	t.Parallel()
	all := replicas(t, 1, &rollout.Memory{}, newClock())
	f := all[0]
	for range 5 {
		f.Overran("watch", "v1", false)
	}
	turn(t, all)
	if f.State().Revision != 0 {
		t.Error("control was taken out")
	}
	f.Overran("watch", "v2", true)
	f.Overran("watch", "v2", true)
	if !f.Plan().Quarantined("watch", "v2") {
		t.Error("it is not out at once")
	}
	turn(t, all)
	if q := f.State().Classes["watch"].Quarantine["v2"]; !strings.Contains(q.Reason, "cannot be stopped") {
		t.Errorf("it is told as %+v", q)
	}
}

// TestWithoutTheStore: what is known holds, changes are refused, and what must be
// taken out is taken out here; and everywhere when the store is back.
func TestWithoutTheStore(t *testing.T) {
	t.Parallel()
	store := &frail{}
	all := replicas(t, 2, store, newClock())
	s := apply(t, all[0], rollout.Start("watch", grid(func(r *rollout.Rollout) { r.Share = 100 })))
	agreed(t, all, s.Revision)
	store.away.Store(true)
	_, err := all[0].Apply(t.Context(), rollout.Abort("watch", "grid", ""), "alice")
	if fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "not there") {
		t.Errorf("a change is %v", err)
	}
	if a := all[0].Plan().Assign("watch", "u-1", nil); a.Version != "v2" {
		t.Errorf("it assigns %+v", a)
	}
	all[0].Overran("watch", "v2", true)
	all[0].Overran("watch", "v2", true)
	turn(t, all)
	if !all[0].Plan().Quarantined("watch", "v2") || all[1].Plan().Quarantined("watch", "v2") {
		t.Error("it is not out here alone")
	}
	if told := all[0].Status().Confined; len(told) != 1 || told[0] != "watch/v2" {
		t.Errorf("it tells of %v", told)
	}
	store.away.Store(false)
	turn(t, all)
	agreed(t, all, s.Revision+1)
	if !all[1].Plan().Quarantined("watch", "v2") || len(all[0].Status().Confined) != 0 {
		t.Error("it is not out everywhere")
	}
}

// TestWhatIsTakenOutHereGoesFirst: a version that is out is not promoted meanwhile, and
// whoever looks into why it is out may release it at once.
func TestWhatIsTakenOutHereGoesFirst(t *testing.T) {
	t.Parallel()
	store := &frail{}
	f := replicas(t, 1, store, newClock())[0]
	apply(t, f, rollout.Start("watch", grid(func(r *rollout.Rollout) { r.Share = 100 })))
	f.Overran("watch", "v2", true)
	f.Overran("watch", "v2", true)
	_, err := f.Apply(t.Context(), rollout.Promote("watch", "grid"), "alice")
	if fault.CodeOf(err) != fault.Conflict || !strings.Contains(err.Error(), "v2 is in quarantine: its own code") {
		t.Errorf("a promotion is %v", err)
	}
	apply(t, f, rollout.Release("watch", "v2"))
	if f.Plan().Quarantined("watch", "v2") {
		t.Error("it is out all the same")
	}
	store.away.Store(true)
	f.Overran("watch", "v2", true)
	f.Overran("watch", "v2", true)
	if _, err = f.Apply(t.Context(), rollout.Promote("watch", "grid"), "alice"); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("without the store a promotion is %v", err)
	}
}

// TestReplicasOfDifferentBuilds: what one of them lacks is control there, and keeps it
// from nothing else that is decided.
func TestReplicasOfDifferentBuilds(t *testing.T) {
	t.Parallel()
	newer := rollout.Catalogue{"watch": append([]string{"v4"}, known["watch"]...), "car": {"v1"}}
	all := replicasOf(t, 2, &rollout.Memory{}, newClock(), func(i int) rollout.Catalogue { return []rollout.Catalogue{known, newer}[i] })
	older, newest := all[0], all[1]
	apply(t, older, rollout.Start("watch", grid(func(r *rollout.Rollout) { r.Slice, r.Share = rollout.Slice{From: 0, To: 50}, 50 })))
	agreed(t, all, 1)
	fourth := rollout.Rollout{Name: "fourth", Candidate: "v4", Slice: rollout.Slice{From: 50, To: 100}, Share: 50}
	apply(t, newest, rollout.Start("watch", fourth))
	agreed(t, all, 2)
	counts := map[string]int{}
	for i := range 200 {
		unit := fmt.Sprint("u-", i)
		counts[older.Plan().Assign("watch", unit, nil).Version+" "+newest.Plan().Assign("watch", unit, nil).Version]++
	}
	if counts["v2 v2"] < 60 || counts[" v4"] != 200-counts["v2 v2"] {
		t.Errorf("they assign %v", counts)
	}
	turn(t, all)
	turn(t, all)
	for _, r := range newest.Status().Replicas {
		if want := map[string]int{"a": 1, "b": 0}[r.ID]; len(r.Lacks) != want || r.Revision != 2 {
			t.Errorf("it is told %+v", r)
		}
	}
	apply(t, newest, rollout.Abort("watch", "grid", ""))
	agreed(t, all, 3)
	if a := older.Plan().Assign("watch", "u-1", nil); a.Version != "" {
		t.Errorf("after an abort it assigns %+v", a)
	}
	apply(t, older, rollout.Abort("watch", "fourth", "nobody here knows it"))
	agreed(t, all, 4)
}

// TestAFullStore is not available, though it tells what it has.
func TestAFullStore(t *testing.T) {
	t.Parallel()
	store := &frail{}
	all := replicas(t, 1, store, newClock())
	eventually(t, "the store is there", func() bool { return all[0].Status().Store == "available" })
	store.full.Store(true)
	turn(t, all)
	if s := all[0].Status(); !strings.Contains(s.Store, "no space") || all[0].Health().Available {
		t.Errorf("it is %q", s.Store)
	}
	store.full.Store(false)
	turn(t, all)
	if s := all[0].Status(); s.Store != "available" || !all[0].Health().Available {
		t.Errorf("once there is room it is %q", s.Store)
	}
}

// TestAnAbortAlwaysHasRoom: of the history, if there is no other.
func TestAnAbortAlwaysHasRoom(t *testing.T) {
	t.Parallel()
	store := &frail{}
	f := replicas(t, 1, store, newClock())[0]
	apply(t, f, rollout.Start("watch", grid(nil)))
	for share := range 20 {
		apply(t, f, rollout.Grow("watch", "grid", rollout.Percent(share+2)))
	}
	store.room.Store(5)
	s := apply(t, f, rollout.Abort("watch", "grid", "it is too much"))
	if n := len(s.History); n < 2 || n > 5 || s.History[n-1].What != "abort" {
		t.Errorf("the history is %+v", s.History)
	}
}

// TestRubbishFromAnotherReplica is not counted, and stops nothing.
func TestRubbishFromAnotherReplica(t *testing.T) {
	t.Parallel()
	store := &rollout.Memory{}
	c := newClock()
	all := replicas(t, 1, store, c)
	s := apply(t, all[0], rollout.Start("watch", grid(nil)))
	since, err := json.Marshal(s.Rollout("watch", "grid").Since)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range []string{
		`nothing`, `[]`, `null`, `{"watch/grid": 5}`, `{"watch/grid": {"candidate": {"requests": -1}}}`,
		`{"watch/grid": {"since": ` + string(since) + `, "window": 0, "candidate": {"step": {"requests": 100, "failed": 1000}}}}`,
		`{"watch/grid": {"since": ` + string(since) + `, "window": 7, "candidate": {"step": {"requests": 100, "failed": 100}}}}`,
	} {
		if err := store.Report(t.Context(), rollout.Replica{ID: fmt.Sprint("x", i), At: c.now(), Observed: json.RawMessage(text)}); err != nil {
			t.Fatal(err)
		}
	}
	serve(all[0], rollout.Control, 1000, 0)
	serve(all[0], rollout.Candidate, 1000, 0)
	turn(t, all)
	if r := all[0].State().Rollout("watch", "grid"); r.Status != rollout.Running {
		t.Errorf("it is %+v", r)
	}
	told := all[0].Status()
	if len(told.Replicas) != 8 || len(told.Rollouts) != 1 {
		t.Fatalf("it tells %+v", told)
	}
	if arm := told.Rollouts[0].Candidate; !told.Rollouts[0].Judged || arm.P50 < 10 || arm.P50 > 11 || arm.P99 != arm.P50 {
		t.Errorf("it tells %+v of requests of 10 ms", told.Rollouts[0])
	}
}

// mute is a store that says nothing until it is told to.
type mute struct {
	rollout.Memory
	speak chan error // nil: it tells its state
}

func (m *mute) Watch(ctx context.Context, changed func(*rollout.State), available func(error)) error {
	select {
	case err := <-m.speak:
		if err != nil {
			available(err)
		}
	case <-ctx.Done():
	}
	return m.Memory.Watch(ctx, changed, available)
}

// TestAStartWaits: a replica that has just started knows when it knows its rollouts.
func TestAStartWaits(t *testing.T) {
	t.Parallel()
	for name, said := range map[string]error{"a state": nil, "that it is away": rollout.ErrAway} {
		m := &mute{speak: make(chan error)}
		if err := m.Swap(t.Context(), storetest.At(1, "ada")); err != nil {
			t.Fatal(err)
		}
		f := replicas(t, 1, m, &clock{})[0]
		brief, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		f.Await(brief)
		if brief.Err() == nil {
			t.Errorf("%s: it did not wait", name)
		}
		cancel()
		m.speak <- said
		f.Await(t.Context()) // or the test ends it
		if said == nil && f.State().Revision != 1 {
			t.Errorf("it has revision %d", f.State().Revision)
		}
	}
}
