package shadow_test

import (
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/shadow"
)

// FuzzCompare: it never panics; a page is like itself; whether two are alike does not
// depend on which is first, and is what their canonical spelling says; and what is told
// is bounded.
func FuzzCompare(f *testing.F) {
	for _, seed := range [][3]string{
		{`{"a":[1,2,{"b":null}]}`, `{"a":[2,1.0,{}]}`, "/a\n/a/*/b"},
		{`[[1,2],[3]]`, `[[3],[2,1]]`, "\n/*\n"},
		{`[1,[1],"1",{"1":1}]`, `[{"1":1.0},"1",[1],1]`, "\n"},
		{`{"*":[0,0],"~":{"/":1}}`, `{"*":[0],"~":{"/":2}}`, "/*/*\n/~0/~1\n/*"},
		{`{`, `{"a":1e999999999999}`, "/a"}, {`1E+2`, `100`, ""}, {"\"\xff\"", "", "a"},
	} {
		f.Add(seed[0], seed[1], seed[2], false)
		f.Add(seed[0], seed[1], seed[2], true)
	}
	f.Fuzz(func(t *testing.T, control, candidate, pointers string, swap bool) {
		var rules shadow.Rules
		for i, p := range strings.SplitN(pointers, "\n", 6) { // every other one ignores
			if (i%2 == 0) == swap {
				rules.Ignore = append(rules.Ignore, p)
			} else {
				rules.Unordered = append(rules.Unordered, p)
			}
		}
		a, b := []byte(control), []byte(candidate)
		told, count := shadow.Compare(a, b, rules)
		if _, reverse := shadow.Compare(b, a, rules); (count == 0) != (reverse == 0) {
			t.Errorf("%d differences, and %d the other way round", count, reverse)
		}
		if _, n := shadow.Compare(a, a, rules); n != 0 {
			t.Errorf("%d differences from itself", n)
		}
		if _, n := shadow.Compare(a, []byte(" "+control), rules); n != 0 && spelled(a, rules) && spelled([]byte(" "+control), rules) {
			t.Errorf("%d differences from itself behind a space", n)
		}
		if len(told) != min(count, shadow.MaxTold) {
			t.Errorf("%d of %d told", len(told), count)
		}
		for _, d := range told {
			if len(d.Control) > shadow.MaxText || len(d.Candidate) > shadow.MaxText {
				t.Errorf("%+v", d)
			}
		}
		one, ok := shadow.Canonical(a, rules)
		other, also := shadow.Canonical(b, rules)
		if ok && also && (one == other) != (count == 0) {
			t.Errorf("%d differences of %q and %q", count, one, other)
		}
	})
}

// spelled reports whether a page is one.
func spelled(page []byte, rules shadow.Rules) bool {
	_, ok := shadow.Canonical(page, rules)
	return ok
}
