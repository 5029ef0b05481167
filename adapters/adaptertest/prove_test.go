package adaptertest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/adapters/adaptertest"
	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/stream"
)

// TestProveFindsFaults has a bad page in each row, which fails in one sub-test and
// in no other but golden: it has no files here.
func TestProveFindsFaults(t *testing.T) {
	cases := []struct {
		name string
		page adaptertest.Page
		in   string // the sub-test
		want string // in what it says
	}{
		{"nothing", leafOf(none), "", ""},
		{"sorts its input", leafOf(reviewed(func(p *leaf, top services.TopReviews) {
			sortReviews(top.Reviews)
			setTitles(p, top)
		})), "pure", "reviews changes what it is given: .Reviews[0]"},
		{"appends to its input", leafOf(with(func(s *services.Services) stream.Part[leaf] {
			roomy := stream.Map(s.Reviews.Top(tent, 3), func(top services.TopReviews) []string {
				return append(make([]string, 0, 9), top.Reviews[0].Title)
			})
			return stream.Optional("reviews", roomy, func(p *leaf, titles []string) { p.Titles = append(titles, "more") })
		})), "pure", `reviews changes what it is given: [1] (spare capacity) was "" and is "more"`},
		{"changes its own list", leafOf(reviewed(func(p *leaf, _ services.TopReviews) {
			p.Titles = []string{}
			slices.Reverse(p.Words)
		})), "", ""}, // which setProduct has made
		{"hands its input on", leafOf(handsOn), "pure", "catalog lets what it is given be changed later: .Categories[0]"},
		{"maps impurely", leafOf(with(func(s *services.Services) stream.Part[leaf] {
			sorted := stream.Map(s.Reviews.Top(tent, 3), func(top services.TopReviews) services.TopReviews {
				sortReviews(top.Reviews)
				return top
			})
			return stream.Optional("reviews", sorted, setTitles)
		})), "pure", "a function of services.TopReviews changes what it is given"},
		{"writes into a map", leafOf(attributed(func(_ *leaf, of map[string]string) {
			of["colour"] = "none"
		})), "pure", `attributes changes what it is given: [colour] was "moss" and is "none"`},
		{"writes behind a pointer", leafOf(with(func(s *services.Services) stream.Part[leaf] {
			return stream.Optional("reviews", stream.Map(s.Reviews.Top(tent, 3), newBox), func(_ *leaf, b *box) { b.inner.count++ })
		})), "pure", "reviews changes what it is given: .inner.count was 0 and is 1"},
		{"sets an element impurely", leafOf(grid), "pure", "element changes what it is given: .Categories[1] was"},
		{"shows who asked before", leafOf(forgetful()), "pure", "the page of anybody shows what was asked before"},
		{"calls parts wrongly", leafOf(swapped), "lost", "without inventory the part inventory does not tell so"},
		{"tells nothing of a loss", leafOf(secretive), "lost", "without cart Facet-Parts tells nothing of it"},
		{"asks others in need", leafOf(desperate), "lost", "without cart: orders is asked, too"},
		{"lets one part hang on another", leafOf(reviewed(func(p *leaf, top services.TopReviews) {
			if p.Left == nil {
				p.ID = "unknown"
			}
			setTitles(p, top)
		})), "lost", "without inventory, reviews: the member id is neither as it was"},
		{"lets a stand-in hang on another part", leafOf(with(func(s *services.Services) stream.Part[leaf] {
			return stream.Optional("related", s.Recommendations.For(tent, ada, 3), func(p *leaf, related services.Related) {
				if p.Left == nil && len(related.BoughtTogether) == 0 { // which a stand-in never has
					p.ID = "unknown"
				}
			})
		})), "lost", "without inventory, recommendations: the member id is neither as it was"},
		{"is not of its type", adaptertest.Page{
			Version: []adaptertest.Maker{oddVersion}, Path: "/leaf", Required: []string{"catalog"}, Time: time.Minute, Bytes: 1 << 10,
		}, "lost", "unknown field"},
		{"requires too little", requiring(), "lost", "without catalog there is no page: Page.Required lacks it"},
		{"requires too much", requiring("catalog", "cart"), "lost", "without cart there is a page: Page.Required must not have it"},
		{"requires what it does not ask", requiring("catalog", "orders"), "lost", "Page.Required has orders, which the page does not ask"},
		{"cannot be remembered", func() adaptertest.Page {
			p := leafOf(restless())
			p.Required = []string{"catalog", "reviews"}
			return p
		}(), "stale", "seen before, without reviews"},
		{"counts its setters", leafOf(with(func(s *services.Services) stream.Part[leaf] {
			times := 0 // in one page
			return stream.Optional("reviews", s.Reviews.Top(tent, 3), func(p *leaf, top services.TopReviews) {
				if times++; times > 1 {
					p.ID = "again"
				}
				setTitles(p, top)
			})
		})), "parts", "it becomes another page"},
		{"takes too long", budgeted(1, 1<<10), "budgets", "and Page.Time is 1ns"},
		{"is too large", budgeted(time.Minute, 10), "budgets", "and Page.Bytes is 10"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			found := prove(c.page)
			delete(found, "golden")
			if c.in != "" && !strings.Contains(found[c.in], c.want) {
				t.Errorf("%s found %q, want %q", c.in, found[c.in], c.want)
			}
			delete(found, c.in)
			if len(found) > 0 {
				t.Errorf("faults were found elsewhere, too: %q", found)
			}
		})
	}
}

// TestProveTellsWhatCannotBeProven has a page in each row that has no sub-test.
func TestProveTellsWhatCannotBeProven(t *testing.T) {
	cases := map[string]func(*adaptertest.Page){
		"Page.Version is empty":          func(p *adaptertest.Page) { p.Version = nil },
		"Page.Path is empty":             func(p *adaptertest.Page) { p.Path = "" },
		"Page.Time is not set":           func(p *adaptertest.Page) { p.Time = 0 },
		"Page.Bytes is not set":          func(p *adaptertest.Page) { p.Bytes = 0 },
		"Page.Cases[0].Name is empty":    func(p *adaptertest.Page) { p.Cases = []adaptertest.Case{{}} },
		"phone/v1 has no page /branch":   func(p *adaptertest.Page) { p.Path = "/branch" },
		"two versions have this name":    func(p *adaptertest.Page) { p.Version = append(p.Version, p.Version...) },
		"a path is of the form /name":    func(p *adaptertest.Page) { p.Version = []adaptertest.Maker{unfit} },
		"screen of class watch: set Pag": func(p *adaptertest.Page) { p.Version = []adaptertest.Maker{watch} },
	}
	for want, spoil := range cases {
		p := leafOf(none)
		spoil(&p)
		if found := prove(p); len(found) != 1 || !strings.Contains(found[""], want) {
			t.Errorf("found %q, want %q", found, want)
		}
	}
}

// TestProveTellsOfAPageThatIsNot asks for a product that nobody knows.
func TestProveTellsOfAPageThatIsNot(t *testing.T) {
	p := leafOf(with(func(s *services.Services) stream.Part[leaf] {
		return stream.Required("unknown", s.Catalog.Product("p-0"), setProduct)
	}))
	found := prove(p)
	for _, name := range []string{"golden", "lost", "stale", "pure", "parts", "budgets"} {
		if !strings.Contains(found[name], "while every service answers there is no page") {
			t.Errorf("%s found %q", name, found[name])
		}
	}
}
