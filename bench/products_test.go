package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
)

func TestProductsFollowsRecommendations(t *testing.T) {
	answers := map[string]string{
		"":    `{"rows":[{"product_ids":["p-1","p-2"]},{"product_ids":["p-2","p-3"]}]}`,
		"p-1": `{"bought_together":[{"product_id":"p-4"}],"also_bought":[{"product_id":"p-1"}],"also_viewed":[{"product_id":"p-5"}]}`,
		"p-2": `{}`, "p-3": `{}`, "p-4": `{}`, "p-5": `{}`,
	}
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(answers[r.URL.Query().Get("product")]))
	}))
	defer shop.Close()
	defer http.DefaultClient.CloseIdleConnections()
	for most, want := range map[int][]string{10: {"p-1", "p-2", "p-3", "p-4", "p-5"}, 4: {"p-1", "p-2", "p-3", "p-4"}, 1: {"p-1"}} {
		got, err := products(t.Context(), map[string]string{"recommendations": shop.URL}, "u-7", most)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("at most %d: %v, %v; want %v", most, got, err, want)
		}
	}
	answers[""] = `{"rows":[]}`
	if _, err := products(t.Context(), map[string]string{"recommendations": shop.URL}, "u-7", 3); err == nil {
		t.Error("a shop without products was accepted")
	}
}
