package adapters_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/adapters/simulator"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

var update = flag.Bool("update", false, "write the golden pages anew")

const (
	ada      = "u-7"
	tent     = "productid=p-1042&postcode=1011AB"
	refusing = 503
)

// classes are the device classes of this build, with the parts of their product
// page beside the catalog.
var classes = map[devices.Class][]string{
	devices.TV:     {"cart", "reviews", "inventory", "shipping", "recommendations"},
	devices.Phone:  {"cart", "orders", "reviews", "inventory", "shipping", "recommendations"},
	devices.Tablet: {"cart", "orders", "reviews", "inventory", "shipping", "recommendations"},
}

func TestEveryClassHasAVersion(t *testing.T) {
	s := open(t)
	for class := range classes {
		v := s.versions[class]
		if v == nil || v.String() != string(class)+"/v1" {
			t.Errorf("the version of %s is %v", class, v)
			continue
		}
		if paths := v.Paths(); !slices.Equal(paths, []string{"/productdetails", "/wishlist", "/home"}) {
			t.Errorf("%s has the pages %v", v, paths)
		}
	}
	if len(s.versions) != len(classes) {
		t.Errorf("there are %d versions, want %d", len(s.versions), len(classes))
	}
}

func TestProductPages(t *testing.T) {
	s := open(t)
	sizes := map[devices.Class]int{}
	for class, parts := range classes {
		s.ResetStats()
		body, r, err := s.page(t, class, ada, tent)
		if err != nil {
			t.Errorf("%s: %v", class, err)
			continue
		}
		compare(t, string(class), body)
		sizes[class] = len(body)
		t.Logf("%s: %d bytes", class, len(body))
		if len(r.Parts) != len(parts)+1 || r.PartsHeader() != "" {
			t.Errorf("%s: %d parts, of which not live: %q", class, len(r.Parts), r.PartsHeader())
		}
		for _, name := range append([]string{"catalog"}, parts...) {
			if got := s.Stats(name).Requests; got != 1 {
				t.Errorf("%s: %s was asked %d times, want once", class, name, got)
			}
		}
		if got := len(r.Calls()); got != len(parts)+1 {
			t.Errorf("%s: %d calls, want %d", class, got, len(parts)+1)
		}
	}
	if sizes[devices.Phone] >= sizes[devices.Tablet] || sizes[devices.Phone] >= sizes[devices.TV] {
		t.Errorf("a phone's page is to be the smallest; sizes are %v", sizes)
	}
}

// TestProductPagesWithout takes each optional service away once.
func TestProductPagesWithout(t *testing.T) {
	s := open(t)
	s.configure(t, func(p *command.Policy) { p.Cache = command.Cache{} }) // or copies of earlier pages stand in
	for class, parts := range classes {
		for _, name := range parts {
			s.ClearFaults()
			must(t, s.SetFault(name, simulator.Fault{Status: refusing}))
			body, r, err := s.page(t, class, ada, tent)
			if err != nil {
				t.Errorf("%s without %s: %v", class, name, err)
				continue
			}
			compare(t, string(class)+"-without-"+name, body)
			want := name + "=missing;reason=error"
			if name == "recommendations" {
				want = name + "=default;reason=error"
			}
			if got := r.PartsHeader(); got != want {
				t.Errorf("%s without %s: the parts are %q, want %q", class, name, got, want)
			}
		}
	}
}

func TestAnonymousProductPages(t *testing.T) {
	s := open(t)
	for class, parts := range classes {
		s.ResetStats()
		body, r, err := s.page(t, class, "", "productid=p-1042")
		must(t, err)
		compare(t, string(class)+"-anonymous", body)
		want := "cart=missing;reason=anonymous"
		if class != devices.TV {
			want += ", orders=missing;reason=anonymous"
		}
		if got := r.PartsHeader(); got != want {
			t.Errorf("%s: the parts are %q, want %q", class, got, want)
		}
		for _, name := range parts {
			personal := name == "cart" || name == "orders"
			if asked := s.Stats(name).Requests > 0; asked == personal {
				t.Errorf("%s: %s was asked: %v", class, name, asked)
			}
		}
	}
}

func TestStaleProductPages(t *testing.T) {
	s := open(t)
	for class := range classes {
		s.ClearFaults()
		before, _, err := s.page(t, class, ada, tent)
		must(t, err)
		must(t, s.SetFault("catalog", simulator.Fault{Status: refusing}))
		must(t, s.SetFault("reviews", simulator.Fault{Status: refusing}))
		after, r, err := s.page(t, class, ada, tent)
		must(t, err)
		if after != before {
			t.Errorf("%s: the stale page differs: %s", class, cmp.Diff(before, after))
		}
		for _, want := range []string{"catalog=stale;age=0;reason=error", "reviews=stale;age=0;reason=error", "shipping=stale"} {
			if got := r.PartsHeader(); !strings.Contains(got, want) {
				t.Errorf("%s: the parts are %q, want %q in them", class, got, want)
			}
		}
	}
}

func TestProductPagesThatFail(t *testing.T) {
	cases := []struct {
		name, query string
		fault       simulator.Fault // of the catalog
		code        fault.Code
		field       string
		asks        bool
	}{
		{name: "unknown product", query: "productid=p-0", code: fault.NotFound, asks: true},
		{name: "no product", query: "", code: fault.Invalid, field: "productid"},
		{name: "malformed product", query: "productid=a/b", code: fault.Invalid, field: "productid"},
		{name: "long product", query: "productid=" + strings.Repeat("p", 65), code: fault.Invalid, field: "productid"},
		{name: "malformed postcode", query: "productid=p-1042&postcode=..", code: fault.Invalid, field: "postcode"},
		{name: "catalog gone", query: tent, fault: simulator.Fault{Down: true}, code: fault.Unavailable},
		{name: "catalog refusing", query: tent, fault: simulator.Fault{Status: refusing}, code: fault.Unavailable, asks: true},
		{name: "catalog broken", query: tent, fault: simulator.Fault{Garbage: true}, code: fault.BadAnswer, asks: true},
	}
	s := open(t)
	for _, c := range cases {
		for class := range classes {
			must(t, s.SetFault("catalog", c.fault))
			s.ResetStats()
			body, _, err := s.page(t, class, ada, c.query)
			if fault.CodeOf(err) != c.code || body != "" {
				t.Errorf("%s, %s: the error is %v, want %v; the body has %d bytes", c.name, class, err, c.code, len(body))
			}
			if asked := s.Stats("catalog").Requests > 0; asked != c.asks {
				t.Errorf("%s, %s: the catalog was asked: %v", c.name, class, asked)
			}
			var f *fault.Error
			if c.field != "" && (!errors.As(err, &f) || f.Field != c.field) {
				t.Errorf("%s, %s: the field at fault is not %s: %v", c.name, class, c.field, err)
			}
		}
	}
}

// TestPagesLeaveAnswersAlone runs every page on remembered answers, which are
// the very ones that the next request gets.
func TestPagesLeaveAnswersAlone(t *testing.T) {
	s := open(t)
	s.configure(t, func(p *command.Policy) { p.Cache.Fresh = command.DefaultPolicy().Circuit.Sleep * 100 })
	for class := range classes {
		first, _, err := s.page(t, class, ada, tent)
		must(t, err)
		before := s.answers(t, profile(t, class))
		for range 3 {
			again, r, err := s.page(t, class, ada, tent)
			must(t, err)
			if again != first || !strings.Contains(r.PartsHeader(), "catalog=cached") {
				t.Errorf("%s: the second page differs, or is not of remembered answers: %q", class, r.PartsHeader())
			}
		}
		if diff := cmp.Diff(before, s.answers(t, profile(t, class))); diff != "" {
			t.Errorf("%s changes the answers it is given: %s", class, diff)
		}
	}
}

// answers returns copies of what the pages of the tent are made from.
func (s *shop) answers(t *testing.T, p *devices.Profile) map[string]string {
	t.Helper()
	const grams, ordersOfAPhone, ordersOfATablet = 1900, 2, 5
	return map[string]string{
		"catalog":         observe(t, s.services.Catalog.Product("p-1042")),
		"cart":            observe(t, s.services.Cart.Of(ada)),
		"orders":          observe(t, s.services.Orders.ForProduct(ada, "p-1042", ordersOfAPhone)),
		"more orders":     observe(t, s.services.Orders.ForProduct(ada, "p-1042", ordersOfATablet)),
		"reviews":         observe(t, s.services.Reviews.Top("p-1042", p.Reviews)),
		"inventory":       observe(t, s.services.Inventory.Stock("p-1042")),
		"shipping":        observe(t, s.services.Shipping.Options("p-1042", grams, "1011AB")),
		"recommendations": observe(t, s.services.Recommendations.For("p-1042", ada, p.Recommendations)),
	}
}

// observe runs a stream and returns its value as JSON, which is a deep copy.
func observe[T any](t *testing.T, s stream.Stream[T]) string {
	t.Helper()
	ctx, scope := stream.Open(t.Context(), report.New("test", report.NewTrace()))
	defer scope.Close()
	value, err := stream.Assemble(stream.Required("value", s, func(v *T, got T) { *v = got })).Run(ctx)
	must(t, err)
	text, err := json.Marshal(value)
	must(t, err)
	return string(text)
}

// compare holds a page to its golden file, or writes that with -update.
func compare(t *testing.T, name, body string) {
	t.Helper()
	var page bytes.Buffer
	must(t, json.Indent(&page, []byte(body), "", "\t"))
	page.WriteByte('\n')
	file := filepath.Join("..", "testdata", "golden", "productdetails", name+".json")
	if *update {
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.WriteFile(file, page.Bytes(), 0o644))
		return
	}
	golden, err := os.ReadFile(file)
	must(t, err)
	if diff := cmp.Diff(string(golden), page.String()); diff != "" {
		t.Errorf("%s is not as %s has it (-want +got; -update writes it anew):\n%s", name, file, diff)
	}
}
