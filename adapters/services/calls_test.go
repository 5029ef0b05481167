package services_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// call is one call of the service layer: what it sends, and what it makes of an
// answer that has the shape of the services' contract.
type call struct {
	name   string
	ask    func() (any, *report.Report, error)
	line   string
	answer string
	want   any
}

const (
	tentJSON = `{"id":"p-1042","name":"Tent","brand":"Arden","description":"Dry.","price":{"amount":24900,"currency":"EUR"},` +
		`"weight_grams":1900,"categories":["outdoor","tents"],"attributes":{"colour":"moss"},` +
		`"offers":[{"seller":"Outlet","condition":"used","price":{"amount":17900,"currency":"EUR"}}],` +
		`"images":[{"url":"/img/p-1042/1","alt":"Front"}],"unknown":{"to":["us"]}}`
	summaryJSON = `{"product_id":"p-1","average":4.3,"count":218,"histogram":[4,7,21,74,112]}`
	stockJSON   = `{"product_id":"p-1","available":3,"low":true,"restock_at":"2026-12-01T00:00:00Z"}`
	cardJSON    = `{"product_id":"p-9","name":"Mug","price":{"amount":2990,"currency":"EUR"},"image":"/img/p-9/1"}`
	itemJSON    = `{"product_id":"p-9","quantity":2}`
	cartJSON    = `{"user":"u-7","items":[` + itemJSON + `],"item_count":2,"subtotal":{"amount":5980,"currency":"EUR"}}`
	ordersJSON  = `{"orders":[{"id":"o-1","placed_at":"2026-03-02T10:11:12Z","status":"delivered","items":[` + itemJSON +
		`],"total":{"amount":5980,"currency":"EUR"}}]}`
	reviewsJSON = `{"summary":` + summaryJSON + `,"reviews":[{"id":"r-1","author":"Mina","rating":5,"title":"Dry","body":"Very.",` +
		`"created_at":"2026-05-01T08:00:00Z","helpful":12}]}`
	optionsJSON = `{"options":[{"id":"std","carrier":"PostNord","name":"Standard","cost":{"amount":495,"currency":"EUR"},` +
		`"order_by":"2026-11-22T17:00:00Z","arrives":"2026-11-25"}]}`
	relatedJSON = `{"bought_together":[` + cardJSON + `],"also_bought":[],"also_viewed":[` + cardJSON + `]}`
	rowsJSON    = `{"rows":[{"id":"because","title":"Because","product_ids":["p-1","p-2"]}]}`
)

func tent() services.Product {
	return services.Product{
		ID: "p-1042", Name: "Tent", Brand: "Arden", Description: "Dry.", Price: euros(24900), WeightGrams: 1900,
		Categories: []string{"outdoor", "tents"}, Attributes: map[string]string{"colour": "moss"},
		Offers: []services.Offer{{Seller: "Outlet", Condition: "used", Price: euros(17900)}},
		Images: []services.Image{{URL: "/img/p-1042/1", Alt: "Front"}},
	}
}

func euros(cents int64) services.Money { return services.Money{Amount: cents, Currency: "EUR"} }

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func calls(s *services.Services) []call {
	summary := services.Summary{ProductID: "p-1", Average: 4.3, Count: 218, Histogram: []int{4, 7, 21, 74, 112}}
	restock := at("2026-12-01T00:00:00Z")
	stock := services.Stock{ProductID: "p-1", Available: 3, Low: true, RestockAt: &restock}
	card := services.Card{ProductID: "p-9", Name: "Mug", Price: euros(2990), Image: "/img/p-9/1"}
	items := []services.Item{{ProductID: "p-9", Quantity: 2}}
	review := services.Review{
		ID: "r-1", Author: "Mina", Rating: 5, Title: "Dry", Body: "Very.", CreatedAt: at("2026-05-01T08:00:00Z"), Helpful: 12,
	}
	standard := services.Option{
		ID: "std", Carrier: "PostNord", Name: "Standard", Cost: euros(495), OrderBy: at("2026-11-22T17:00:00Z"), Arrives: "2026-11-25",
	}
	return []call{
		{"product", asking(s.Catalog.Product("p-1042")), "GET /products/p-1042", tentJSON, tent()},
		{
			"products", asking(together(s.Catalog.Product, "p-1042", "p-2")), "GET /products?ids=p-1042,p-2",
			`{"products":[` + tentJSON + `]}`, []services.Product{tent()},
		},
		{
			"cart", asking(s.Cart.Of("u-7")), "GET /carts/u-7", cartJSON,
			services.Cart{User: "u-7", Items: items, ItemCount: 2, Subtotal: euros(5980)},
		},
		{
			"orders", asking(s.Orders.ForProduct("u-7", "p-9", 5)), "GET /orders?user=u-7&product=p-9&limit=5", ordersJSON,
			[]services.Order{{ID: "o-1", PlacedAt: at("2026-03-02T10:11:12Z"), Status: "delivered", Items: items, Total: euros(5980)}},
		},
		{
			"reviews", asking(s.Reviews.Top("p-1", 10)), "GET /reviews?product=p-1&limit=10", reviewsJSON,
			services.TopReviews{Summary: summary, Reviews: []services.Review{review}},
		},
		{
			"summaries", asking(together(s.Reviews.Summary, "p-1", "p-2")), "GET /summaries?products=p-1,p-2",
			`{"summaries":[` + summaryJSON + `]}`, []services.Summary{summary},
		},
		{
			"summary", asking(s.Reviews.Summary("p-1")), "GET /summaries?products=p-1",
			`{"summaries":[` + summaryJSON + `]}`, summary,
		},
		{"stock", asking(s.Inventory.Stock("p-1")), "GET /stock/p-1", stockJSON, stock},
		{
			"stocks", asking(together(s.Inventory.Stock, "p-1", "p-2")), "GET /stock?products=p-1,p-2",
			`{"stock":[` + stockJSON + `]}`, []services.Stock{stock},
		},
		{
			"options", asking(s.Shipping.Options("p-1", 1900, "1011AB")), "GET /options?product=p-1&weight=1900&postcode=1011AB", optionsJSON,
			[]services.Option{standard},
		},
		{
			"related", asking(s.Recommendations.For("p-1", "u-7", 10)), "GET /recommendations?product=p-1&user=u-7&limit=10", relatedJSON,
			services.Related{BoughtTogether: []services.Card{card}, AlsoBought: []services.Card{}, AlsoViewed: []services.Card{card}},
		},
		{
			"rows", asking(s.Recommendations.Rows("u-7", 8)), "GET /rows?user=u-7&limit=8", rowsJSON,
			[]services.Row{{ID: "because", Title: "Because", ProductIDs: []string{"p-1", "p-2"}}},
		},
		{
			"profile", asking(s.Profiles.Profile("u-7")), "GET /profiles/u-7",
			`{"user":"u-7","name":"Ada","locale":"en-GB","postcode":"1011AB","wishlist":["p-1042"]}`,
			services.Profile{User: "u-7", Name: "Ada", Locale: "en-GB", Postcode: "1011AB", Wishlist: []string{"p-1042"}},
		},
		{
			"introspect", asking(s.Auth.Introspect("token-u-7")), "POST /introspect token=token-u-7",
			`{"active":true,"sub":"u-7","scope":"shop","exp":1795344000}`,
			services.Introspection{Active: true, Sub: "u-7", Scope: "shop", Exp: 1795344000},
		},
	}
}

func TestCalls(t *testing.T) { eachBinding(t, holdCalls) }

func holdCalls(t *testing.T, b *backend, s *services.Services) {
	for _, c := range calls(s) {
		t.Run(c.name, func(t *testing.T) {
			b.say(200, c.answer)
			got, r, err := c.ask()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{c.line}, b.lines()); diff != "" {
				t.Errorf("asked (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if rung(r) != report.Live {
				t.Errorf("it stands on %v, want live", rung(r))
			}
		})
	}
}

// TestCallsEscape proves that nothing in a query can change what is asked.
func TestCallsEscape(t *testing.T) { eachBinding(t, holdEscapes) }

func holdEscapes(t *testing.T, b *backend, s *services.Services) {
	const evil = "a/../b?c=d&e#f g%20\r\n"
	const path, value = "a%2F..%2Fb%3Fc%3Dd%26e%23f%20g%2520%0D%0A", "a%2F..%2Fb%3Fc%3Dd%26e%23f%20g%2520%0D%0A"
	cases := []struct {
		ask  func() (any, *report.Report, error)
		line string
	}{
		{asking(s.Catalog.Product(evil)), "GET /products/" + path},
		{asking(together(s.Catalog.Product, evil, "p-1")), "GET /products?ids=" + value + ",p-1"},
		{asking(s.Cart.Of(evil)), "GET /carts/" + path},
		{asking(s.Orders.ForProduct(evil, evil, 1)), "GET /orders?user=" + value + "&product=" + value + "&limit=1"},
		{asking(s.Reviews.Top(evil, 1)), "GET /reviews?product=" + value + "&limit=1"},
		{asking(s.Reviews.Summary(evil)), "GET /summaries?products=" + value},
		{asking(s.Inventory.Stock(evil)), "GET /stock/" + path},
		{asking(together(s.Inventory.Stock, evil, "p-1")), "GET /stock?products=" + value + ",p-1"},
		{asking(s.Shipping.Options(evil, 5, evil)), "GET /options?product=" + value + "&weight=5&postcode=" + value},
		{asking(s.Recommendations.For(evil, evil, 1)), "GET /recommendations?product=" + value + "&user=" + value + "&limit=1"},
		{asking(s.Recommendations.Rows(evil, 1)), "GET /rows?user=" + value + "&limit=1"},
		{asking(s.Profiles.Profile(evil)), "GET /profiles/" + path},
	}
	for _, c := range cases {
		b.say(404, `{"error":"not_found"}`)
		if _, r, err := c.ask(); !unknown(r, err) {
			t.Errorf("%s: the error is %v, want not_found", c.line, err)
		}
		if diff := cmp.Diff([]string{c.line}, b.lines()); diff != "" {
			t.Errorf("asked (-want +got):\n%s", diff)
		}
	}
}

// TestCallsWithLess is about what a call leaves out when it is not known.
func TestCallsWithLess(t *testing.T) {
	b, s := play(t)
	const reviews = `{"summary":{"product_id":"p-1","average":0,"count":0,"histogram":[0,0,0,0,0]},"reviews":[]}`
	cases := []struct {
		ask          func() (any, *report.Report, error)
		line, answer string
	}{
		{asking(s.Shipping.Options("p-1", 5, "")), "GET /options?product=p-1&weight=5", `{"options":[]}`},
		{
			asking(s.Recommendations.For("p-1", "", 4)), "GET /recommendations?product=p-1&limit=4",
			`{"bought_together":[],"also_bought":[],"also_viewed":[]}`,
		},
		{asking(s.Recommendations.Rows("", 4)), "GET /rows?limit=4", `{"rows":[]}`},
		{asking(s.Reviews.Top("p-1", 0)), "GET /reviews?product=p-1&limit=1", reviews}, // a service refuses 0
	}
	for _, c := range cases {
		b.say(200, c.answer)
		if _, r, err := c.ask(); err != nil || rung(r) != report.Live {
			t.Errorf("%s: %v, %v", c.line, rung(r), err)
		}
		if diff := cmp.Diff([]string{c.line}, b.lines()); diff != "" {
			t.Errorf("asked (-want +got):\n%s", diff)
		}
	}
}

// TestBatchesOfWhatIsNoID: what is no identifier is not asked for, and not known.
func TestBatchesOfWhatIsNoID(t *testing.T) {
	b, s := play(t)
	b.say(200, `{"products":[`+tentJSON+`]}`)
	found, r, err := observe(together(s.Catalog.Product, "p-1042", "", "p-2,p-3"))
	if diff := cmp.Diff([]services.Product{tent()}, found); err != nil || diff != "" || r.Parts[0].Holes.Count != 2 {
		t.Errorf("%v, %+v; found (-want +got):\n%s", err, r.Parts[0], diff)
	}
	if diff := cmp.Diff([]string{"GET /products?ids=p-1042"}, b.lines()); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	for name, ask := range map[string]func() (any, *report.Report, error){
		"products":  asking(together(s.Catalog.Product, "", "a,b")),
		"summaries": asking(together(s.Reviews.Summary, ",", "")),
		"stocks":    asking(together(s.Inventory.Stock, "", ",")),
	} {
		b.say(200, `{}`)
		if _, r, err := ask(); !unknown(r, err) || len(b.lines()) != 0 {
			t.Errorf("%s: %v; asked %q, want nothing", name, err, b.lines())
		}
	}
}

func TestCallsThatNeedAUser(t *testing.T) {
	b, s := play(t)
	for name, ask := range map[string]func() (any, *report.Report, error){
		"cart":       asking(s.Cart.Of("")),
		"orders":     asking(s.Orders.ForProduct("", "p-1", 1)),
		"profile":    asking(s.Profiles.Profile("")),
		"introspect": asking(s.Auth.Introspect("")),
	} {
		_, r, err := ask()
		if fault.ReasonOf(err) != fault.ReasonAnonymous || fault.CodeOf(err) != fault.Unauthenticated {
			t.Errorf("%s: the error is %v, want anonymous", name, err)
		}
		if len(b.lines()) != 0 || len(r.Calls()) != 0 {
			t.Errorf("%s: a call was made: %q", name, b.lines())
		}
	}
}

// TestNotFound: that there is no such thing is an answer, not a fault.
func TestNotFound(t *testing.T) { eachBinding(t, holdNotFound) }

func holdNotFound(t *testing.T, b *backend, s *services.Services) {
	for _, c := range calls(s) {
		b.say(404, `{"error":"not_found"}`)
		_, r, err := c.ask()
		if !unknown(r, err) {
			t.Errorf("%s: the error is %v, want not_found", c.name, err)
		}
		if outcome := r.Calls()[0].Outcome; outcome != report.CallerFault {
			t.Errorf("%s: the call counts as %v", c.name, outcome)
		}
	}
	b.say(200, `{"summaries":[]}`)
	if _, _, err := observe(s.Reviews.Summary("p-1")); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("a summary that the service leaves out: %v, want not_found", err)
	}
}
