package adapter_test

import (
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

func version(t *testing.T, class devices.Class, name, base string, endpoints ...adapter.Endpoint) *adapter.Version {
	t.Helper()
	v, err := adapter.NewOn(class, name, base, endpoints...)
	if base == "" {
		v, err = adapter.New(class, name, endpoints...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// says is a page that says one text.
func says(text string) func(*adapter.Request, struct{}) stream.Assembly[page] {
	return func(*adapter.Request, struct{}) stream.Assembly[page] {
		return stream.Assemble(stream.Required("text", stream.Of(text), func(p *page, text string) { p.Text = text }))
	}
}

// body is what a version answers at a path.
func body(t *testing.T, v *adapter.Version, path string) string {
	t.Helper()
	e, ok := v.Endpoint(path)
	if !ok {
		t.Fatalf("%s has no %s", v, path)
	}
	ctx, scope := stream.Open(t.Context(), report.New("", report.Trace{}))
	defer scope.Close()
	a, err := e.Serve(ctx, &adapter.Request{})
	if err != nil {
		t.Fatal(err)
	}
	return string(a.Body)
}

func TestVersionsBuildOnOthers(t *testing.T) {
	third := version(t, "phone", "v3", "v2", adapter.Override("/b", says("b3")), adapter.Page("/d", says("d3")))
	first := version(t, "phone", "v1", "", adapter.Page("/a", says("a1")), adapter.Page("/b", says("b1")), adapter.Page("/c", says("c1")))
	second := version(t, "phone", "v2", "v1", adapter.Override("/a", says("a2")), adapter.Override("/b", says("b2")))
	other := version(t, "tv", "v1", "", adapter.Page("/a", says("tv")))
	set, err := adapter.NewSet(third, first, second, other) // in any order
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		class       devices.Class
		name, paths string
		texts       []string
	}{
		{"phone", "v1", "/a /b /c", []string{"a1", "b1", "c1"}},
		{"phone", "v2", "/a /b /c", []string{"a2", "b2", "c1"}},
		{"phone", "v3", "/a /b /c /d", []string{"a2", "b3", "c1", "d3"}},
		{"tv", "v1", "/a", []string{"tv"}},
	} {
		v := set.Find(c.class, c.name)
		if got := strings.Join(v.Paths(), " "); got != c.paths {
			t.Errorf("%s has %s, want %s", v, got, c.paths)
		}
		for i, path := range v.Paths() {
			if got := body(t, v, path); !strings.Contains(got, c.texts[i]) {
				t.Errorf("%s%s is %s, want %s", v, path, got, c.texts[i])
			}
		}
	}
	if names := set.Names(); strings.Join(names["phone"], " ") != "v3 v1 v2" || len(set.All()) != 4 {
		t.Errorf("%v", names)
	}
	if set.Find("phone", "v4") != nil || set.Find("watch", "v1") != nil {
		t.Error("there is a version that nobody gave")
	}
}

func TestSetsThatCannotBe(t *testing.T) {
	a, b := adapter.Page("/a", says("a")), adapter.Page("/b", says("b"))
	cases := []struct {
		title string
		given []*adapter.Version
		want  []string
	}{
		{
			"twice", []*adapter.Version{version(t, "tv", "v1", "", a), version(t, "tv", "v1", "", b)},
			[]string{"adapter tv/v1: two versions have this name"},
		},
		{
			"no base", []*adapter.Version{version(t, "tv", "v2", "v1", a)},
			[]string{"adapter tv/v2: it builds on tv/v1, which is not in this build"},
		},
		{
			"base of another class", []*adapter.Version{version(t, "tv", "v1", "", a), version(t, "phone", "v2", "v1", b)},
			[]string{"phone/v2", "phone/v1, which is not"},
		},
		{"itself", []*adapter.Version{version(t, "tv", "v1", "v1", a)}, []string{"it builds on itself: tv/v1 → tv/v1"}},
		{
			"cycle", []*adapter.Version{version(t, "tv", "v1", "v3", a), version(t, "tv", "v2", "v1"), version(t, "tv", "v3", "v2")},
			[]string{"tv/v1 → tv/v3 → tv/v2 → tv/v1"},
		},
		{
			"override of nothing", []*adapter.Version{version(t, "tv", "v1", "", a), version(t, "tv", "v2", "v1", adapter.Override("/b", says("")))},
			[]string{"adapter tv/v2: /b: overrides nothing"},
		},
		{
			"override without a base", []*adapter.Version{version(t, "tv", "v1", "", adapter.Override("/a", says("")))},
			[]string{"/a: overrides nothing"},
		},
		{
			"not said to override", []*adapter.Version{version(t, "tv", "v1", "", a), version(t, "tv", "v2", "v1", a)},
			[]string{"adapter tv/v2: /a: tv/v1 has this path, too: use Override to replace it"},
		},
		{
			"several", []*adapter.Version{version(t, "tv", "v1", "v9", a), version(t, "phone", "v1", "", adapter.Override("/a", says("")))},
			[]string{"tv/v1", "phone/v1"},
		},
	}
	for _, c := range cases {
		set, err := adapter.NewSet(c.given...)
		if err == nil || set != nil {
			t.Errorf("%s: %v, want an error", c.title, set)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %q in it", c.title, err, want)
			}
		}
	}
	for _, base := range []string{"", "1", "v1x"} {
		if _, err := adapter.NewOn("tv", "v2", base, a); (err != nil) != (base != "") {
			t.Errorf("the base %q: %v", base, err)
		}
	}
}

func TestPagesThatCannotBeEncoded(t *testing.T) {
	type deep struct {
		List []struct {
			Any any `json:"any"`
		} `json:"list"`
	}
	type loop struct {
		Next *loop  `json:"next"`
		Skip func() `json:"-"`
	}
	for name, e := range map[string]adapter.Endpoint{
		"List.Any: a interface {} cannot be encoded": adapter.Page("/a", empty[deep]),
		"*chan int: a chan int cannot be encoded":    adapter.Page("/a", empty[*chan int]),
		"keys must be strings, not int":              adapter.Page("/a", empty[map[int]int]),
		"[]uint8: bytes have more than one form":     adapter.Page("/a", empty[[]byte]),
		"":                                           adapter.Page("/a", empty[loop]),
	} {
		_, err := adapter.New("tv", "v1", e)
		if (err == nil) != (name == "") || err != nil && !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want %q", err, name)
		}
	}
}

func empty[P any](*adapter.Request, struct{}) stream.Assembly[P] { return stream.Assembly[P]{} }
