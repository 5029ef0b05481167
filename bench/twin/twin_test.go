package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

// stubAnswers are the seven services' answers for one product, by the exact
// request that each must get.
var stubAnswers = map[string]string{
	"/products/p-1042": `{"id":"p-1042","name":"Arden 2-Person Trail Tent","brand":"Arden","description":"Free-standing, 1.9 kg",
		"price":{"amount":24900,"currency":"EUR"},"weight_grams":1900,"categories":["outdoor","tents"],"attributes":{"colour":"moss"},
		"offers":[{"seller":"Arden Outlet","condition":"used","price":{"amount":17900,"currency":"EUR"}}],
		"images":[{"url":"/img/p-1042/1","alt":"Front"},{"url":"/img/p-1042/2","alt":"Packed"}]}`,
	"/carts/u-7": `{"user":"u-7","items":[{"product_id":"p-9","quantity":2}],"item_count":2,"subtotal":{"amount":5980,"currency":"EUR"}}`,
	"/orders": `{"orders":[{"id":"o-1","placed_at":"2026-03-02T10:11:12Z","status":"delivered",
		"items":[{"product_id":"p-1042","quantity":1}],"total":{"amount":24900,"currency":"EUR"}}]}`,
	"/reviews": `{"summary":{"product_id":"p-1042","average":4.3,"count":218,"histogram":[4,7,21,74,112]},
		"reviews":[{"id":"r-1","author":"Mina","rating":5,"title":"Dry in a storm","body":"Held.",
			"created_at":"2026-05-01T08:00:00Z","helpful":12}]}`,
	"/stock/p-1042": `{"product_id":"p-1042","available":3,"low":true,"restock_at":"2026-12-01T00:00:00Z"}`,
	"/options": `{"options":[{"id":"std","carrier":"PostNord","name":"Standard","cost":{"amount":495,"currency":"EUR"},
		"order_by":"2026-11-22T17:00:00Z","arrives":"2026-11-25"}]}`,
	"/recommendations": `{"bought_together":[],"also_viewed":[{"product_id":"p-9","name":"Peg","price":{"amount":495,"currency":"EUR"},
		"image":"/img/p-9/1"}],"also_bought":[]}`,
}

// services starts a stub of all seven services; with is called first and may answer itself.
func services(t *testing.T, with func(w http.ResponseWriter, r *http.Request) bool) (map[string]string, *atomic.Int64) {
	t.Helper()
	var calls atomic.Int64
	stub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		if with != nil && with(w, r) {
			return
		}
		answer, ok := stubAnswers[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(stub.Close)
	urls := make(map[string]string)
	for _, name := range []string{"catalog", "cart", "orders", "reviews", "inventory", "shipping", "recommendations"} {
		urls[name] = stub.URL
	}
	return urls, &calls
}

func ask(t *testing.T, b *backend, target, user string) *httptest.ResponseRecorder {
	t.Helper()
	t.Cleanup(b.client.CloseIdleConnections)
	r := httptest.NewRequest(http.MethodGet, target, http.NoBody)
	r.Header.Set("X-User-Id", user)
	w := httptest.NewRecorder()
	newServer(b).ServeHTTP(w, r)
	return w
}

func TestPageOfSevenCalls(t *testing.T) {
	var weight, postcode atomic.Value
	urls, calls := services(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/options" {
			weight.Store(r.URL.Query().Get("weight"))
			postcode.Store(r.URL.Query().Get("postcode"))
		}
		return false
	})
	w := ask(t, newBackend(urls), "/productdetails?productid=p-1042&postcode=1011%20AB", "u-7")
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	if calls.Load() != 7 || weight.Load() != "1900" || postcode.Load() != "1011 AB" {
		t.Errorf("%d calls, weight %v, postcode %v; want 7, the catalog's 1900, 1011 AB", calls.Load(), weight.Load(), postcode.Load())
	}
	want := `{"id":"p-1042","title":"Arden 2-Person Trail Tent","brand":"Arden","description":"Free-standing, 1.9 kg",` +
		`"price":{"amount":24900,"currency":"EUR"},"availability":"low",` +
		`"images":[{"url":"/img/p-1042/1?w=720\u0026fmt=webp","alt":"Front"},{"url":"/img/p-1042/2?w=720\u0026fmt=webp","alt":"Packed"}],` +
		`"offers":[{"seller":"Arden Outlet","condition":"used","price":{"amount":17900,"currency":"EUR"}}],` +
		`"rating":{"average":4.3,"count":218},"reviews":[{"author":"Mina","rating":5,"title":"Dry in a storm","body":"Held."}],` +
		`"shipping":[{"name":"Standard","cost":{"amount":495,"currency":"EUR"},"arrives":"2026-11-25"}],` +
		`"orders":[{"id":"o-1","placed_at":"2026-03-02T10:11:12Z","status":"delivered"}],"cart_count":2,` +
		`"similar":[{"id":"p-9","name":"Peg","price":{"amount":495,"currency":"EUR"},"image":"/img/p-9/1?w=160\u0026fmt=webp"}]}`
	if got := strings.TrimSpace(w.Body.String()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestFaults(t *testing.T) {
	fail := func(path string, status int) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == path {
				w.WriteHeader(status)
			}
			return r.URL.Path == path
		}
	}
	cases := []struct {
		name, target, user string
		with               func(http.ResponseWriter, *http.Request) bool
		want               int
	}{
		{"bad product", "/productdetails?productid=a%2Fb", "u-7", nil, http.StatusBadRequest},
		{"no product", "/productdetails", "u-7", nil, http.StatusBadRequest},
		{"no user", "/productdetails?productid=p-1042", "", nil, http.StatusBadRequest},
		{"unknown product", "/productdetails?productid=p-0", "u-7", nil, http.StatusNotFound},
		{"broken", "/productdetails?productid=p-1042", "u-7", fail("/reviews", http.StatusInternalServerError), http.StatusBadGateway},
		{"unknown path", "/", "u-7", nil, http.StatusNotFound},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			urls, _ := services(t, c.with)
			if w := ask(t, newBackend(urls), c.target, c.user); w.Code != c.want {
				t.Errorf("status %d, want %d: %s", w.Code, c.want, w.Body)
			}
		})
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	urls, _ := services(t, nil)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, listener, newServer(newBackend(urls))) }()
	response, err := http.Get("http://" + listener.Addr().String() + "/productdetails")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("still serving after its context ended")
	}
}

func TestArgumentsAreChecked(t *testing.T) {
	for _, args := range [][]string{{"-service", "catalog"}, {"-nothing"}, {"-listen", "127.0.0.1:x"}} {
		if err := run(t.Context(), args); err == nil {
			t.Errorf("%s: accepted", strings.Join(args, " "))
		}
	}
}
