package shadow_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/core/shadow"
)

func one(path, at string, kind shadow.Kind, control, candidate string) []shadow.Difference {
	return []shadow.Difference{{Path: path, At: at, Kind: kind, Control: control, Candidate: candidate}}
}

func TestCompare(t *testing.T) {
	ignore := func(p ...string) shadow.Rules { return shadow.Rules{Ignore: p} }
	unordered := func(p ...string) shadow.Rules { return shadow.Rules{Unordered: p} }
	none := shadow.Rules{}
	for _, tc := range []struct {
		name               string
		control, candidate string
		rules              shadow.Rules
		want               []shadow.Difference
	}{
		{"the same", `{"a":[1,"x",null]}`, `{"a":[1,"x",null]}`, none, nil},
		{"spaces", `{"a":[1,2]}`, " {\"a\" : [ 1 ,\n2 ] } ", none, nil},
		{"the order of members", `{"a":1,"b":{"c":2,"d":3}}`, `{"b":{"d":3,"c":2},"a":1}`, none, nil},
		{"escapes", `{"a":"é/"}`, `{"\u0061":"\u00e9\/"}`, none, nil},

		{"numbers by value", `[1,1.0,100,0.5,-0,1e-3,1E400,120]`, `[1.0,1,1e2,5e-1,0,0.001,10e399,1.2e2]`, none, nil},
		{"a number", `{"n":1}`, `{"n":1.5}`, none, one("/n", "/n", shadow.Changed, "1", "1.5")},
		{"a sign", `{"n":1}`, `{"n":-1}`, none, one("/n", "/n", shadow.Changed, "1", "-1")},
		{"a number beyond a float's digits", `[9007199254740993]`, `[9007199254740992]`, none,
			one("/*", "/0", shadow.Changed, "9007199254740993", "9007199254740992")},
		{"a power beyond all", `[1e99999999999999999999]`, `[10e99999999999999999998]`, none,
			one("/*", "/0", shadow.Changed, "1e99999999999999999999", "10e99999999999999999998")},

		{"a text", `{"t":"a"}`, `{"t":"b"}`, none, one("/t", "/t", shadow.Changed, `"a"`, `"b"`)},
		{"a bool", `[true]`, `[false]`, none, one("/*", "/0", shadow.Changed, "true", "false")},
		{"null for a text", `{"t":"a"}`, `{"t":null}`, none, one("/t", "/t", shadow.Type, `"a"`, "null")},
		{"a text for a number", `{"t":1}`, `{"t":"1"}`, none, one("/t", "/t", shadow.Type, "1", `"1"`)},
		{"a list for an object", `{"t":{}}`, `{"t":[]}`, none, one("/t", "/t", shadow.Type, "{}", "[]")},
		{"a text for a list", `{"t":[1]}`, `{"t":"[1]"}`, none, one("/t", "/t", shadow.Type, "[1]", `"[1]"`)},
		{"false for null", `null`, `false`, none, one("", "", shadow.Type, "null", "false")},

		{"missing", `{"a":{"b":1,"c":2}}`, `{"a":{"c":2}}`, none, one("/a/b", "/a/b", shadow.Missing, "1", "")},
		{"missing is not null", `{"a":null}`, `{}`, none, one("/a", "/a", shadow.Missing, "null", "")},
		{"added", `{"a":{}}`, `{"a":{"b":[1,{"c":"<&>"}]}}`, none, one("/a/b", "/a/b", shadow.Added, "", `[1,{"c":"<&>"}]`)},
		{"a shorter list", `[1,2,3]`, `[1]`, none, append(one("/*", "/1", shadow.Missing, "2", ""), one("/*", "/2", shadow.Missing, "3", "")...)},
		{"a longer list", `{"l":[]}`, `{"l":[{}]}`, none, one("/l/*", "/l/0", shadow.Added, "", "{}")},
		{"the order of a list", `[1,2]`, `[2,1]`, none,
			append(one("/*", "/0", shadow.Changed, "1", "2"), one("/*", "/1", shadow.Changed, "2", "1")...)},
		{"in lists of lists", `[[{"a":1}],[{"a":2}]]`, `[[{"a":1}],[{"a":3}]]`, none, one("/*/*/a", "/1/0/a", shadow.Changed, "2", "3")},
		{"names that a pointer escapes", `{"a/b":{"m~n":{"":1}}}`, `{"a/b":{"m~n":{"":2}}}`, none,
			one("/a~1b/m~0n/", "/a~1b/m~0n/", shadow.Changed, "1", "2")},

		{"ignored", `{"a":1,"b":2}`, `{"a":2,"b":2}`, ignore("/a"), nil},
		{"ignored, missing", `{"a":1}`, `{}`, ignore("/a"), nil},
		{"ignored, added", `{}`, `{"a":1}`, ignore("/a"), nil},
		{"ignored everywhere in a list", `{"r":[{"h":1,"x":1},{"h":2}]}`, `{"r":[{"h":5,"x":1},{}]}`, ignore("/r/*/h"), nil},
		{"ignored beside others", `{"r":[{"h":1,"x":1}]}`, `{"r":[{"h":5,"x":2}]}`, ignore("/r/*/h"),
			one("/r/*/x", "/r/0/x", shadow.Changed, "1", "2")},
		{"ignored at an index", `[1,2,3]`, `[1,9,3]`, ignore("/1"), nil},
		{"ignored elements", `[1,2]`, `[3]`, ignore("/*"), nil},
		{"ignored at any member", `{"a":{"t":1},"b":{"t":2}}`, `{"a":{"t":2},"b":{"t":3}}`, ignore("/*/t"), nil},
		{"ignored by an escaped name", `{"a/b":1,"m~n":1}`, `{"a/b":2,"m~n":2}`, ignore("/a~1b", "/m~0n"), nil},
		{"ignored whole", `{"a":1}`, `[]`, ignore(""), nil},
		{"not ignored above", `{"a":{"b":1}}`, `{"a":2}`, ignore("/a/b"), one("/a", "/a", shadow.Type, `{"b":1}`, "2")},
		{"ignored by no pointer", `{"a":1}`, `{"a":2}`, ignore("a", "~", "/~2", "/"+strings.Repeat("a", 2000)),
			one("/a", "/a", shadow.Changed, "1", "2")},

		{"unordered", `{"l":[1,2,2,3.0]}`, `{"l":[3,2,1,2]}`, unordered("/l"), nil},
		{"unordered objects", `[{"id":1,"t":["a"]},{"id":2}]`, `[{"id":2},{"t":["a"],"id":1.0}]`, unordered(""), nil},
		{"unordered by number", `[1,1,2]`, `[1,2,2]`, unordered(""), one("/*", "/1", shadow.Changed, "1", "2")},
		{"unordered, one changed", `[{"id":1,"h":1},{"id":2,"h":2}]`, `[{"id":2,"h":3},{"id":1,"h":1}]`, unordered(""),
			one("/*/h", "/1/h", shadow.Changed, "2", "3")},
		{"unordered, missing", `[1,2,3]`, `[3,1]`, unordered(""), one("/*", "/1", shadow.Missing, "2", "")},
		{"unordered, added", `[3,1]`, `[1,2,3]`, unordered(""), one("/*", "/1", shadow.Added, "", "2")},
		{"unordered in unordered", `[[1,2],[3,4]]`, `[[4,3],[2,1]]`, unordered("", "/*"), nil},
		{"unordered in what is not", `[[1,2],[3,4]]`, `[[4,3],[2,1]]`, unordered("/*"), []shadow.Difference{
			{Path: "/*/*", At: "/0/0", Kind: shadow.Changed, Control: "1", Candidate: "4"},
			{Path: "/*/*", At: "/0/1", Kind: shadow.Changed, Control: "2", Candidate: "3"},
			{Path: "/*/*", At: "/1/0", Kind: shadow.Changed, Control: "3", Candidate: "2"},
			{Path: "/*/*", At: "/1/1", Kind: shadow.Changed, Control: "4", Candidate: "1"},
		}},
		{"unordered and ignored", `[{"id":1,"h":1},{"id":2,"h":2}]`, `[{"id":2},{"id":1,"h":9}]`,
			shadow.Rules{Unordered: []string{""}, Ignore: []string{"/*/h"}}, nil},
		{"ignored in order, in what has none", `[[1,2],[3,4]]`, `[[9,4],[8,2]]`,
			shadow.Rules{Unordered: []string{""}, Ignore: []string{"/*/0"}}, nil},
		{"an index means nothing without order", `[1,2]`, `[2,3]`, shadow.Rules{Unordered: []string{""}, Ignore: []string{"/0"}},
			one("/*", "/0", shadow.Changed, "1", "3")},
		{"unordered is for lists", `{"a":1,"b":2}`, `{"a":2,"b":1}`, unordered(""),
			append(one("/a", "/a", shadow.Changed, "1", "2"), one("/b", "/b", shadow.Changed, "2", "1")...)},
		{"values that look alike", `["1:a",1,"true",true,null,"n",[],{},""]`, `[1,"1:a",true,"true","n",null,{},[],""]`, unordered(""), nil},

		{"no JSON", `{"a":1}`, `{"a":`, none, one("", "", shadow.Type, `{"a":1}`, "not JSON: unexpected EOF")},
		{"no JSON at all", `1`, ``, none, one("", "", shadow.Type, "1", "not JSON: EOF")},
		{"more behind it", `{}`, `{} 1`, none, one("", "", shadow.Type, "{}", "not JSON: there is more behind it")},
		{"rubbish behind it", `{}`, `{}}`, none, one("", "", shadow.Type, "{}", "not JSON: there is more behind it")},
		{"no UTF-8", `""`, "\"\xff\"", none, one("", "", shadow.Type, `""`, "not JSON: not UTF-8")},
		{"two kinds of rubbish", `{`, `[`, none, one("", "", shadow.Changed, "not JSON: unexpected EOF", "not JSON: unexpected EOF")},
		{"the same rubbish", `{`, `{`, none, nil},
		{"the last of a name", `{"a":1,"a":2}`, `{"a":2}`, none, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			told, count := shadow.Compare([]byte(tc.control), []byte(tc.candidate), tc.rules)
			if diff := cmp.Diff(tc.want, told); diff != "" || count != len(tc.want) {
				t.Errorf("%d differences\n%s", count, diff)
			}
			_, reverse := shadow.Compare([]byte(tc.candidate), []byte(tc.control), tc.rules)
			if (reverse == 0) != (count == 0) {
				t.Errorf("%d differences, and %d the other way round", count, reverse)
			}
		})
	}
}

// TestCompareIsBounded: of many differences the first are told and all are counted; a
// page that is too large or too deep is one difference.
func TestCompareIsBounded(t *testing.T) {
	list := func(n int, element func(i int) string) string {
		all := make([]string, n)
		for i := range all {
			all[i] = element(i)
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	object := func(n int, value string) string {
		members := list(n, func(i int) string { return fmt.Sprintf(`"m%d":%s`, i, value) })
		return "{" + members[1:len(members)-1] + "}"
	}
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	up := list(shadow.MaxUnordered, func(i int) string { return fmt.Sprint(i) })
	down := list(shadow.MaxUnordered, func(i int) string { return fmt.Sprint(shadow.MaxUnordered - 1 - i) })
	longUp, longDown := "[0.5,"+up[1:], down[:len(down)-1]+",0.5]"
	unordered := shadow.Rules{Unordered: []string{""}}
	for _, tc := range []struct {
		name               string
		control, candidate string
		rules              shadow.Rules
		count              int
	}{
		{"many members", object(10_000, "1"), object(10_000, "2"), shadow.Rules{}, 10_000},
		{"many elements", list(5000, func(int) string { return "1" }), "[]", shadow.Rules{}, 5000},
		{"as many as may be unordered", up, down, unordered, 0},
		{"more than may be unordered", longUp, longDown, unordered, shadow.MaxUnordered}, // one is in its place by chance
		{"unordered, of other lengths", longUp, down, unordered, shadow.MaxUnordered},    // one is in its place by chance
		{"deep", deep(shadow.MaxDepth), " " + deep(shadow.MaxDepth), shadow.Rules{}, 0},
		{"too deep", deep(shadow.MaxDepth + 1), " " + deep(shadow.MaxDepth+1), shadow.Rules{}, 1},
		{"much too deep", deep(400_000), " " + deep(400_000), shadow.Rules{}, 1},
		{"too deep, the same", deep(400_000), deep(400_000), shadow.Rules{}, 0},
		{"too large", `"` + strings.Repeat("a", shadow.MaxSize) + `"`, `"a"`, shadow.Rules{}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			told, count := shadow.Compare([]byte(tc.control), []byte(tc.candidate), tc.rules)
			if count != tc.count || len(told) != min(count, shadow.MaxTold) {
				t.Errorf("%d differences, of which %d are told; want %d: %+v", count, len(told), tc.count, told)
			}
		})
	}
}

// TestRulesDoNotMultiply: where a member's name is that which stands for any.
func TestRulesDoNotMultiply(t *testing.T) {
	const deep = 90
	page := func(leaf string) []byte {
		return []byte(strings.Repeat(`{"*":`, deep) + leaf + strings.Repeat("}", deep))
	}
	pointer := strings.Repeat("/*", deep)
	for _, rules := range []shadow.Rules{{Ignore: []string{pointer + "/x"}}, {Unordered: []string{pointer, strings.Repeat("/*", deep-1)}}} {
		if told, n := shadow.Compare(page("1"), page("2"), rules); n != 1 || told[0].Path != pointer {
			t.Errorf("%+v", told)
		}
	}
}

// TestTextsAreShort, valid and say where they were cut.
func TestTextsAreShort(t *testing.T) {
	long := strings.Repeat("é", 500)
	for _, value := range []string{
		`"` + long + `"`, `["` + long + `"]`, `{"` + long + `":1}`, "[" + strings.Repeat(`{"a":[1,2,3]},`, 500) + "1]",
		`"` + strings.Repeat(`\u0000`, 100) + `"`, strings.Repeat("9", 500), strings.Repeat("[", 90) + strings.Repeat("]", 90),
		`"` + strings.Repeat("😀", 60) + `"`,
	} {
		told, _ := shadow.Compare([]byte(value), []byte("null"), shadow.Rules{})
		text := told[0].Control
		if len(text) > shadow.MaxText || len(text) < shadow.MaxText-8 || !utf8.ValidString(text) || !strings.HasSuffix(text, "…") {
			t.Errorf("%d bytes: %q", len(text), text)
		}
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' }) {
			t.Errorf("control characters in %q", text)
		}
	}
}

func TestRulesAreValidated(t *testing.T) {
	for entry, valid := range map[string]bool{
		"": true, "/": true, "/a/*/b": true, "/a~0b~1c": true, "/0": true, "/" + strings.Repeat("a", 1023): true, strings.Repeat("/a", 100): true,
		"a": false, "*": false, "/~": false, "/~2": false, "/a~": false, "/~0~": false, "/" + strings.Repeat("a", 1024): false,
		strings.Repeat("/a", 101): false,
	} {
		for name, rules := range map[string]shadow.Rules{
			"ignore[1]": {Ignore: []string{"/ok", entry}}, "unordered[0]": {Unordered: []string{entry}},
		} {
			err := rules.Validate()
			if (err == nil) != valid || err != nil && !strings.HasPrefix(err.Error(), name+": ") {
				t.Errorf("%.20q: %v", entry, err)
			}
		}
	}
}
