package rollout_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/devices"
)

func planned() rollout.Rollout {
	return rollout.Rollout{
		Name: "grid", Candidate: "v2",
		Plan: []rollout.Step{
			{Share: 1, Soak: rollout.Duration(time.Minute)}, {Share: 25, Soak: rollout.Duration(time.Hour)}, {Share: 100},
		},
		Guard: &rollout.Guard{MinSamples: 100, Errors: 1},
	}
}

// TestALife is a rollout from its start to its end, and another one's.
func TestALife(t *testing.T) {
	t.Parallel()
	s := applied(t, &rollout.State{}, rollout.Start("watch", planned()))
	r := s.Rollout("watch", "grid")
	if r == nil || r.Share != 1 || r.Status != rollout.Running || !r.Since.Equal(noon) || r.Slice != (rollout.Slice{To: 100}) {
		t.Fatalf("it begins as %+v", r)
	}
	s = applied(t, s, rollout.Advance("watch", "grid"), rollout.Pause("watch", "grid", "it is late"))
	if r := s.Rollout("watch", "grid"); r.Share != 25 || r.Status != rollout.Paused || r.Reason != "it is late" {
		t.Fatalf("it is paused as %+v", r)
	}
	s = applied(t, s, rollout.Resume("watch", "grid"), rollout.Grow("watch", "grid", 60), rollout.Advance("watch", "grid"))
	if r := s.Rollout("watch", "grid"); r.Share != 100 || r.Status != rollout.Running || r.Reason != "" || r.Next() != nil {
		t.Fatalf("it has grown to %+v", r)
	}
	s = applied(t, s, rollout.Promote("watch", "grid"))
	if l := s.Classes["watch"]; l.Control != "v2" || l.Rollouts[0].Status != rollout.Promoted || l.Rollouts[0].Share != 0 {
		t.Fatalf("it is promoted as %+v", l)
	}
	next := planned()
	next.Name, next.Candidate = "other", "v3"
	s = applied(t, s, rollout.Start("watch", next), rollout.Abort("watch", "other", "it fails"), rollout.Restart("watch", "other", 5))
	if r := s.Rollout("watch", "other"); r.Share != 5 || r.Status != rollout.Running || r.Reason != "" {
		t.Fatalf("it is started again as %+v", r)
	}
	var told []string
	for i, e := range s.History {
		if e.Revision != uint64(i+1) || e.By != "alice" || !e.At.Equal(noon) || e.Class != "watch" {
			t.Errorf("the event %d is %+v", i, e)
		}
		told = append(told, e.What+" "+e.Rollout+": "+e.Detail)
	}
	want := []string{
		"start grid: v2 at 1 %", "step grid: from 1 to 25 %", "pause grid: it is late", "resume grid: ", "step grid: from 25 to 60 %",
		"step grid: from 60 to 100 %", "promote grid: v2 is control",
		"start other: v3 at 1 %", "abort other: it fails", "restart other: v3 at 5 %",
	}
	if d := cmp.Diff(want, told); d != "" {
		t.Errorf("the history differs:\n%s", d)
	}
}

// TestWhatCannotBe: each is refused, with its code, and the state stays as it was.
func TestWhatCannotBe(t *testing.T) {
	t.Parallel()
	s := applied(t, &rollout.State{}, rollout.Start("watch", planned()), rollout.Start("car", planned()), rollout.Abort("car", "grid", "no"))
	whole := planned()
	whole.Name = "second"
	unknown := planned()
	unknown.Name, unknown.Candidate = "third", "v9"
	confined := applied(t, s, rollout.Confine("watch", "v2", rollout.Quarantine{Reason: "it panics"}))
	ended := applied(t, s, rollout.Grow("watch", "grid", 100))
	cases := []struct {
		name   string
		state  *rollout.State
		change rollout.Change
		code   fault.Code
		in     string // the field or the detail
	}{
		{"a second start", s, rollout.Start("watch", planned()), fault.Conflict, "runs already"},
		{"no such rollout", s, rollout.Advance("watch", "none"), fault.NotFound, "rollout"},
		{"no such class's rollout", s, rollout.Abort("boat", "grid", ""), fault.NotFound, "rollout"},
		{"no further step", ended, rollout.Advance("watch", "grid"), fault.Conflict, "no further step"},
		{"a step after the end", s, rollout.Grow("car", "grid", 5), fault.Conflict, "is aborted"},
		{"an abort after the end", s, rollout.Abort("car", "grid", ""), fault.Conflict, "is aborted"},
		{"a pause after the end", s, rollout.Pause("car", "grid", ""), fault.Conflict, "is aborted"},
		{"a promotion after the end", s, rollout.Promote("car", "grid"), fault.Conflict, "is aborted"},
		{"a resumption of what runs", s, rollout.Resume("watch", "grid"), fault.Conflict, "is running"},
		{"a restart of what runs", s, rollout.Restart("watch", "grid", 0), fault.Conflict, "runs already"},
		{"a step of what somebody has changed", s, rollout.AdvanceFrom("watch", "grid", 25), fault.Conflict, "has gone on"},
		{"a promotion out of quarantine", confined, rollout.Promote("watch", "grid"), fault.Conflict, "it panics"},
		{"a second quarantine", confined, rollout.Confine("watch", "v2", rollout.Quarantine{}), fault.Conflict, "it panics"},
		{"a release of what is not out", s, rollout.Release("watch", "v2"), fault.NotFound, "version"},
		{"a share over 100", s, rollout.Grow("watch", "grid", 101), fault.Invalid, "classes.watch.rollouts[0].share"},
		{"a share below 0", s, rollout.Grow("watch", "grid", -1), fault.Invalid, "classes.watch.rollouts[0].share"},
		{"a share between the steps of 0.01", s, rollout.Grow("watch", "grid", 0.005), fault.Invalid, "classes.watch.rollouts[0].share"},
		{"a slice that is taken", s, rollout.Start("watch", whole), fault.Invalid, "classes.watch.rollouts[1].slice"},
		{"a version that there is not", s, rollout.Start("car", unknown), fault.Invalid, "classes.car.rollouts[1].candidate"},
		{"a class that there is not", s, rollout.Start("boat", planned()), fault.Invalid, "classes.boat"},
		{"a quarantine of no version", s, rollout.Confine("watch", "v9", rollout.Quarantine{}), fault.Invalid, "classes.watch.quarantine.v9"},
	}
	for _, c := range cases {
		before := *c.state
		next, err := c.state.Apply(c.change, "bob", noon, known())
		if next != nil || fault.CodeOf(err) != c.code || !strings.Contains(fmt.Sprint(err), c.in) {
			t.Errorf("%s: %v, the error is %v; want %v … %s", c.name, next, err, c.code, c.in)
		}
		if d := cmp.Diff(before, *c.state); d != "" {
			t.Errorf("%s: the state has changed:\n%s", c.name, d)
		}
	}
}

// TestApplyChangesNoOtherState: who has a state has it for good.
func TestApplyChangesNoOtherState(t *testing.T) {
	t.Parallel()
	s := applied(t, &rollout.State{}, rollout.Start("watch", planned()), rollout.Confine("watch", "v3", rollout.Quarantine{Reason: "r"}))
	again := applied(t, &rollout.State{}, rollout.Start("watch", planned()), rollout.Confine("watch", "v3", rollout.Quarantine{Reason: "r"}))
	applied(t, s, rollout.Grow("watch", "grid", 50), rollout.Release("watch", "v3"), rollout.Abort("watch", "grid", "x"),
		rollout.Start("car", planned()), rollout.Replace(rollout.Document{}))
	if d := cmp.Diff(again, s); d != "" {
		t.Errorf("it has changed:\n%s", d)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	s := applied(t, &rollout.State{}, rollout.Start("watch", planned()))
	for i := range rollout.History + 50 {
		s = applied(t, s, rollout.Grow("watch", "grid", rollout.Percent(i%100)))
	}
	if len(s.History) != rollout.History || s.History[rollout.History-1].Revision != s.Revision {
		t.Errorf("it has %d events, the last of revision %d of %d", len(s.History), s.History[len(s.History)-1].Revision, s.Revision)
	}
}

func TestDueGoesByThePlan(t *testing.T) {
	t.Parallel()
	r := planned()
	r.Automatic = true
	s := applied(t, &rollout.State{}, rollout.Start("watch", r))
	by := func(changes ...rollout.Change) *rollout.Rollout {
		return applied(t, s, changes...).Rollout("watch", "grid")
	}
	cases := []struct {
		name  string
		r     *rollout.Rollout
		after time.Duration
		want  bool
	}{
		{"before the soak is over", by(), time.Minute - 1, false},
		{"after it", by(), time.Minute, true},
		{"the second step", by(rollout.Advance("watch", "grid")), time.Minute, false},
		{"after an hour", by(rollout.Advance("watch", "grid")), time.Hour, true},
		{"the last step", by(rollout.Grow("watch", "grid", 100)), 1000 * time.Hour, false},
		{"paused", by(rollout.Pause("watch", "grid", "")), time.Hour, false},
		{"aborted", by(rollout.Abort("watch", "grid", "")), time.Hour, false},
		{"a share that is no step", by(rollout.Grow("watch", "grid", 3)), time.Hour, false},
	}
	for _, c := range cases {
		if got := c.r.Due(noon.Add(c.after)); got != c.want {
			t.Errorf("%s: it is due: %v", c.name, got)
		}
		if got := c.r.Strayed(); got != (c.name == "a share that is no step") {
			t.Errorf("%s: it has strayed: %v", c.name, got)
		}
	}
	r.Automatic = false
	if applied(t, &rollout.State{}, rollout.Start("watch", r)).Rollout("watch", "grid").Due(noon.Add(time.Hour)) {
		t.Error("one that a person advances is due")
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	s := applied(t, &rollout.State{}, rollout.Start("watch", planned()), rollout.Pause("watch", "grid", "why"))
	edited := func(edit func(*rollout.Layer, *rollout.Rollout)) rollout.Document {
		l := *s.Classes["watch"]
		l.Rollouts = slices.Clone(l.Rollouts)
		edit(&l, &l.Rollouts[0])
		return rollout.Document{Classes: map[devices.Class]*rollout.Layer{"watch": &l}}
	}
	later := noon.Add(time.Hour)
	same, err := s.Apply(rollout.Replace(edited(func(_ *rollout.Layer, r *rollout.Rollout) {
		r.Since, r.Reason, r.Guard = later, "made up", nil
	})), "bob", later, known())
	if err != nil {
		t.Fatal(err)
	}
	if r := same.Rollout("watch", "grid"); !r.Since.Equal(noon) || r.Reason != "why" || r.Guard != nil {
		t.Errorf("a document says %+v", r)
	}
	more := edited(func(_ *rollout.Layer, r *rollout.Rollout) { r.Share, r.Status = 50, rollout.Running })
	grown, err := s.Apply(rollout.Replace(more), "bob", later, known())
	if err != nil {
		t.Fatal(err)
	}
	if r := grown.Rollout("watch", "grid"); !r.Since.Equal(later) || r.Reason != "" || r.Share != 50 {
		t.Errorf("another share is %+v", r)
	}
	for field, edit := range map[string]func(*rollout.Layer, *rollout.Rollout){
		"classes.watch.salt":                   func(l *rollout.Layer, _ *rollout.Rollout) { l.Salt = "other" },
		"classes.watch.rollouts[0].slice.from": func(_ *rollout.Layer, r *rollout.Rollout) { r.Slice.From = 10 },
	} {
		_, err := s.Apply(rollout.Replace(edited(edit)), "bob", later, known())
		if fault.CodeOf(err) != fault.Invalid || !strings.Contains(err.Error(), field) {
			t.Errorf("%s can change while it runs: %v", field, err)
		}
	}
	nothing := rollout.Replace(rollout.Document{Classes: map[devices.Class]*rollout.Layer{"watch": nil}})
	if _, err := s.Apply(nothing, "bob", later, known()); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("a layer that is null: %v", err)
	}
}

// TestAComparisonBeginsAnew when the candidate, the control or the units are others.
func TestAComparisonBeginsAnew(t *testing.T) {
	t.Parallel()
	s := applied(t, &rollout.State{}, rollout.Start("watch", running("grid", 0, 50, 20)), rollout.Start("watch", running("list", 50, 100, 20)))
	later := noon.Add(time.Hour)
	put := func(edit func(*rollout.Layer, *rollout.Rollout)) rollout.Change {
		l := *s.Classes["watch"]
		l.Rollouts = slices.Clone(l.Rollouts)
		edit(&l, &l.Rollouts[0])
		return rollout.Replace(rollout.Document{Classes: map[devices.Class]*rollout.Layer{"watch": &l}})
	}
	for name, c := range map[string]struct {
		change     rollout.Change
		grid, list time.Time
	}{
		"another candidate": {put(func(_ *rollout.Layer, r *rollout.Rollout) { r.Candidate = "v3" }), later, noon},
		"another rule":      {put(func(_ *rollout.Layer, r *rollout.Rollout) { r.Rules.Countries = []string{"NL"} }), later, noon},
		"another slice":     {put(func(_ *rollout.Layer, r *rollout.Rollout) { r.Slice.To = 40 }), later, noon},
		"another control":   {put(func(l *rollout.Layer, _ *rollout.Rollout) { l.Control = "v3" }), later, later},
		"another guard":     {put(func(_ *rollout.Layer, r *rollout.Rollout) { r.Guard = planned().Guard }), noon, noon},
		"a promotion":       {rollout.Promote("watch", "grid"), later, later},
		"another share":     {rollout.Grow("watch", "grid", 30), later, noon},
	} {
		next, err := s.Apply(c.change, "bob", later, known())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		grid, list := next.Rollout("watch", "grid").Since, next.Rollout("watch", "list").Since
		if !grid.Equal(c.grid) || !list.Equal(c.list) {
			t.Errorf("%s: since %v and %v", name, grid, list)
		}
	}
}

// TestSharesAreExact, though 100 - 8.21 is not 91.79.
func TestSharesAreExact(t *testing.T) {
	t.Parallel()
	for holdout := range rollout.Buckets - 100 {
		l := rollout.Layer{Holdout: rollout.Percent(holdout) / 100}
		s := &rollout.State{Document: rollout.Document{Classes: map[devices.Class]*rollout.Layer{"watch": &l}}}
		r := running("grid", 0, 0, 1)
		s = applied(t, s, rollout.Start("watch", r))
		want, _ := strconv.ParseFloat(fmt.Sprintf("%d.%02d", (rollout.Buckets-holdout)/100, (rollout.Buckets-holdout)%100), 64)
		if got := s.Rollout("watch", "grid").Slice.To; got != rollout.Percent(want) {
			t.Fatalf("beside a holdout of %v the slice ends at %v, not %v", l.Holdout, got, want)
		}
	}
}

// TestARestartNeedsAShare, of its own or of the plan.
func TestARestartNeedsAShare(t *testing.T) {
	t.Parallel()
	s := applied(t, &rollout.State{}, rollout.Start("watch", running("grid", 0, 50, 20)), rollout.Abort("watch", "grid", ""))
	if _, err := s.Apply(rollout.Restart("watch", "grid", 0), "bob", noon, known()); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("without any it is %v", err)
	}
	if r := applied(t, s, rollout.Restart("watch", "grid", 5)).Rollout("watch", "grid"); r.Share != 5 {
		t.Errorf("it begins again at %v", r.Share)
	}
}

// TestADocumentLeavesRoom to abort all that it has.
func TestADocumentLeavesRoom(t *testing.T) {
	t.Parallel()
	s := &rollout.State{}
	var err error
	for n := 0; err == nil; n++ {
		r := running(fmt.Sprint("r", n), rollout.Percent(n), rollout.Percent(n+1), 1)
		for i := range 1000 {
			r.Rules.Allow = append(r.Rules.Allow, fmt.Sprintf("%064d", i))
		}
		var next *rollout.State
		if next, err = s.Apply(rollout.Start("watch", r), "alice", noon, known()); err == nil {
			s = next
		}
	}
	if fault.CodeOf(err) != fault.TooLarge || len(s.Classes["watch"].Rollouts) < 5 {
		t.Fatalf("after %d rollouts the error is %v", len(s.Classes["watch"].Rollouts), err)
	}
	applied(t, s, rollout.Abort("watch", "r0", strings.Repeat("x", 500)), rollout.Confine("watch", "v2", rollout.Quarantine{Reason: "bad"}))
}
