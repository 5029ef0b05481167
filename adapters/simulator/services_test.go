package simulator_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/adapters/simulator"
)

const (
	notFound = `{"error":"not_found"}`
	fieldID  = `{"error":"invalid","field":"id"}`
	ofUser   = `{"error":"invalid","field":"user"}`
	ofProds  = `{"error":"invalid","field":"products"}`
	ofProd   = `{"error":"invalid","field":"product"}`
	ofLimit  = `{"error":"invalid","field":"limit"}`
	ofWeight = `{"error":"invalid","field":"weight"}`
	ofPost   = `{"error":"invalid","field":"postcode"}`
)

// options and rows are as much of the answers as tests look at.
type options struct {
	Options []struct {
		Cost    struct{ Amount int }
		OrderBy string `json:"order_by"`
		Arrives string
	}
}

type rows struct {
	Rows []struct {
		ID         string
		Title      string
		ProductIDs []string `json:"product_ids"`
	}
}

func TestRules(t *testing.T) {
	s, c := start(t, simulator.Options{})
	batch := func(n int) string { return strings.Repeat("p-9,", n-1) + "p-9" }
	tests := []struct {
		service, path string
		status        int
		body          string // "": any
	}{
		{"catalog", "/products/p-1", 404, notFound},
		{"catalog", "/products/p%201", 400, fieldID},
		{"catalog", "/products/" + strings.Repeat("x", 65), 400, fieldID},
		{"catalog", "/products/" + strings.Repeat("x", 64), 404, notFound},
		{"catalog", "/nowhere", 404, notFound},
		{"catalog", "/products?ids=p-1,p-2", 200, `{"products":[]}`},
		{"catalog", "/products?ids=", 400, `{"error":"invalid","field":"ids"}`},
		{"catalog", "/products?ids=p-1,,p-2", 400, `{"error":"invalid","field":"ids"}`},
		{"catalog", "/products?ids=" + batch(200), 200, ""},
		{"catalog", "/products?ids=" + batch(201), 400, `{"error":"invalid","field":"ids"}`},
		{"reviews", "/summaries?products=" + batch(201), 400, ofProds},
		{"inventory", "/stock?products=" + batch(201), 400, ofProds},
		{"inventory", "/stock?products=p-1%2Cp-9", 200, `{"stock":[{"product_id":"p-9","available":41,"low":false}]}`},
		{"inventory", "/stock/p-1", 404, notFound},
		{"inventory", "/stock/p-1042", 200, `{"product_id":"p-1042","available":3,"low":true,"restock_at":"2026-12-01T00:00:00Z"}`},
		{"cart", "/carts/u-7", 200,
			`{"user":"u-7","items":[{"product_id":"p-9","quantity":2}],"item_count":2,"subtotal":{"amount":5980,"currency":"EUR"}}`},
		{"cart", "/carts/u-99", 404, notFound},
		{"cart", "/carts/u%2F7", 400, ofUser},
		{"orders", "/orders?user=u-99", 200, `{"orders":[]}`},
		{"orders", "/orders?user=u-7&product=p-1001", 200, `{"orders":[]}`},
		{"orders", "/orders", 400, ofUser},
		{"orders", "/orders?user=u-7&product=a.b", 400, ofProd},
		{"orders", "/orders?user=u-7&limit=0", 400, ofLimit},
		{"reviews", "/reviews?product=p-1", 404, notFound},
		{"reviews", "/reviews?product=p-9&limit=51", 400, ofLimit},
		{"reviews", "/reviews?product=p-9&limit=ten", 400, ofLimit},
		{"shipping", "/options?product=p-1&weight=5", 404, notFound},
		{"shipping", "/options?product=p-9", 400, ofWeight},
		{"shipping", "/options?product=p-9&weight=0", 400, ofWeight},
		{"shipping", "/options?product=p-9&weight=1000001", 400, ofWeight},
		{"shipping", "/options?product=p-9&weight=5&postcode=%3Cscript", 400, ofPost},
		{"shipping", "/options?product=p-9&weight=5&postcode=1234567890123", 400, ofPost},
		{"recommendations", "/recommendations?product=p-1", 404, notFound},
		{"recommendations", "/recommendations?product=p-9&user=!", 400, ofUser},
		{"recommendations", "/rows?user=!", 400, ofUser},
		{"profiles", "/profiles/u-0", 404, notFound},
		{"profiles", "/profiles/u-7", 200, ""},
	}
	for _, tt := range tests {
		t.Run(tt.service+" "+tt.path[:min(50, len(tt.path))], func(t *testing.T) {
			r := get(t, c, s.URL(tt.service)+tt.path)
			if r.status != tt.status || tt.body != "" && string(r.body) != tt.body {
				t.Errorf("got %d %.300s\nwant %d %s", r.status, r.body, tt.status, tt.body)
			}
		})
	}
}

func TestWrongMethodIsToldTheRightOne(t *testing.T) {
	s, c := start(t, simulator.Options{})
	for _, name := range s.Services() {
		method, allowed := http.MethodPost, http.MethodGet
		if name == "auth" {
			method, allowed = allowed, method
		}
		r, err := send(t.Context(), c, method, s.URL(name)+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.status != http.StatusMethodNotAllowed || r.header.Get("Allow") != allowed {
			t.Errorf("%s: got %d, Allow %q, want 405, %q", name, r.status, r.header.Get("Allow"), allowed)
		}
	}
}

func TestIntrospection(t *testing.T) {
	s, c := start(t, simulator.Options{})
	tests := []struct {
		form   string
		status int
		body   string
	}{
		{"token=token-u-7", 200, `{"active":true,"sub":"u-7","scope":"shop","exp":1795352400}`},
		{"token=token-u-99", 200, `{"active":false}`},
		{"token=u-7", 200, `{"active":false}`},
		{"", 400, `{"error":"invalid","field":"token"}`},
		{"token=" + strings.Repeat("x", 20<<10), 400, `{"error":"invalid","field":"body"}`},
	}
	for _, tt := range tests {
		r, err := send(t.Context(), c, http.MethodPost, s.URL("auth")+"/introspect", strings.NewReader(tt.form),
			"Content-Type", "application/x-www-form-urlencoded")
		if err != nil {
			t.Fatal(err)
		}
		if r.status != tt.status || string(r.body) != tt.body {
			t.Errorf("%.30s: got %d %s, want %d %s", tt.form, r.status, r.body, tt.status, tt.body)
		}
	}
}

func TestWhatMayBeKept(t *testing.T) {
	s, c := start(t, simulator.Options{})
	tests := []struct{ service, path, want string }{
		{"catalog", "/products/p-1042", "max-age=300"},
		{"catalog", "/products?ids=p-1042", "max-age=300"},
		{"catalog", "/products?ids=", ""},
		{"catalog", "/products/p-1", ""},
		{"reviews", "/reviews?product=p-1042", "max-age=600"},
		{"reviews", "/summaries?products=p-1042", "max-age=600"},
		{"cart", "/carts/u-7", ""},
	}
	for _, tt := range tests {
		if got := get(t, c, s.URL(tt.service)+tt.path).header.Get("Cache-Control"); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.path, got, tt.want)
		}
	}
}

func TestShippingDependsOnWeightPostcodeAndClock(t *testing.T) {
	var hour atomic.Int64
	clock := func() time.Time { return time.Date(2026, 11, 22, int(hour.Load()), 0, 0, 0, time.UTC) }
	s, c := start(t, simulator.Options{Now: clock})
	first := func(query string) string {
		one := decode[options](t, get(t, c, s.URL("shipping")+"/options?product=p-1042&"+query).body).Options[0]
		return fmt.Sprintf("%s %s %d", strings.TrimSuffix(one.OrderBy, "T17:00:00Z"), one.Arrives, one.Cost.Amount)
	}
	tests := []struct {
		hour  int64
		query string
		want  string
	}{
		{12, "weight=1900&postcode=1011AB", "2026-11-22 2026-11-25 495"},
		{12, "weight=1900", "2026-11-22 2026-11-25 495"},
		{12, "weight=1900&postcode=9711CD", "2026-11-22 2026-11-25 595"},
		{12, "weight=1900&postcode=10115", "2026-11-22 2026-11-28 1295"},
		{12, "weight=2001&postcode=1011AB", "2026-11-22 2026-11-25 795"},
		{12, "weight=30001", "2026-11-22 2026-11-25 4995"},
		{18, "weight=1900&postcode=1011AB", "2026-11-23 2026-11-26 495"},
	}
	for _, tt := range tests {
		hour.Store(tt.hour)
		if got := first(tt.query); got != tt.want {
			t.Errorf("%d h %s: got %s, want %s", tt.hour, tt.query, got, tt.want)
		}
	}
}

func TestEachProductHasAllAnswers(t *testing.T) {
	s, c := start(t, simulator.Options{})
	rows := decode[rows](t, get(t, c, s.URL("recommendations")+"/rows?limit=50").body).Rows
	if len(rows) != 18 {
		t.Fatalf("got %d rows, want one for each range", len(rows))
	}
	for _, row := range rows {
		if len(row.ProductIDs) < 19 || len(row.ProductIDs) > 20 { // 20, or all of a smaller range
			t.Errorf("got %d products in a row, want 20", len(row.ProductIDs))
		}
		for _, id := range row.ProductIDs {
			for service, path := range map[string]string{"catalog": "/products/", "inventory": "/stock/",
				"reviews": "/reviews?product=", "recommendations": "/recommendations?product="} {
				if r := get(t, c, s.URL(service)+path+id); r.status != http.StatusOK {
					t.Errorf("%s of %s: got %d", service, id, r.status)
				}
			}
		}
	}
}

func TestFirstRowOfAdaIsTents(t *testing.T) {
	s, c := start(t, simulator.Options{})
	rows := decode[rows](t, get(t, c, s.URL("recommendations")+"/rows?user=u-7&limit=8").body).Rows
	if first := rows[0]; len(rows) != 8 || first.ID != "because-tents" || first.Title != "Because you looked at tents" {
		t.Errorf("got %d rows, the first %+v", len(rows), first)
	}
}
