package rollout_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/strict"
)

// whole is a document with every field.
const whole = `{"classes": {"watch": {
	"salt": "s", "control": "v1", "holdout": 5,
	"rollouts": [
		{"name": "grid", "candidate": "v2", "slice": {"from": 0, "to": 45.5}, "share": 1, "status": "running",
			"rules": {"app_version": {"min": "5.2", "below": "7"}, "countries": ["NL"], "locales": ["nl"], "allow": ["u-7"]},
			"plan": [{"share": 1, "soak": "10m0s"}, {"share": 45.5}], "automatic": true,
			"guard": {"min_samples": 100, "alpha": 0.05, "errors": 1, "degraded": 2, "panics": 3, "p50": 10, "p99": 20.5, "bytes": 50, "hold": true},
			"shadow": {"sample": 10, "ignore": ["/a/*/b"], "unordered": ["/c"]},
			"since": "2026-11-25T12:00:00Z", "reason": "r"},
		{"name": "other", "candidate": "v3", "slice": {"from": 45.5, "to": 95}, "share": 0, "status": "paused"}
	],
	"quarantine": {"v3": {"at": "2026-11-25T12:00:00Z", "by": "replica", "reason": "it panics"}}
}}}`

func read(text string) (*rollout.Document, error) {
	var d rollout.Document
	if err := strict.Decode([]byte(text), &d); err != nil {
		return nil, err
	}
	return &d, d.Validate(known())
}

func TestAWholeDocument(t *testing.T) {
	t.Parallel()
	d, err := read(whole)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	again, err := read(string(text))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, again); diff != "" {
		t.Errorf("it is read back otherwise:\n%s", diff)
	}
	var plain, written any
	if json.Unmarshal([]byte(whole), &plain) != nil || json.Unmarshal(text, &written) != nil {
		t.Fatal("it is no JSON")
	}
	if diff := cmp.Diff(plain, written); diff != "" {
		t.Errorf("it is written otherwise:\n%s", diff)
	}
}

// TestBadDocumentsNameTheField: each is the whole document with one thing changed.
func TestBadDocumentsNameTheField(t *testing.T) {
	t.Parallel()
	const one = "classes.watch.rollouts[0]."
	cases := []struct{ old, new, field, detail string }{
		{`"watch"`, `"boat"`, "classes.boat", "no adapter for this class; known: car, watch"},
		{`"salt": "s"`, `"salt": "` + strings.Repeat("s", 65) + `"`, "classes.watch.salt", "at most 64 bytes"},
		{`"control": "v1"`, `"control": "v9"`, "classes.watch.control", "no version"},
		{`"holdout": 5`, `"holdout": 5.001`, "classes.watch.holdout", "steps of 0.01"},
		{`"holdout": 5`, `"holdout": 101`, "classes.watch.holdout", "0 to 100"},
		{`"holdout": 5`, `"holdout": 6`, "classes.watch.rollouts[1].slice.to", "holdout, which begins at 94"},
		{`"name": "grid"`, `"name": "Grid"`, one + "name", "a-z"},
		{`"name": "grid"`, `"name": "other"`, "classes.watch.rollouts[1].name", "two rollouts"},
		{`"candidate": "v2"`, `"candidate": "v4"`, one + "candidate", `no version "v4"; known: v1, v2, v3`},
		{`"candidate": "v2", `, ``, one + "candidate", "must name a version"},
		{`"to": 45.5}`, `"to": 0}`, one + "slice", "empty"},
		{`"to": 45.5}`, `"to": 46}`, "classes.watch.rollouts[1].slice", "overlaps that of grid"},
		{`"from": 0,`, `"from": -1,`, one + "slice.from", "0 to 100"},
		{`"to": 95}`, `"to": 100.5}`, "classes.watch.rollouts[1].slice.to", "0 to 100"},
		{`"share": 1, "status"`, `"share": 101, "status"`, one + "share", "0 to 100"},
		{`"share": 1, "status"`, `"share": -0.01, "status"`, one + "share", "0 to 100"},
		{`"share": 1, "status"`, `"share": 46, "status"`, one + "share", "the slice has only 45.5"},
		{`"share": 1, "status"`, `"share": "1", "status"`, one + "share", "must be a number"},
		{`"share": 1, "status"`, `"share": 1, "share": 2, "status"`, one + "share", "twice"},
		{`"status": "running"`, `"status": "walking"`, one + "status", "running, paused, aborted, promoted"},
		{`"min": "5.2"`, `"min": "5.x"`, one + "rules.app_version.min", "numbers with dots"},
		{`"below": "7"`, `"below": "7."`, one + "rules.app_version.below", "numbers with dots"},
		{`["NL"]`, `["NL", ""]`, one + "rules.countries[1]", "1 to 64 bytes"},
		{`["u-7"]`, `["` + strings.Repeat("u", 65) + `"]`, one + "rules.allow[0]", "1 to 64 bytes"},
		{`["nl"]`, `"nl"`, one + "rules.locales", "must be a list"},
		{`{"share": 45.5}`, `{"share": 46}`, one + "plan[1].share", "only 45.5"},
		{`{"share": 45.5}`, `{"share": 1}`, one + "plan[1].share", "above that of the step before"},
		{`"10m0s"`, `"-1s"`, one + "plan[0].soak", "0s to 720h"},
		{`"10m0s"`, `"10"`, one + "plan[0].soak", "duration with its unit"},
		{`"10m0s"`, `600`, one + "plan[0].soak", "must be a string"},
		{`"plan": [{"share": 1, "soak": "10m0s"}, {"share": 45.5}]`, `"plan": []`, one + "plan", "is needed"},
		{`"min_samples": 100, `, ``, one + "guard.min_samples", "20 to 1000000"},
		{`"min_samples": 100`, `"min_samples": 19`, one + "guard.min_samples", "20 to 1000000"},
		{`"alpha": 0.05`, `"alpha": 0.5`, one + "guard.alpha", "0.0001 to 0.1"},
		{`"errors": 1`, `"errors": -1`, one + "guard.errors", "0 to 100"},
		{`"degraded": 2`, `"degraded": 200`, one + "guard.degraded", "0 to 100"},
		{`"panics": 3`, `"panics": -3`, one + "guard.panics", "0 to 1000000"},
		{`"panics": 3`, `"panics": 3.5`, one + "guard.panics", "whole number"},
		{`"p50": 10`, `"p50": -10`, one + "guard.p50", "0 to 1000 percent"},
		{`"p99": 20.5`, `"p99": 1001`, one + "guard.p99", "0 to 1000 percent"},
		{`"bytes": 50`, `"bytes": 1e300`, one + "guard.bytes", "0 to 1000 percent"},
		{`"hold": true`, `"hold": 1`, one + "guard.hold", "true or false"},
		{`"sample": 10`, `"sample": 1000`, one + "shadow.sample", "0 to 100"},
		{`["/a/*/b"]`, `["a"]`, one + "shadow.ignore[0]", "JSON pointer"},
		{`["/c"]`, `[""]`, one + "shadow.unordered[0]", "JSON pointer"},
		{`"since": "2026-11-25T12:00:00Z"`, `"since": "today"`, one + "since", "must be a time"},
		{`{"v3": {`, `{"v9": {`, "classes.watch.quarantine.v9", "no version"},
		{`"hold": true`, `"holt": true`, one + "guard.holt", "no such field"},
		{`"rules"`, `"rule"`, one + "rule", "no such field"},
		{`"below": "7"`, `"below": "5.2.0"`, one + "rules.app_version.below", "above min"},
		{`["NL"]`, `["NL", "Netherlands"]`, one + "rules.countries[1]", "two letters"},
		{`["nl"]`, `["nl;q=1"]`, one + "rules.locales[0]", "a language"},
		{
			`"errors": 1, "degraded": 2, "panics": 3, "p50": 10, "p99": 20.5, "bytes": 50`, `"errors": 0`,
			one + "guard", "has no limit: one of errors",
		},
	}
	for _, c := range cases {
		if !strings.Contains(whole, c.old) {
			t.Fatalf("the document has no %s", c.old)
		}
		_, err := read(strings.Replace(whole, c.old, c.new, 1))
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Code != fault.Invalid || f.Field != c.field || !strings.Contains(f.Detail, c.detail) {
			t.Errorf("%s: the error is %v; want %s: … %s", c.new, err, c.field, c.detail)
		}
	}
}

// TestListsAreBounded: a document cannot make a plan large or slow.
func TestListsAreBounded(t *testing.T) {
	t.Parallel()
	many := func(n int, one string) string { return strings.TrimSuffix(strings.Repeat(one+",", n), ",") }
	for field, edit := range map[string][2]string{
		"classes.watch.rollouts[0].rules.allow":   {`["u-7"]`, "[" + many(1001, `"u"`) + "]"},
		"classes.watch.rollouts[0].plan":          {`{"share": 45.5}`, many(60, `{"share": 2}`)},
		"classes.watch.rollouts[0].shadow.ignore": {`["/a/*/b"]`, "[" + many(101, `"/a"`) + "]"},
		"classes.watch.rollouts":                  {`{"name": "other"`, many(1000, `{"name": "x"}`) + `,{"name": "other"`},
	} {
		_, err := read(strings.Replace(whole, edit[0], edit[1], 1))
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// TestAHundredFaultyDocuments: a document that was damaged at random is either still
// a valid one, or refused with the field named and the old state kept. A hundred
// refusals are needed, so it goes on until there are.
func TestAHundredFaultyDocuments(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same damage each time
	s := applied(t, &rollout.State{}, rollout.Start("watch", planned()))
	before := fmt.Sprintf("%+v", s.History)
	for refusals, tries := 0, 0; refusals < 100; tries++ {
		if tries > 10_000 {
			t.Fatalf("only %d of %d damaged documents are refused", refusals, tries)
		}
		var d rollout.Document
		err := strict.Decode(damaged(random), &d)
		if err == nil {
			_, err = s.Apply(rollout.Replace(d), "eve", noon, known())
		}
		if err == nil {
			continue
		}
		refusals++
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Code != fault.Invalid || f.Field == "" || f.Detail == "" {
			t.Errorf("the error is %v", err)
		}
		if s.Revision != 1 || fmt.Sprintf("%+v", s.History) != before {
			t.Fatal("the old state has changed")
		}
	}
}

// damaged is the whole document after a few accidents.
func damaged(random *rand.Rand) []byte {
	text := []byte(whole)
	for range 1 + random.IntN(3) {
		at, n := random.IntN(len(text)), 1+random.IntN(8)
		switch random.IntN(3) {
		case 0:
			text[at] = byte(random.IntN(256))
		case 1:
			text = append(text[:at], text[min(len(text), at+n):]...)
		default:
			text = append(text[:at:at], append(append([]byte{}, text[random.IntN(at+1):at]...), text[at:]...)...)
		}
	}
	return text
}

// FuzzDocument: whatever is read and valid can be made a plan of, and assigns.
func FuzzDocument(f *testing.F) {
	f.Add(whole)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := read(text)
		if err != nil {
			return
		}
		plan := rollout.NewPlan(&rollout.State{Document: *d}, known(), rollout.DefaultHeaders())
		for class, versions := range known() {
			for n := range 10 {
				a := plan.Assign(class, unit(n), nil)
				if a.Version != "" && !strings.Contains(fmt.Sprint(versions), a.Version) {
					t.Fatalf("it assigns %+v", a)
				}
			}
		}
	})
}
