package rollout_test

import (
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/leaktest"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/devices"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// known is what these tests' documents may name.
func known() rollout.Catalogue {
	return rollout.Catalogue{"watch": {"v1", "v2", "v3"}, "car": {"v1", "v2"}}
}

var noon = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// applied makes changes, which must not fail.
func applied(t testing.TB, s *rollout.State, changes ...rollout.Change) *rollout.State {
	t.Helper()
	for _, c := range changes {
		next, err := s.Apply(c, "alice", noon, known())
		if err != nil {
			t.Fatalf("%s: %v", c.What, err)
		}
		s = next
	}
	return s
}

// planOf is the plan of a class with rollouts.
func planOf(t testing.TB, class devices.Class, l rollout.Layer) *rollout.Plan {
	t.Helper()
	s := rollout.State{Revision: 1, Document: rollout.Document{Classes: map[devices.Class]*rollout.Layer{class: &l}}}
	if err := s.Validate(known()); err != nil {
		t.Fatal(err)
	}
	return rollout.NewPlan(&s, known(), rollout.DefaultHeaders())
}

// running is a rollout of v2 that begins at a share of the class.
func running(name string, from, to, share rollout.Percent) rollout.Rollout {
	return rollout.Rollout{
		Name: name, Candidate: "v2", Slice: rollout.Slice{From: from, To: to}, Share: share, Status: rollout.Running,
	}
}
