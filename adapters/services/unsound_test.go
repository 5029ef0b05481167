package services_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// TestAnswersThatAreWorseThanNone are all sound JSON.
func TestAnswersThatAreWorseThanNone(t *testing.T) { eachBinding(t, refuseAnswersWorseThanNone) }

func refuseAnswersWorseThanNone(t *testing.T, b *backend, s *services.Services) {
	const negative, lower = `{"amount":-1,"currency":"EUR"}`, `{"amount":1,"currency":"eur"}`
	cases := []struct {
		name, answer string
		ask          func() (any, *report.Report, error)
	}{
		{"a product without an id", `{"name":"Tent","price":{"amount":1,"currency":"EUR"}}`, asking(s.Catalog.Product("p-1"))},
		{"another product", tentJSON, asking(s.Catalog.Product("p-1"))},
		{"a product without a name", `{"id":"p-1","price":{"amount":1,"currency":"EUR"}}`, asking(s.Catalog.Product("p-1"))},
		{"a product without a price", `{"id":"p-1","name":"Tent"}`, asking(s.Catalog.Product("p-1"))},
		{"a price of another type", `{"id":"p-1","name":"Tent","price":"24.90"}`, asking(s.Catalog.Product("p-1"))},
		{"a list of products without a price", `{"products":[{"id":"p-1","name":"Tent"}]}`, asking(together(s.Catalog.Product, "p-1", "p-2"))},
		{
			"a list of products without an id", `{"products":[{"name":"Tent","price":{"amount":1,"currency":"EUR"}}]}`,
			asking(together(s.Catalog.Product, "p-1", "p-2")),
		},
		{"another user's cart", `{"user":"u-8","item_count":1}`, asking(s.Cart.Of("u-7"))},
		{"nobody's cart", `{}`, asking(s.Cart.Of("u-7"))},
		{"an order of no date", `{"orders":[{"id":"o-1","placed_at":"soon"}]}`, asking(s.Orders.ForProduct("u-7", "p-1", 1))},
		{"reviews of another product", `{"summary":{"product_id":"p-2"}}`, asking(s.Reviews.Top("p-1", 1))},
		{"a summary of nothing", `{"summaries":[{"average":1}]}`, asking(s.Reviews.Summary("p-1"))},
		{"the stock of another product", `{"product_id":"p-2"}`, asking(s.Inventory.Stock("p-1"))},
		{"the stock of nothing", `{"stock":[{"available":1}]}`, asking(together(s.Inventory.Stock, "p-1", "p-2"))},
		{"another user's profile", `{"user":"u-8"}`, asking(s.Profiles.Profile("u-7"))},
		{"a negative price", `{"id":"p-1","name":"Tent","price":` + negative + `}`, asking(s.Catalog.Product("p-1"))},
		{"a price in no currency", `{"id":"p-1","name":"Tent","price":` + lower + `}`, asking(s.Catalog.Product("p-1"))},
		{"a price in four letters", `{"id":"p-1","name":"Tent","price":{"amount":1,"currency":"EURO"}}`, asking(s.Catalog.Product("p-1"))},
		{"a negative offer", strings.Replace(tentJSON, `{"amount":17900,"currency":"EUR"}`, negative, 1), asking(s.Catalog.Product("p-1042"))},
		{
			"a negative price in a list", `{"products":[{"id":"p-1","name":"Tent","price":` + negative + `}]}`,
			asking(together(s.Catalog.Product, "p-1", "p-2")),
		},
		{"a negative subtotal", `{"user":"u-7","subtotal":` + negative + `}`, asking(s.Cart.Of("u-7"))},
		{"a cart without a subtotal", `{"user":"u-7","item_count":1}`, asking(s.Cart.Of("u-7"))},
		{
			"a total in no currency", `{"orders":[{"id":"o-1","placed_at":"2026-03-02T10:11:12Z","total":` + lower + `}]}`,
			asking(s.Orders.ForProduct("u-7", "p-1", 1)),
		},
		{"a negative cost", `{"options":[{"id":"std","cost":` + negative + `}]}`, asking(s.Shipping.Options("p-1", 1, ""))},
		{"an active token of nobody", `{"active":true}`, asking(s.Auth.Introspect("token"))},
	}
	for _, c := range cases {
		b.say(200, c.answer)
		got, _, err := c.ask()
		if fault.CodeOf(err) != fault.BadAnswer || fault.ReasonOf(err) != fault.ReasonInvalid {
			t.Errorf("%s gives %v and the error %v, want invalid", c.name, got, err)
		}
	}
}

// TestUnsoundCards: what cannot be sold is not recommended; what stands in is.
func TestUnsoundCards(t *testing.T) {
	b, s := play(t)
	for _, list := range []string{"bought_together", "also_bought", "also_viewed"} {
		b.say(200, `{"`+list+`":[`+cardJSON+`,{"product_id":"p-1","name":"Mug","price":{"amount":-1,"currency":"EUR"}}]}`)
		_, r, err := observe(s.Recommendations.For("p-1", "", 4))
		if err != nil || rung(r) != report.Default || r.Parts[0].Mark.Reason != fault.ReasonInvalid {
			t.Errorf("%s: %+v, %v; want the default, as invalid", list, r.Parts[0].Mark, err)
		}
	}
}

// TestUnusableImages are left out; the product is sound without them.
func TestUnusableImages(t *testing.T) {
	b, s := play(t)
	unusable := strings.Replace(tentJSON, `"images":[`,
		`"images":[null,{},{"url":"javascript:alert(1)"},{"url":"/img/1?x=y"},{"url":"/img/1#x"},`, 1)
	b.say(200, unusable)
	one, _, err := observe(s.Catalog.Product("p-1042"))
	if diff := cmp.Diff(tent(), one); err != nil || diff != "" {
		t.Errorf("%v; the product (-want +got):\n%s", err, diff)
	}
	b.say(200, `{"products":[`+unusable+`,{"id":"p-2"}]}`)
	all, _, err := observe(together(s.Catalog.Product, "p-1042", "p-2"))
	if diff := cmp.Diff([]services.Product{tent()}, all); err != nil || diff != "" {
		t.Errorf("%v; the products (-want +got):\n%s", err, diff)
	}
}
