package server_test

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/server"
	"github.com/facet-gateway/facet/devices"
)

// TestAssignIsWhatUnitsGet: what is told of many units is what their requests get, and
// telling it counts nothing.
func TestAssignIsWhatUnitsGet(t *testing.T) {
	r := newReleased(t, half(), nil)
	units := make([]string, 100)
	for i := range units {
		units[i] = "u-" + strconv.Itoa(i)
	}
	all, _ := r.Assign(devices.Phone, units)
	if got := r.last(); got.Unit != "" {
		t.Errorf("it is counted as %+v", got)
	}
	arms := map[rollout.Arm]int{}
	for i, unit := range units {
		got := r.do("GET", "/item?id=a", onPhone, "X-User-Id: "+unit).Header.Get("Facet-Adapter")
		if want := "phone/" + all[i].Version; got != want {
			t.Errorf("%s gets %s, and is said to get %s", unit, got, want)
		}
		if s := r.last(); s.Arm != all[i].Arm || s.Rollout != all[i].Rollout || s.Why != all[i].Why {
			t.Errorf("%s is said to be %+v, and is counted as %+v", unit, all[i], s.Assignment)
		}
		arms[all[i].Arm]++
	}
	if arms[rollout.Control] < 20 || arms[rollout.Candidate] < 20 {
		t.Errorf("the arms have %v", arms)
	}
}

// TestAssignElsewhere: where no rollout runs, and in a class that there is not.
func TestAssignElsewhere(t *testing.T) {
	r := newReleased(t, rollout.Layer{Control: "v2"}, nil)
	for class, want := range map[devices.Class]string{devices.Phone: "v2", devices.TV: "v1", "boat": ""} {
		if all, _ := r.Assign(class, []string{"u-1"}); len(all) != 1 || all[0].Version != want || all[0].Why != rollout.Default {
			t.Errorf("%s: %+v, want %q by default", class, all, want)
		}
	}
	if all, revision := newFixture(t, nil).Assign(devices.Phone, []string{"u-1"}); all[0].Version != "v1" || revision != 0 {
		t.Errorf("without rollouts: %+v by %d", all, revision)
	}
}

// TestTrialTellsOfItsVersion: how it was found, and what answered instead.
func TestTrialTellsOfItsVersion(t *testing.T) {
	held := share(50)
	held.Holdout, held.Rollouts[0].Slice.To = 50, 50
	out := share(100)
	out.Quarantine = map[string]rollout.Quarantine{"v2": {Reason: "a test"}}
	for name, tc := range map[string]struct {
		layer  rollout.Layer
		target string
		picked string
		want   server.Choice // but its control, unit and revision
		by     string
	}{
		"control":     {share(0), "a", "", choice("v1", rollout.Control, rollout.Split), "phone/v1"},
		"candidate":   {share(100), "a", "", choice("v2", rollout.Candidate, rollout.Split), "phone/v2"},
		"quarantined": {out, "a", "", choice("v1", rollout.Neither, rollout.Quarantined), "phone/v1"},
		"no rollout":  {rollout.Layer{}, "a", "", server.Choice{}, "phone/v1"},
		"held out":    {held, "a", "", server.Choice{Assigned: server.Assigned{Apart: rollout.Holdout}}, "phone/v1"},
		"picked":      {share(0), "a", "v2", server.Choice{Picked: true}, "phone/v2"},
		"fell back":   {share(100), "new-panic", "", fallen(choice("v2", rollout.Candidate, rollout.Split)), "phone/v1"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newReleased(t, tc.layer, nil)
			user := "u-1"
			if tc.want.Apart == rollout.Holdout {
				user = heldOut(t, r)
			}
			got := r.Try(r.picked(tc.picked), trialRequest("/item?id="+tc.target, onPhone, "X-User-Id: "+user))
			c := got.Chosen
			if got.Status != http.StatusOK || got.Version != tc.by || c.Arm != tc.want.Arm || c.Rollout != tc.want.Rollout ||
				c.Why != tc.want.Why || c.Apart != tc.want.Apart ||
				c.Picked != tc.want.Picked || c.FellBack != tc.want.FellBack || (c.Because != nil) != c.FellBack || c.Control != "v1" ||
				tc.want.Version != "" && c.Version != tc.want.Version {
				t.Errorf("%d by %s: %+v, want %+v", got.Status, got.Version, c, tc.want)
			}
			if r.last().Unit != "" {
				t.Errorf("the trial counts as %+v", r.last())
			}
		})
	}
}

// TestTrialThatLoopsTakesNobodyOut: its request ends, and it does not count.
func TestTrialThatLoopsTakesNobodyOut(t *testing.T) {
	r := newReleased(t, share(100), nil)
	defer close(r.release)
	got := r.Try(nil, trialRequest("/item?id=loop", onPhone, "X-User-Id: u-1"))
	if got.Status != http.StatusGatewayTimeout || got.Runaways != 1 {
		t.Errorf("%d with %d runaways", got.Status, got.Runaways)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.overruns) != 1 || r.overruns[0] != "phone/v2 false" {
		t.Errorf("it is told: %v", r.overruns)
	}
}

func choice(version string, arm rollout.Arm, why rollout.Why) server.Choice {
	return server.Choice{Assigned: server.Assigned{Assignment: rollout.Assignment{Version: version, Rollout: "grid", Arm: arm, Why: why}}}
}

func fallen(c server.Choice) server.Choice {
	c.FellBack = true
	return c
}

// picked returns a version of the phone's, nil without a name.
func (r *released) picked(name string) *adapter.Version {
	return r.options.Build.Find(devices.Phone, name)
}

// heldOut returns a user of the holdout.
func heldOut(t *testing.T, r *released) string {
	t.Helper()
	for n := range 100 {
		user := "u-" + strconv.Itoa(n)
		if r.plan.Load().Apart(devices.Phone, user, nil) == rollout.Holdout {
			return user
		}
	}
	t.Fatal("none of a hundred is in a holdout of 50 %")
	return ""
}
