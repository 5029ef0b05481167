package shadow_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"testing"

	"github.com/facet-gateway/facet/core/shadow"
)

// golden returns the product page of the shop, as a client gets it.
func golden(b *testing.B) []byte {
	b.Helper()
	file, err := os.ReadFile("../../adapters/phone/testdata/productdetails.json")
	if err != nil {
		b.Fatal(err)
	}
	var all struct{ Page json.RawMessage }
	var page bytes.Buffer
	if err := json.Unmarshal(file, &all); err != nil || json.Compact(&page, all.Page) != nil || page.Len() < 1000 {
		b.Fatal(err, page.Len())
	}
	return page.Bytes()
}

// BenchmarkCompare is the product page of a phone: beside itself, beside one of the
// same meaning, with rules and without, and beside one that is another.
func BenchmarkCompare(b *testing.B) {
	control := golden(b)
	spaced := append([]byte(" "), control...)
	changed := bytes.Replace(control, []byte(`"title"`), []byte(`"titel"`), 1)
	rules := shadow.Rules{Ignore: []string{"/reviews/*/helpful", "/shipping"}, Unordered: []string{"/reviews", "/images"}}
	for _, bc := range []struct {
		name      string
		candidate []byte
		rules     shadow.Rules
		equal     bool
	}{
		{"same bytes", bytes.Clone(control), rules, true},
		{"same meaning", spaced, shadow.Rules{}, true},
		{"same meaning with rules", spaced, rules, true},
		{"another", changed, shadow.Rules{}, false},
	} {
		b.Run(bc.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(control)))
			for b.Loop() {
				if _, n := shadow.Compare(control, bc.candidate, bc.rules); (n == 0) != bc.equal {
					b.Fatal(n)
				}
			}
		})
	}
}

// BenchmarkOffer is what a request pays that is sampled: while there is room, and
// while there is none.
func BenchmarkOffer(b *testing.B) {
	b.Run("room", func(b *testing.B) {
		r := newRunner(b, shadow.Options{Concurrent: 64, Queue: 1 << 20})
		quick := job(answers(page(`{"a":1}`)))
		b.ReportAllocs()
		for b.Loop() {
			if !r.Offer(quick) {
				b.Fatal("dropped")
			}
		}
	})
	b.Run("full", func(b *testing.B) {
		r := newRunner(b, shadow.Options{Concurrent: 1, Queue: 1})
		for range 2 {
			r.Offer(job(func(ctx context.Context) shadow.Answer { <-ctx.Done(); return page(`{}`) }))
		}
		more := job(answers(page(`{"a":1}`)))
		b.ReportAllocs()
		for b.Loop() {
			if r.Offer(more) {
				b.Fatal("taken")
			}
		}
	})
}
