package adapters_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/devices"
)

// TestPagesFitTheScreen gives each adapter a screen that is not the standard one.
func TestPagesFitTheScreen(t *testing.T) {
	tiny := devices.Profile{
		HeroWidth: 64, ThumbWidth: 16, ImageFormat: "avif", Reviews: 0, Recommendations: 0, Offers: 0, Images: 1, Columns: 1,
	}
	wall := devices.Profile{
		HeroWidth: 7680, ThumbWidth: 960, ImageFormat: "avif", Reviews: 50, Recommendations: 50, Offers: 20, Images: 20, Columns: 3,
	}
	cases := []struct {
		class  devices.Class
		screen devices.Profile
		want   map[string]int // how many there are at a path of the page
		at     string         // an image's address holds it
	}{
		{devices.TV, tiny, map[string]int{"gallery": 0, "offers": 0, "quotes": 0, "shelf": 0}, "?w=64&fmt=avif"},
		{devices.TV, wall, map[string]int{"gallery": 1, "offers": 1, "quotes": 50, "shelf": 19}, "?w=7680&fmt=avif"},
		{devices.Phone, tiny, map[string]int{"images": 1, "offers": 0, "reviews": 0, "similar": 0}, "?w=64&fmt=avif"},
		{devices.Phone, wall, map[string]int{"images": 2, "offers": 1, "reviews": 50, "similar": 19}, "?w=960&fmt=avif"},
		{devices.Tablet, tiny, map[string]int{"left.images": 1, "right.offers": 0, "left.reviews": 0, "also_viewed": 0}, "?w=64&fmt=avif"},
		{devices.Tablet, wall, map[string]int{"left.images": 2, "right.offers": 1, "left.reviews": 50, "also_viewed": 7}, "?w=960&fmt=avif"},
	}
	s := open(t)
	for _, c := range cases {
		body, r, err := s.pageOn(t, c.class, &c.screen, ada, tent)
		must(t, err)
		if r.PartsHeader() != "" {
			t.Errorf("%s: %s", c.class, r.PartsHeader())
		}
		var page map[string]any
		must(t, json.Unmarshal([]byte(body), &page))
		for path, want := range c.want {
			if got := length(page, path); got != want {
				t.Errorf("%s, %d wide: there are %d %s, want %d", c.class, c.screen.HeroWidth, got, path, want)
			}
		}
		if !strings.Contains(body, c.at) {
			t.Errorf("%s: no image is at %s: %s", c.class, c.at, body)
		}
	}
}

// length returns how long the list at a path is; 0 where there is none.
func length(page map[string]any, path string) int {
	first, rest, more := strings.Cut(path, ".")
	if more {
		inner, ok := page[first].(map[string]any)
		if !ok {
			return 0
		}
		return length(inner, rest)
	}
	list, _ := page[first].([]any)
	return len(list)
}

// TestDependentCall: without a product, nobody is asked how to ship it.
func TestDependentCall(t *testing.T) {
	s := open(t)
	for _, class := range classes {
		_, r, err := s.page(t, class, ada, "productid=p-0")
		if err == nil || len(r.Parts) == 0 || r.Parts[0].Name != "catalog" || r.Parts[0].Mark.Rung != report.Missing {
			t.Errorf("%s: there is no such product: %v, %+v", class, err, r.Parts)
		}
	}
	if asked := s.Stats("shipping").Requests; asked != 0 {
		t.Errorf("shipping was asked %d times", asked)
	}
}

// BenchmarkProductPages is a page without a server before it, over loopback.
func BenchmarkProductPages(b *testing.B) {
	s := open(b)
	for _, class := range classes {
		b.Run(string(class), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := s.page(b, class, ada, tent); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
