package fleet_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/fleet"
	"github.com/facet-gateway/facet/devices"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	store, c := &frail{}, newClock()
	all := replicas(t, 2, store, c)
	f := all[0]
	s := apply(t, f, rollout.Start("watch", grid(func(r *rollout.Rollout) {
		r.Automatic, r.Slice = true, rollout.Slice{To: 50}
		r.Plan = []rollout.Step{{Share: 1, Soak: rollout.Duration(time.Minute)}, {Share: 5}}
	})))
	agreed(t, all, s.Revision)
	turn(t, all)
	turn(t, all) // now each has heard of the other
	expect := func(when string, want fleet.Health) {
		t.Helper()
		got := f.Health()
		if !maps.Equal(got.Rollouts, want.Rollouts) {
			t.Errorf("%s there are %v", when, got.Rollouts)
		}
		if got.Rollouts, want.Rollouts = nil, nil; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s it is %+v, want %+v", when, got, want)
		}
	}
	running := map[rollout.Status]int{rollout.Running: 1}
	expect("at first", fleet.Health{Revision: 1, Available: true, Replicas: 2, Rollouts: running})
	c.pass(2 * time.Minute)
	turn(t, all)
	expect("when its time has come", fleet.Health{Revision: 1, Available: true, Replicas: 2, Rollouts: running, Waiting: 1})
	store.away.Store(true)
	f.Overran("watch", "v2", true)
	f.Overran("watch", "v2", true)
	if h := f.Health(); h.Quarantined != 1 || h.Revision != 1 {
		t.Errorf("without the store it is %+v", h)
	}
	store.away.Store(false)
	turn(t, all)
	agreed(t, all, s.Revision+1)
	apply(t, f, rollout.Abort("watch", "grid", ""))
	turn(t, all)
	expect("in the end", fleet.Health{
		Revision: 3, Available: true, Replicas: 2, Rollouts: map[rollout.Status]int{rollout.Aborted: 1}, Quarantined: 1,
	})
}

// TestHealthBeforeTheStore is joined: nothing is known but this replica.
func TestHealthBeforeTheStore(t *testing.T) {
	t.Parallel()
	f := fleet.New(fleet.Options{})
	if h := f.Health(); h.Available || h.Revision != 0 || h.Replicas != 1 {
		t.Errorf("it is %+v", h)
	}
}

// BenchmarkHealth is of 1,000 rollouts.
func BenchmarkHealth(b *testing.B) {
	all := replicas(b, 1, &rollout.Memory{}, newClock())
	l := &rollout.Layer{}
	for i := range 1000 {
		from, to := rollout.Percent(i)/10, rollout.Percent(i+1)/10
		l.Rollouts = append(l.Rollouts, rollout.Rollout{
			Name: fmt.Sprint("grid-", i), Candidate: "v2", Slice: rollout.Slice{From: from, To: to}, Share: 0.05, Status: rollout.Running,
		})
	}
	d := rollout.Document{Classes: map[devices.Class]*rollout.Layer{"watch": l}}
	if _, err := all[0].Replace(b.Context(), d, 0, "alice"); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		all[0].Health()
	}
}
