package rollout_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"testing"

	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/devices"
)

// unit is the n-th of many units, as different as user numbers are.
func unit(n int) string { return "u-" + strconv.Itoa(n) }

// TestBucketsAreUniform: over a million units, each hundredth of the buckets has as
// many as chance allows. Chi-squared with 99 degrees of freedom is above 161 once in
// 10,000 times; the units are always the same, so the test is, too.
func TestBucketsAreUniform(t *testing.T) {
	t.Parallel()
	const units, cells, critical = 1_000_000, 100, 161.3
	for _, class := range []devices.Class{"watch", "car"} {
		counts := counted(t, class, cells, units)
		chi := 0.0
		for _, n := range counts {
			expected := float64(units) / cells
			chi += (float64(n) - expected) * (float64(n) - expected) / expected
		}
		t.Logf("%s: chi-squared %.1f of %d cells", class, chi, cells)
		if chi > critical {
			t.Errorf("%s: chi-squared is %.1f, over %.1f: the buckets are not even", class, chi, critical)
		}
	}
}

// layerOf has a rollout for each of some cells, so that a unit's rollout is its cell.
func layerOf(cells int) rollout.Layer {
	var l rollout.Layer
	width := 100 / rollout.Percent(cells)
	for i := range cells {
		l.Rollouts = append(l.Rollouts, running("r"+strconv.Itoa(i), width*rollout.Percent(i), width*rollout.Percent(i+1), 0))
	}
	return l
}

func counted(t *testing.T, class devices.Class, cells, units int) []int {
	t.Helper()
	plan := planOf(t, class, layerOf(cells))
	counts := make([]int, cells)
	for n := range units {
		counts[cellOf(t, plan, class, unit(n))]++
	}
	return counts
}

func cellOf(t *testing.T, plan *rollout.Plan, class devices.Class, unit string) int {
	t.Helper()
	name := plan.Assign(class, unit, nil).Rollout
	cell, err := strconv.Atoi(name[1:])
	if err != nil {
		t.Fatal(err)
	}
	return cell
}

// TestClassesAreIndependent: where a unit is in one class says nothing about where it
// is in another, nor does where it was before a salt was changed. The table of both
// has 81 degrees of freedom: over 136.2 once in 10,000 times.
func TestClassesAreIndependent(t *testing.T) {
	t.Parallel()
	const units, cells, critical = 1_000_000, 10, 136.2
	salted := layerOf(cells)
	salted.Salt = "again"
	watch := planOf(t, "watch", layerOf(cells))
	for name, other := range map[string]struct {
		plan  *rollout.Plan
		class devices.Class
	}{
		"another class": {planOf(t, "car", layerOf(cells)), "car"},
		"another salt":  {planOf(t, "watch", salted), "watch"},
	} {
		var table [cells][cells]int
		for n := range units {
			table[cellOf(t, watch, "watch", unit(n))][cellOf(t, other.plan, other.class, unit(n))]++
		}
		chi := independence(table[:], units)
		t.Logf("%s: chi-squared %.1f", name, chi)
		if chi > critical {
			t.Errorf("%s: chi-squared is %.1f, over %.1f: they depend on each other", name, chi, critical)
		}
	}
}

func independence(table [][10]int, total int) float64 {
	var rows, columns [10]float64
	for i := range table {
		for j, n := range table[i] {
			rows[i] += float64(n)
			columns[j] += float64(n)
		}
	}
	chi := 0.0
	for i := range table {
		for j, n := range table[i] {
			expected := rows[i] * columns[j] / float64(total)
			chi += (float64(n) - expected) * (float64(n) - expected) / expected
		}
	}
	return chi
}

// TestSharesAreAsPlanned: over 100,000 units each share is within a point, and within
// what chance allows.
func TestSharesAreAsPlanned(t *testing.T) {
	t.Parallel()
	const units = 100_000
	for _, share := range []rollout.Percent{0, 0.01, 1, 5, 25, 33.33, 50, 99.99, 100} {
		plan := planOf(t, "watch", rollout.Layer{Rollouts: []rollout.Rollout{running("r", 0, 100, share)}})
		got := 0
		for n := range units {
			if plan.Assign("watch", unit(n), nil).Arm == rollout.Candidate {
				got++
			}
		}
		p := float64(share) / 100
		if off := math.Abs(float64(got)/units - p); off > 0.01 || off > 4*math.Sqrt(p*(1-p)/units)+1e-9 {
			t.Errorf("a share of %v %% has %d of %d units", share, got, units)
		}
	}
}

// TestGrowingOnlyAdds: of 100,000 units none leaves the candidate as its share grows,
// and none changes but to it; a state that is read again assigns the same.
func TestGrowingOnlyAdds(t *testing.T) {
	t.Parallel()
	const units = 100_000
	had := make([]rollout.Arm, units)
	for _, share := range []rollout.Percent{1, 5, 25, 50, 90} {
		for range 3 { // three replicas, or three starts
			plan := planOf(t, "watch", rollout.Layer{Holdout: 5, Rollouts: []rollout.Rollout{running("r", 0, 95, share)}})
			for n := range units {
				arm := plan.Assign("watch", unit(n), nil).Arm
				if had[n] == rollout.Candidate && arm != rollout.Candidate || had[n] == rollout.Control && arm == rollout.Neither {
					t.Fatalf("at %v %% the unit %d went from %s to %s", share, n, had[n], arm)
				}
				had[n] = arm
			}
		}
	}
	for _, arm := range []rollout.Arm{rollout.Neither, rollout.Control, rollout.Candidate} {
		if !slices.Contains(had, arm) {
			t.Errorf("no unit was %s", arm)
		}
	}
}

func header(lines ...string) http.Header {
	h := http.Header{}
	for pair := range slices.Chunk(lines, 2) {
		h.Set(pair[0], pair[1])
	}
	return h
}

func TestRulesDecideWhoTakesPart(t *testing.T) {
	t.Parallel()
	all := func(rules rollout.Rules) rollout.Layer {
		r := running("r", 0, 100, 100)
		r.Rules = rules
		return rollout.Layer{Rollouts: []rollout.Rollout{r}}
	}
	app := func(least, below string) rollout.Layer {
		return all(rollout.Rules{AppVersion: rollout.AppVersions{Min: least, Below: below}})
	}
	countries, locales := all(rollout.Rules{Countries: []string{"NL", "be"}}), all(rollout.Rules{Locales: []string{"nl", "fr-BE"}})
	cases := []struct {
		layer rollout.Layer
		h     http.Header
		want  bool
	}{
		{all(rollout.Rules{}), nil, true},
		{app("5.2", ""), nil, false},
		{app("5.2", ""), header("X-App-Version", "5.2"), true},
		{app("5.2", ""), header("X-App-Version", "5.2.0"), true},
		{app("5.2", ""), header("X-App-Version", "5.10"), true},
		{app("5.2", ""), header("X-App-Version", "05.2"), true},
		{app("5.2", ""), header("X-App-Version", "5.1.99"), false},
		{app("5.2", ""), header("X-App-Version", "4"), false},
		{app("5.2", ""), header("X-App-Version", "99999999999999999999999"), true},
		{app("5.2", "6"), header("X-App-Version", "6.0"), false},
		{app("", "6"), header("X-App-Version", "5.9"), true},
		{app("", "6"), header("X-App-Version", "6-beta"), false},
		{app("", "6"), header("X-App-Version", ""), false},
		{app("", "6"), header("X-App-Version", "."), false},
		{countries, header("X-Country", "nl"), true},
		{countries, header("X-Country", "BE"), true},
		{countries, header("X-Country", "DE"), false},
		{countries, nil, false},
		{locales, header("Accept-Language", "nl"), true},
		{locales, header("Accept-Language", "NL-be;q=0.9, en"), true},
		{locales, header("Accept-Language", " fr-BE,nl"), true},
		{locales, header("Accept-Language", "fr,nl"), false},
		{locales, header("Accept-Language", "nld"), false},
		{locales, header("Accept-Language", "en,nl"), false},
	}
	for _, c := range cases {
		a := planOf(t, "watch", c.layer).Assign("watch", "u-1", c.h)
		if got := a.Version == "v2"; got != c.want || !got && a.Arm != rollout.Neither {
			t.Errorf("%+v with %v: %+v; want the candidate: %v", c.layer.Rollouts[0].Rules, c.h, a, c.want)
		}
	}
}

func TestAllowedUnitsHaveTheCandidate(t *testing.T) {
	t.Parallel()
	r := running("r", 0, 50, 0)
	r.Rules = rollout.Rules{Allow: []string{"tester"}, Countries: []string{"NL"}}
	plan := planOf(t, "watch", rollout.Layer{Rollouts: []rollout.Rollout{r}})
	want := rollout.Assignment{Version: "v2", Rollout: "r", Arm: rollout.Neither, Why: rollout.Targeted}
	if a := plan.Assign("watch", "tester", nil); a != want {
		t.Errorf("it is %+v", a)
	}
	for n := range 1000 {
		if a := plan.Assign("watch", unit(n), header("X-Country", "NL")); a.Version != "" {
			t.Fatalf("another unit has %+v", a)
		}
	}
}

func TestNobodyIsInARollout(t *testing.T) {
	t.Parallel()
	plan := planOf(t, "watch", rollout.Layer{Control: "v3", Rollouts: []rollout.Rollout{running("r", 0, 100, 100)}})
	if a := plan.Assign("watch", "", nil); a != (rollout.Assignment{Version: "v3"}) {
		t.Errorf("nobody has %+v", a)
	}
	if a := plan.Assign("car", "u-1", nil); a != (rollout.Assignment{}) {
		t.Errorf("a class that no document has: %+v", a)
	}
	if !plan.Active("watch") || plan.Active("car") || plan.Control("watch") != "v3" || plan.Control("car") != "" {
		t.Error("which rollouts are active, or what is control, is wrong")
	}
}

// TestAQuarantinedVersionAnswersNobody: not its share, not who is allowed, not as control.
func TestAQuarantinedVersionAnswersNobody(t *testing.T) {
	t.Parallel()
	r := running("r", 0, 100, 50)
	r.Rules.Allow = []string{"tester"}
	r.Shadow = &rollout.Shadow{Sample: 10}
	layer := rollout.Layer{Rollouts: []rollout.Rollout{r}, Quarantine: map[string]rollout.Quarantine{"v2": {Reason: "panics"}}}
	plan := planOf(t, "watch", layer)
	for _, u := range append([]string{"tester"}, unit(1), unit(2), unit(3), unit(4), unit(5)) {
		if a := plan.Assign("watch", u, nil); a.Version != "" || a.Arm == rollout.Candidate {
			t.Errorf("%s has %+v", u, a)
		}
	}
	if !plan.Quarantined("watch", "v2") || plan.Quarantined("watch", "v1") || plan.Quarantined("car", "v2") {
		t.Error("which versions are out is wrong")
	}
	if version, how := plan.Shadow("watch", "r"); version != "" || how != nil {
		t.Errorf("it is a shadow: %s %v", version, how)
	}
	layer.Control = "v2"
	if got := planOf(t, "watch", layer).Control("watch"); got != "" {
		t.Errorf("control is %s", got)
	}
}

func TestOnlyActiveRolloutsAssign(t *testing.T) {
	t.Parallel()
	for status, want := range map[rollout.Status]bool{
		rollout.Running: true, rollout.Paused: true, rollout.Aborted: false, rollout.Promoted: false,
	} {
		r := running("r", 0, 100, 100)
		r.Status = status
		plan := planOf(t, "watch", rollout.Layer{Rollouts: []rollout.Rollout{r}})
		if got := plan.Assign("watch", "u-1", nil).Version == "v2"; got != want || plan.Active("watch") != want {
			t.Errorf("%s assigns: %v", status, got)
		}
	}
}

func TestVaryNamesWhatRulesLookAt(t *testing.T) {
	t.Parallel()
	one, two := running("one", 0, 50, 1), running("two", 50, 100, 1)
	one.Rules = rollout.Rules{AppVersion: rollout.AppVersions{Min: "1"}, Countries: []string{"NL"}}
	two.Rules = rollout.Rules{Countries: []string{"BE"}, Locales: []string{"nl"}}
	got := planOf(t, "watch", rollout.Layer{Rollouts: []rollout.Rollout{one, two}}).Vary("watch")
	if want := []string{"Accept-Language", "X-App-Version", "X-Country"}; !slices.Equal(got, want) {
		t.Errorf("it is %v, want %v", got, want)
	}
	if got := planOf(t, "watch", rollout.Layer{}).Vary("watch"); len(got) != 0 {
		t.Errorf("without rules it is %v", got)
	}
}

// crowded is a plan of as many rollouts as there may be, of classes with 100 versions.
func crowded(t testing.TB, rollouts int) *rollout.Plan {
	t.Helper()
	versions := make([]string, 100)
	for i := range versions {
		versions[i] = "v" + strconv.Itoa(i+1)
	}
	var l rollout.Layer
	width := rollout.Buckets / rollouts
	for i := range rollouts {
		from := rollout.Percent(i*width) / 100
		r := running(fmt.Sprint("r", i), from, rollout.Percent((i+1)*width)/100, rollout.Percent(width/2)/100)
		r.Candidate = versions[i%len(versions)]
		r.Rules.AppVersion.Min = "5.2"
		l.Rollouts = append(l.Rollouts, r)
	}
	s := rollout.State{Document: rollout.Document{Classes: map[devices.Class]*rollout.Layer{"watch": &l}}}
	known := rollout.Catalogue{"watch": versions}
	if err := s.Validate(known); err != nil {
		t.Fatal(err)
	}
	return rollout.NewPlan(&s, known, rollout.DefaultHeaders())
}

func TestAssignTakesNoMemory(t *testing.T) {
	h := header("X-App-Version", "5.2.1")
	for _, rollouts := range []int{1, 1000} {
		plan := crowded(t, rollouts)
		if n := testing.AllocsPerRun(1000, func() { plan.Assign("watch", "0123456789abcdef0123456789abcdef", h) }); n > 0 {
			t.Errorf("of %d rollouts it takes %v allocations", rollouts, n)
		}
	}
}

func BenchmarkAssign(b *testing.B) {
	h := header("X-App-Version", "5.2.1")
	units := make([]string, 1024)
	for i := range units {
		units[i] = fmt.Sprintf("%032x", rand.Uint64())
	}
	for _, rollouts := range []int{1, 10, 1000} {
		plan := crowded(b, rollouts)
		b.Run(fmt.Sprint("rollouts=", rollouts), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				plan.Assign("watch", units[i%len(units)], h)
			}
		})
	}
}

// TestWhatAPlanGives: control and candidates, whatever their share, but those that are out.
func TestWhatAPlanGives(t *testing.T) {
	t.Parallel()
	l := layerOf(1)
	l.Control = "v1"
	candidate := l.Rollouts[0].Candidate
	out, ended := l, l
	out.Quarantine = map[string]rollout.Quarantine{candidate: {}}
	ended.Rollouts = slices.Clone(l.Rollouts)
	ended.Rollouts[0].Status = rollout.Aborted
	for name, c := range map[string]struct {
		layer rollout.Layer
		want  bool
	}{"no share": {l, true}, "quarantined": {out, false}, "aborted": {ended, false}} {
		plan := planOf(t, "watch", c.layer)
		if plan.Gives("watch", candidate) != c.want || !plan.Gives("watch", "v1") || plan.Gives("car", "v1") || plan.Gives("watch", "v0") {
			t.Errorf("%s: it gives %s: %v", name, candidate, !c.want)
		}
	}
}
