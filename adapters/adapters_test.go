package adapters_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/adapters/simulator"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/devices"
)

const (
	ada      = "u-7"
	tent     = "productid=p-1042&postcode=1011AB"
	refusing = 503
)

// classes are the device classes that the shop has adapters for. A build may have
// more, and more pages: nothing here breaks when a team adds some.
var classes = []devices.Class{devices.TV, devices.Phone, devices.Tablet}

var shopPages = []string{"/productdetails", "/wishlist", "/home"}

func TestEveryClassHasTheShopsPages(t *testing.T) {
	s := open(t)
	for _, class := range classes {
		v := s.versions[class]
		if v == nil || v.String() != string(class)+"/v1" {
			t.Errorf("the version of %s is %v", class, v)
			continue
		}
		for _, path := range shopPages {
			if _, ok := v.Endpoint(path); !ok {
				t.Errorf("%s has no %s", v, path)
			}
		}
	}
}

// TestPhonesGetTheSmallestPage: all else about the pages is proven beside them.
func TestPhonesGetTheSmallestPage(t *testing.T) {
	s := open(t)
	sizes := map[devices.Class]int{}
	for _, class := range classes {
		body, _, err := s.page(t, class, ada, tent)
		must(t, err)
		sizes[class] = len(body)
	}
	if sizes[devices.Phone] >= sizes[devices.Tablet] || sizes[devices.Phone] >= sizes[devices.TV] {
		t.Errorf("sizes are %v", sizes)
	}
}

func TestStaleProductPages(t *testing.T) {
	s := open(t)
	for _, class := range classes {
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
		for _, class := range classes {
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
