package cache_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/core/cache"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 123456789, time.UTC)

func sample() cache.Entry[product] {
	at := noon.Add(time.Hour)
	return cache.Entry[product]{
		Value:  product{ID: "p-1\xff\u2028<", Price: money{129900, "EUR"}, Attrs: map[string]string{"a": "b"}, At: &at, Names: []string{}},
		Stored: noon, Fresh: noon.Add(time.Minute), Stale: noon.Add(time.Hour), Size: 1234, Tags: []string{"product:p-1", "é"},
	}
}

func encoded(t testing.TB, key string, e cache.Entry[product]) string {
	t.Helper()
	b, err := cache.Encode(key, &e, 3*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAnEntryComesBackAsItWas(t *testing.T) {
	absent := cache.Entry[product]{Absent: true, Stored: noon, Fresh: noon, Stale: noon.Add(time.Second)}
	for _, want := range []cache.Entry[product]{sample(), absent, {Stored: noon, Fresh: noon, Stale: noon}} {
		got, err := cache.Decode[product]("k", encoded(t, "k", want), 3*time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
}

// TestRubbishIsNeverAnAnswer changes every bit, cuts at every byte, and moves an
// entry to another key.
func TestRubbishIsNeverAnAnswer(t *testing.T) {
	text := encoded(t, "k", sample())
	try := func(key, text, what string) {
		t.Helper()
		if e, err := cache.Decode[product](key, text, 0); err == nil {
			t.Errorf("%s was taken for %+v", what, e)
		}
	}
	for i := range len(text) {
		for bit := range 8 {
			b := []byte(text)
			b[i] ^= 1 << bit
			try("k", string(b), "a flipped bit")
		}
		try("k", text[:i], "a cut entry")
		try("k", text[:i]+text[i+1:], "an entry without a byte")
		try("k", text[:i]+"\x00"+text[i:], "an entry with a byte more")
	}
	try("k", text+" ", "a longer entry")
	try("other", text, "another key's entry")
	for _, s := range []string{"", "{}", "null", strings.Repeat("\x00", 100), strings.Repeat("fct\x01", 100), text + text} {
		try("k", s, "rubbish")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encoded(f, "k", sample()))
	f.Add("fct\x01")
	f.Fuzz(func(t *testing.T, text string) {
		e, err := cache.Decode[product]("k", text, 0)
		if err != nil {
			return
		}
		again, err := cache.Encode("k", &e, 0) // only what Encode writes has its checksum
		if err != nil {
			t.Fatal(err)
		}
		if back, err := cache.Decode[product]("k", string(again), 0); err != nil || !cmp.Equal(e, back) {
			t.Errorf("%v: %+v and %+v", err, e, back)
		}
	})
}

// FuzzDecodeForged gives what is made up the checksum of an entry: it may be taken
// for one, within the bounds of one.
func FuzzDecodeForged(f *testing.F) {
	f.Add(encoded(f, "k", sample())[12:])
	f.Add(strings.Repeat("\x01", 50) + "{}")
	f.Fuzz(func(t *testing.T, rest string) {
		e, err := cache.Decode[product]("k", cache.Seal("k", rest), time.Hour)
		if err != nil {
			return
		}
		if len(e.Tags) > cache.MaxTags || e.Size < 0 || e.Stale.Before(e.Fresh) {
			t.Errorf("%+v", e)
		}
	})
}

func large() cache.Entry[product] {
	e := sample()
	e.Value.ID, e.Value.Names = "p-1", nil
	for range 20 {
		e.Value.Names = append(e.Value.Names, "a name of some forty bytes, as many are")
	}
	e.Size = 900
	return e
}

func BenchmarkEncode(b *testing.B) {
	e := large()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := cache.Encode("k", &e, 0); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	text := encoded(b, "k", large())
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := cache.Decode[product]("k", text, 0); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecodeStandard is the same with encoding/json, which was not chosen.
func BenchmarkDecodeStandard(b *testing.B) {
	text, err := json.Marshal(large().Value)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var p product
		if err := json.Unmarshal(text, &p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEncodeStandard(b *testing.B) {
	e := large()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(&e.Value); err != nil {
			b.Fatal(err)
		}
	}
}
