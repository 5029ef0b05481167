package rollout_test

import (
	"net/http"
	"testing"

	"github.com/facet-gateway/facet/core/rollout"
)

// TestApartSaysWhyNoRolloutHasAUnit, for exactly those that none has.
func TestApartSaysWhyNoRolloutHasAUnit(t *testing.T) {
	t.Parallel()
	ruled := running("ruled", 0, 40, 20)
	ruled.Rules.Countries = []string{"NL"}
	plan := planOf(t, "watch", rollout.Layer{Holdout: 10, Rollouts: []rollout.Rollout{ruled, running("grid", 40, 80, 20)}})
	dutch := http.Header{"X-Country": {"NL"}}
	const units = 10_000
	got := map[rollout.Apart]int{}
	for n := range units {
		apart := plan.Apart("watch", unit(n), nil)
		got[apart]++
		if in := plan.Assign("watch", unit(n), nil).Rollout != ""; in != (apart == rollout.NotApart) {
			t.Fatalf("%s is in a rollout: %v, and apart by %q", unit(n), in, apart)
		}
		if apart == rollout.Ruled && plan.Apart("watch", unit(n), dutch) != rollout.NotApart {
			t.Fatalf("%s is left out by the rules that its header keeps to", unit(n))
		}
	}
	for apart, percent := range map[rollout.Apart]int{rollout.NotApart: 40, rollout.Ruled: 40, rollout.Unsliced: 10, rollout.Holdout: 10} {
		if share := 100 * got[apart] / units; share < percent-2 || share > percent+2 {
			t.Errorf("%q are %d %%, want about %d", apart, share, percent)
		}
	}
	if got := plan.Apart("watch", "", nil); got != rollout.Nobody {
		t.Errorf("nobody in particular is apart by %q", got)
	}
	if got := plan.Apart("car", unit(1), nil); got != rollout.NotApart {
		t.Errorf("where no rollout runs, a unit is apart by %q", got)
	}
}
