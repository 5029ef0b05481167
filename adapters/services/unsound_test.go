package services_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// but returns a sound answer with one thing in it that is not.
func but(t *testing.T, sound, thing, other string) string {
	t.Helper()
	if !strings.Contains(sound, thing) {
		t.Fatalf("%s has no %s", sound, thing)
	}
	return strings.Replace(sound, thing, other, 1)
}

// said is an answer of a call.
type said struct {
	name, answer string
	ask          func() (any, *report.Report, error)
}

const negative, lower, nothing = `{"amount":-1,"currency":"EUR"}`, `{"amount":1,"currency":"eur"}`, `{"amount":0,"currency":"EUR"}`

// TestAnswersThatAreWorseThanNone are all sound JSON.
func TestAnswersThatAreWorseThanNone(t *testing.T) { eachBinding(t, refuseAnswersWorseThanNone) }

func refuseAnswersWorseThanNone(t *testing.T, b *backend, s *services.Services) {
	patient(t, s, 10*time.Second)
	for _, c := range slices.Concat(unsoundProducts(t, s), unsoundOfUsers(t, s), unsoundOpinions(t, s), unsoundDeliveries(t, s)) {
		b.say(200, c.answer)
		got, _, err := c.ask()
		if fault.CodeOf(err) != fault.BadAnswer || fault.ReasonOf(err) != fault.ReasonInvalid {
			t.Errorf("%s gives %v and the error %v, want invalid", c.name, got, err)
		}
	}
}

func unsoundProducts(t *testing.T, s *services.Services) []said {
	const price, offer = `{"amount":24900,"currency":"EUR"}`, `{"amount":17900,"currency":"EUR"}`
	one := func(name, answer string) said { return said{name, answer, asking(s.Catalog.Product("p-1042"))} }
	of := func(name, products string) said {
		return said{"a list of " + name, `{"products":` + products + `}`, asking(together(s.Catalog.Product, "p-1042", "p-2"))}
	}
	return []said{
		one("a product without an id", but(t, tentJSON, `"id":"p-1042",`, "")),
		{"another product", tentJSON, asking(s.Catalog.Product("p-1"))},
		one("a product without a name", but(t, tentJSON, `"name":"Tent",`, "")),
		one("a product without a price", but(t, tentJSON, `"price":`+price+`,`, "")),
		one("a price of another type", but(t, tentJSON, price, `"24.90"`)),
		one("a negative price", but(t, tentJSON, price, negative)),
		one("a price of nothing", but(t, tentJSON, price, nothing)),
		one("a price in no currency", but(t, tentJSON, price, lower)),
		one("a price in four letters", but(t, tentJSON, price, `{"amount":1,"currency":"EURO"}`)),
		one("a negative offer", but(t, tentJSON, offer, negative)),
		one("an offer of nothing", but(t, tentJSON, offer, nothing)),
		of("products without a price", `[`+but(t, tentJSON, `"price":`+price+`,`, "")+`]`),
		of("products without an id", `[`+but(t, tentJSON, `"id":"p-1042",`, "")+`]`),
		of("products at a negative price", `[`+but(t, tentJSON, price, negative)+`]`),
		of("products for nothing", `[`+but(t, tentJSON, price, nothing)+`]`),
		of("products that is none", `null`),
	}
}

func unsoundOfUsers(t *testing.T, s *services.Services) []said {
	const items, subtotal, placed = `[` + itemJSON + `]`, `{"amount":5980,"currency":"EUR"}`, `"2026-03-02T10:11:12Z"`
	cart := func(name, answer string) said { return said{name, answer, asking(s.Cart.Of("u-7"))} }
	orders := func(name, answer string) said {
		return said{name, answer, asking(s.Orders.ForProduct("u-7", "p-9", 5))}
	}
	return []said{
		cart("another user's cart", but(t, cartJSON, "u-7", "u-8")),
		cart("nobody's cart", `{}`),
		cart("a negative subtotal", but(t, cartJSON, subtotal, negative)),
		cart("a cart without a subtotal", but(t, cartJSON, `,"subtotal":`+subtotal, "")),
		cart("a cart without a count", but(t, cartJSON, `"item_count":2,`, "")),
		cart("an empty cart without a count", `{"user":"u-7","items":[],"subtotal":`+nothing+`}`),
		cart("a cart of less than nothing", `{"user":"u-7","items":[],"item_count":-1,"subtotal":`+nothing+`}`),
		cart("a count of nothing that is there", but(t, cartJSON, `"item_count":2`, `"item_count":0`)),
		cart("a negative count", but(t, cartJSON, `"item_count":2`, `"item_count":-2`)),
		cart("a count of what is not there", but(t, cartJSON, items, `[]`)),
		cart("a cart without a list", but(t, cartJSON, items, `null`)),
		cart("an item of no pieces", but(t, cartJSON, `"quantity":2`, `"quantity":0`)),
		cart("an item of less than no pieces", but(t, cartJSON, `"quantity":2`, `"quantity":-2`)),
		cart("an item of no product", but(t, cartJSON, `"product_id":"p-9"`, `"product_id":""`)),
		orders("no list of orders", `{"orders":null}`),
		orders("an order of no date", but(t, ordersJSON, placed, `"soon"`)),
		orders("an order before all time", but(t, ordersJSON, placed, `"0001-01-01T00:00:00Z"`)),
		orders("an order of no id", but(t, ordersJSON, `"o-1"`, `""`)),
		orders("an order of no status", but(t, ordersJSON, `"delivered"`, `""`)),
		orders("an order of no list", but(t, ordersJSON, items, `null`)),
		orders("an order of no pieces", but(t, ordersJSON, `"quantity":2`, `"quantity":0`)),
		orders("a total in no currency", but(t, ordersJSON, subtotal, lower)),
		orders("a negative total", but(t, ordersJSON, subtotal, negative)),
		{"another user's profile", `{"user":"u-8","wishlist":[]}`, asking(s.Profiles.Profile("u-7"))},
		{"a profile of no list", `{"user":"u-7","wishlist":null}`, asking(s.Profiles.Profile("u-7"))},
		{"an active token of nobody", `{"active":true}`, asking(s.Auth.Introspect("token"))},
	}
}

func unsoundOpinions(t *testing.T, s *services.Services) []said {
	const histogram, none = `[4,7,21,74,112]`, `"average":0,"count":0`
	reviews := func(name, answer string) said { return said{name, answer, asking(s.Reviews.Top("p-1", 10))} }
	summary := func(name, answer string) said {
		return said{name, `{"summaries":[` + answer + `]}`, asking(s.Reviews.Summary("p-1"))}
	}
	all := []said{
		reviews("reviews of another product", but(t, reviewsJSON, `"p-1"`, `"p-2"`)),
		reviews("no list of reviews", `{"summary":`+summaryJSON+`,"reviews":null}`),
		reviews("a review of no stars", but(t, reviewsJSON, `"rating":5`, `"rating":0`)),
		reviews("a review of six stars", but(t, reviewsJSON, `"rating":5`, `"rating":6`)),
		reviews("a review of no date", but(t, reviewsJSON, `"2026-05-01T08:00:00Z"`, `null`)),
		summary("a summary of nothing", but(t, summaryJSON, `"product_id":"p-1",`, "")),
		{"no list of summaries", `{"summaries":null}`, asking(s.Reviews.Summary("p-1"))},
	}
	for name, answer := range map[string]string{
		"an average of less than a star":     but(t, summaryJSON, `4.3`, `0.9`),
		"an average of more than five stars": but(t, summaryJSON, `4.3`, `5.1`),
		"an average of no reviews":           but(t, summaryJSON, `218`, `0`),
		"less than no reviews":               but(t, summaryJSON, `218`, `-1`),
		"less than no reviews of no average": but(t, summaryJSON, `"average":4.3,"count":218`, `"average":0,"count":-1`),
		"no histogram":                       but(t, summaryJSON, histogram, `null`),
		"a histogram of four":                but(t, summaryJSON, histogram, `[4,7,21,74]`),
		"no histogram of no reviews":         but(t, summaryJSON, `"average":4.3,"count":218,"histogram":`+histogram, none),
	} {
		all = append(all, reviews(name, but(t, reviewsJSON, summaryJSON, answer)), summary(name+" in a list", answer))
	}
	return all
}

func unsoundDeliveries(t *testing.T, s *services.Services) []said {
	const cost = `{"amount":495,"currency":"EUR"}`
	stock := func(name, answer string) said { return said{name, answer, asking(s.Inventory.Stock("p-1"))} }
	of := func(name, list string) said {
		return said{"a list of " + name, `{"stock":` + list + `}`, asking(together(s.Inventory.Stock, "p-1", "p-2"))}
	}
	options := func(name, answer string) said {
		return said{name, answer, asking(s.Shipping.Options("p-1", 1, ""))}
	}
	return []said{
		stock("the stock of another product", but(t, stockJSON, `"p-1"`, `"p-2"`)),
		stock("less than no stock", but(t, stockJSON, `"available":3`, `"available":-3`)),
		stock("a stock that may be low", but(t, stockJSON, `"low":true,`, "")),
		of("the stock of nothing", `[`+but(t, stockJSON, `"product_id":"p-1",`, "")+`]`),
		of("less than no stock", `[`+but(t, stockJSON, `"available":3`, `"available":-3`)+`]`),
		of("stock that is none", `null`),
		options("no way to list", `{}`),
		options("no list of ways", `{"options":null}`),
		options("a negative cost", but(t, optionsJSON, cost, negative)),
		options("a cost of no amount", but(t, optionsJSON, cost, `{"currency":"EUR"}`)),
		options("a way without an id", but(t, optionsJSON, `"std"`, `""`)),
		options("a way without a name", but(t, optionsJSON, `"Standard"`, `""`)),
		options("a way that never arrives", but(t, optionsJSON, `"2026-11-25"`, `""`)),
		options("a way that ends at no time", but(t, optionsJSON, `"2026-11-22T17:00:00Z"`, `null`)),
	}
}

// TestWhatMayBeNothing: a cart may be empty, a delivery and what was ordered may be free,
// and what nobody has reviewed has no average.
func TestWhatMayBeNothing(t *testing.T) { eachBinding(t, holdNothing) }

func holdNothing(t *testing.T, b *backend, s *services.Services) {
	for _, c := range []said{
		{"an empty cart", `{"user":"u-7","items":[],"item_count":0,"subtotal":` + nothing + `}`, asking(s.Cart.Of("u-7"))},
		{"a free order", but(t, ordersJSON, `{"amount":5980,"currency":"EUR"}`, nothing), asking(s.Orders.ForProduct("u-7", "p-9", 5))},
		{"no orders", `{"orders":[]}`, asking(s.Orders.ForProduct("u-7", "p-9", 5))},
		{"free delivery", but(t, optionsJSON, `{"amount":495,"currency":"EUR"}`, nothing), asking(s.Shipping.Options("p-1", 1, ""))},
		{"no delivery", `{"options":[]}`, asking(s.Shipping.Options("p-1", 1, ""))},
		{"sold out", but(t, stockJSON, `"available":3`, `"available":0`), asking(s.Inventory.Stock("p-1"))},
		{
			"no reviews", `{"summary":{"product_id":"p-1","average":0,"count":0,"histogram":[0,0,0,0,0]},"reviews":[]}`,
			asking(s.Reviews.Top("p-1", 10)),
		},
		{"no wishes", `{"user":"u-7","wishlist":[]}`, asking(s.Profiles.Profile("u-7"))},
	} {
		b.say(200, c.answer)
		if _, r, err := c.ask(); err != nil || rung(r) != report.Live {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestUnsoundRecommendations: what cannot be shown or sold is not recommended; what stands
// in is.
func TestUnsoundRecommendations(t *testing.T) {
	b, s := play(t)
	patient(t, s, 10*time.Second)
	const price = `{"amount":2990,"currency":"EUR"}`
	stood := func(what, answer string, ask func() (any, *report.Report, error)) {
		t.Helper()
		b.say(200, answer)
		_, r, err := ask()
		if err != nil || rung(r) != report.Default || r.Parts[0].Mark.Reason != fault.ReasonInvalid {
			t.Errorf("%s: %+v, %v; want the default, as invalid", what, r.Parts[0].Mark, err)
		}
	}
	for _, list := range []string{"bought_together", "also_bought", "also_viewed"} {
		whole := but(t, `{"bought_together":[],"also_bought":[],"also_viewed":[]}`, `"`+list+`":[]`, `"`+list+`":[`+cardJSON+`]`)
		for what, answer := range map[string]string{
			"no list":                but(t, whole, `[`+cardJSON+`]`, `null`),
			"no card":                but(t, whole, cardJSON, cardJSON+`,null`),
			"a card of no product":   but(t, whole, `"p-9"`, `""`),
			"a card of no name":      but(t, whole, `"Mug"`, `""`),
			"a card below nothing":   but(t, whole, price, negative),
			"a card for nothing":     but(t, whole, price, nothing),
			"a card in no currency":  but(t, whole, price, lower),
			"a card without a price": but(t, whole, `"price":`+price+`,`, ""),
		} {
			stood(list+" with "+what, answer, asking(s.Recommendations.For("p-1", "", 4)))
		}
	}
	for what, answer := range map[string]string{
		"no rows": `{"rows":null}`, "no row": `{"rows":[null]}`,
		"a row of no title": but(t, rowsJSON, `"Because"`, `""`), "a row of no list": but(t, rowsJSON, `["p-1","p-2"]`, `null`),
	} {
		stood(what, answer, asking(s.Recommendations.Rows("", 8)))
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
