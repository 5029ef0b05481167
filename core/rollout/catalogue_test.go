package rollout_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/devices"
)

// newer is a state of a build that has more than this one: a third version of the car,
// and a class.
func newer(t *testing.T) *rollout.State {
	t.Helper()
	more := rollout.Catalogue{"watch": {"v1", "v2", "v3"}, "car": {"v1", "v2", "v3"}, "boat": {"v1", "v2"}}
	s := &rollout.State{}
	trial, over := running("trial", 0, 100, 60), running("over", 0, 100, 10)
	trial.Candidate, over.Candidate = "v3", "v3"
	for _, c := range []rollout.Change{
		rollout.Start("car", over), rollout.Abort("car", "over", ""), rollout.Start("car", trial),
		rollout.Start("boat", running("sail", 0, 50, 50)), rollout.Start("watch", running("grid", 0, 80, 50)),
		rollout.Grow("boat", "sail", 20), rollout.Start("boat", running("sunk", 50, 100, 1)), rollout.Abort("boat", "sunk", ""),
		rollout.Confine("boat", "v1", rollout.Quarantine{Reason: "leaks"}),
	} {
		next, err := s.Apply(c, "alice", noon, more)
		if err != nil {
			t.Fatal(err)
		}
		s = next
	}
	return s
}

// TestAnotherBuildsVersionsAreControlHere, and concern nobody else.
func TestAnotherBuildsVersionsAreControlHere(t *testing.T) {
	t.Parallel()
	s := newer(t)
	plan := rollout.NewPlan(s, known(), rollout.DefaultHeaders())
	seen := map[string]int{}
	for i := range 1000 {
		for _, class := range []devices.Class{"car", "watch"} {
			a := plan.Assign(class, fmt.Sprint("u-", i), nil)
			seen[fmt.Sprintf("%s %s %v %v", class, a.Version, a.Arm, a.Why)]++
		}
	}
	// Half of the watches, within what chance does in a thousand.
	if n := seen["watch v2 candidate split"]; n < 430 || n > 570 || seen["watch  control split"]+seen["watch  neither default"] != 1000-n {
		t.Errorf("%v", seen)
	}
	if n := seen["car  neither absent"]; n < 530 || n > 670 || seen["car  control split"] != 1000-n {
		t.Errorf("%v", seen)
	}
	if candidate, how := plan.Shadow("car", "trial"); candidate != "" || how != nil {
		t.Errorf("%s is a shadow", candidate)
	}
	if lacks := known().Lacks(&s.Document); !slices.Equal(lacks, []string{"boat/v2", "car/v3"}) {
		t.Errorf("it lacks %v", lacks)
	}
}

// TestABuildChangesWhatItKnows of a document that has more, and takes back the rest.
func TestABuildChangesWhatItKnows(t *testing.T) {
	t.Parallel()
	s := newer(t)
	v4 := running("more", 80, 100, 1)
	v4.Candidate = "v4"
	for _, c := range []struct {
		change rollout.Change
		field  string // at fault; "": none is
	}{
		{rollout.Abort("watch", "grid", ""), ""},
		{rollout.Abort("car", "trial", ""), ""},
		{rollout.Grow("car", "trial", 70), ""},
		{rollout.Pause("boat", "sail", ""), ""},
		{rollout.Release("boat", "v1"), ""},
		{rollout.Replace(s.Document), ""},
		{rollout.Restart("boat", "sunk", 1), "classes.boat.rollouts[1].candidate"},
		{rollout.Promote("car", "trial"), "classes.car.control"},
		{rollout.Start("watch", v4), "classes.watch.rollouts[1].candidate"},
		{rollout.Confine("car", "v3", rollout.Quarantine{}), "classes.car.quarantine.v3"},
		{rollout.Start("train", v4), "classes.train"},
	} {
		next, err := s.Apply(c.change, "bob", noon, known())
		var found *fault.Error
		errors.As(err, &found)
		switch {
		case c.field == "" && (err != nil || next.Revision != s.Revision+1):
			t.Errorf("%s of %s: %v", c.change.What, c.change.Class, err)
		case c.field != "" && (found == nil || found.Field != c.field || !strings.Contains(found.Detail, "there is no ")):
			t.Errorf("%s of %s: %v; want %s", c.change.What, c.change.Class, err, c.field)
		}
	}
}
