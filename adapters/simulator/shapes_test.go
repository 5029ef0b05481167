package simulator_test

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/adapters/simulator"
)

var update = flag.Bool("update", false, "write the golden files anew")

const cardShape = `{"product_id":"","name":"","price":{"amount":1,"currency":""},"image":""}`

// The examples of the contract: each answer has exactly these fields, with values of these kinds.
var shapes = []struct{ service, path, example string }{
	{"catalog", "/products/p-1042", `{"id":"","name":"","brand":"","description":"","price":{"amount":1,"currency":""},"weight_grams":1,
		"categories":[""],"attributes":{"colour":"","season":""},"offers":[{"seller":"","condition":"","price":{"amount":1,"currency":""}}],
		"images":[{"url":"","alt":""}]}`},
	{"catalog", "/products?ids=p-1042", `{"products":[{"id":"","name":"","brand":"","description":"","price":{"amount":1,"currency":""},
		"weight_grams":1,"categories":[""],"attributes":{"colour":"","season":""},
		"offers":[{"seller":"","condition":"","price":{"amount":1,"currency":""}}],"images":[{"url":"","alt":""}]}]}`},
	{"cart", "/carts/u-7", `{"user":"","items":[{"product_id":"","quantity":1}],"item_count":1,"subtotal":{"amount":1,"currency":""}}`},
	{"orders", "/orders?user=u-7&product=p-1042&limit=5", `{"orders":[{"id":"","placed_at":"","status":"",
		"items":[{"product_id":"","quantity":1}],"total":{"amount":1,"currency":""}}]}`},
	{"reviews", "/reviews?product=p-1042&limit=10", `{"summary":{"product_id":"","average":1,"count":1,"histogram":[1]},
		"reviews":[{"id":"","author":"","rating":1,"title":"","body":"","created_at":"","helpful":1}]}`},
	{"reviews", "/summaries?products=p-1042,p-1001", `{"summaries":[{"product_id":"","average":1,"count":1,"histogram":[1]}]}`},
	{"inventory", "/stock/p-1042", `{"product_id":"","available":1,"low":true,"restock_at":""}`},
	{"inventory", "/stock?products=p-1042", `{"stock":[{"product_id":"","available":1,"low":true,"restock_at":""}]}`},
	{"shipping", "/options?product=p-1042&weight=1900&postcode=1011AB", `{"options":[{"id":"","carrier":"","name":"",
		"cost":{"amount":1,"currency":""},"order_by":"","arrives":""}]}`},
	{"recommendations", "/recommendations?product=p-1042&user=u-7&limit=10",
		`{"bought_together":[` + cardShape + `],"also_bought":[` + cardShape + `],"also_viewed":[` + cardShape + `]}`},
	{"recommendations", "/rows?user=u-7&limit=8", `{"rows":[{"id":"","title":"","product_ids":[""]}]}`},
	{"profiles", "/profiles/u-7", `{"user":"","name":"","locale":"","postcode":"","wishlist":[""]}`},
}

func TestShapes(t *testing.T) {
	s, c := start(t, simulator.Options{})
	for _, tt := range shapes {
		t.Run(tt.service+tt.path, func(t *testing.T) {
			r := get(t, c, s.URL(tt.service)+tt.path)
			if r.status != http.StatusOK || r.header.Get("Content-Type") != "application/json" {
				t.Fatalf("got %d %s", r.status, r.header.Get("Content-Type"))
			}
			if got, want := shape(decode[any](t, r.body)), shape(decode[any](t, []byte(tt.example))); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// shape writes the fields and kinds of a value; all elements of a list must agree.
func shape(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var parts []string
		for name, value := range v {
			parts = append(parts, name+":"+shape(value))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, " ") + "}"
	case []any:
		var kinds []string
		for _, element := range v {
			kinds = append(kinds, shape(element))
		}
		return "[" + strings.Join(slices.Compact(kinds), "|") + "]"
	}
	return fmt.Sprintf("%T", v)
}

// pageAnswers are the seven answers that the page of one product is made of.
var pageAnswers = []struct{ service, path string }{
	{"catalog", "/products/p-1042"},
	{"cart", "/carts/u-7"},
	{"orders", "/orders?user=u-7&product=p-1042&limit=5"},
	{"reviews", "/reviews?product=p-1042&limit=10"},
	{"inventory", "/stock/p-1042"},
	{"shipping", "/options?product=p-1042&weight=1900&postcode=1011AB"},
	{"recommendations", "/recommendations?product=p-1042&user=u-7&limit=10"},
}

func TestPageAnswersAreGolden(t *testing.T) {
	s, c := start(t, simulator.Options{Seed: 1})
	total := 0
	for _, tt := range pageAnswers {
		body := get(t, c, s.URL(tt.service)+tt.path).body
		total += len(body)
		t.Logf("%-16s %5d bytes", tt.service, len(body))
		file := filepath.Join("testdata", "p-1042", tt.service+".json")
		if *update {
			if err := os.WriteFile(file, append(body, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(bytes.TrimSpace(want), body) {
			t.Errorf("%s: got\n%s\nwant (go test -update writes it anew)\n%s", tt.service, body, want)
		}
	}
	t.Logf("%-16s %5d bytes", "together", total)
	if total < 5300 || total > 6200 {
		t.Errorf("the seven answers weigh %d bytes, want about 5.5 to 6 kB", total)
	}
}

func TestSameSeedSameAnswers(t *testing.T) {
	const path = "/reviews?product=p-1100&limit=20"
	one, c := start(t, simulator.Options{Seed: 5})
	same, _ := start(t, simulator.Options{Seed: 5})
	other, _ := start(t, simulator.Options{Seed: 6})
	first := get(t, c, one.URL("reviews")+path).body
	if again := get(t, c, one.URL("reviews")+path).body; !bytes.Equal(first, again) {
		t.Error("a remembered answer differs from the first")
	}
	if twin := get(t, c, same.URL("reviews")+path).body; !bytes.Equal(first, twin) {
		t.Error("two simulators of one seed differ")
	}
	if foreign := get(t, c, other.URL("reviews")+path).body; bytes.Equal(first, foreign) {
		t.Error("two seeds give the same reviews")
	}
}
