package cache_test

import (
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/cache"
)

type query struct {
	id    string
	limit int
}

type nested struct {
	Q     query
	Many  [2]bool
	Ratio float64
	_     int
}

func text[K comparable](t *testing.T, key K) string {
	t.Helper()
	f, err := cache.Text[K]()
	if err != nil {
		t.Fatal(err)
	}
	return f(key)
}

func TestText(t *testing.T) {
	for _, tc := range []struct{ got, want string }{
		{text(t, "p-1042"), "p-1042"},
		{text(t, ""), ""},
		{text(t, "a b{=,}%é\x00"), "a%20b%7B%3D%2C%7D%25%C3%A9%00"},
		{text(t, "#"), "%23"},
		{text(t, 42), "42"},
		{text(t, uint8(7)), "7"},
		{text(t, true), "true"},
		{text(t, query{"p-1", 3}), "{id=p-1,limit=3}"},
		{text(t, query{"p-1,limit=4", 3}), "{id=p-1%2Climit%3D4,limit=3}"},
		{text(t, nested{query{"x", -1}, [2]bool{true, false}, 0.5, 9}), "{Q={id=x,limit=-1},Many=[true,false],Ratio=0.5}"},
		{text(t, [2]string{"a,b", ""}), "[a%2Cb,]"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
	long := text(t, strings.Repeat("a", 161))
	if len(long) != 65 || long[0] != '#' || long == text(t, strings.Repeat("a", 162)) || len(text(t, strings.Repeat("a", 160))) != 160 {
		t.Errorf("of a long one: %q", long)
	}
}

func TestTextRefusesWhatHasNone(t *testing.T) {
	if _, err := cache.Text[*int](); err == nil {
		t.Error("a pointer was accepted")
	}
	if _, err := cache.Text[struct{ a any }](); err == nil || !strings.Contains(err.Error(), "a: ") {
		t.Errorf("an interface: %v", err)
	}
	if _, err := cache.Text[[1]chan int](); err == nil {
		t.Error("a channel was accepted")
	}
}

// FuzzTextTellsKeysApart holds two different keys to two different texts.
func FuzzTextTellsKeysApart(f *testing.F) {
	f.Add("a", "b", "a,b", "")
	f.Add("a%2C", "", "a,", "")
	f.Add("{a=", "1}", "{a", "=1}")
	spell, err := cache.Text[[2]string]()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		one, two := [2]string{a, b}, [2]string{c, d}
		if (one == two) != (spell(one) == spell(two)) {
			t.Errorf("%q and %q: %q and %q", one, two, spell(one), spell(two))
		}
		for _, r := range spell(one) {
			if r <= ' ' || r >= 0x7f {
				t.Errorf("%q is no plain text", spell(one))
			}
		}
	})
}

func BenchmarkText(b *testing.B) {
	spell, err := cache.Text[query]()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		spell(query{"p-1042", 3})
	}
}
