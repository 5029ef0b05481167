package services_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/adapters/simulator"
	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/testdata/shop"
)

func TestControls(t *testing.T) {
	s := services.Declare()
	var names []string
	for _, c := range s.Controls() {
		names = append(names, c.Name())
		want := command.DefaultPolicy()
		want.Traits = command.Traits{
			Safe:    c.Name() != "auth.introspect",
			Batched: slices.Contains([]string{"catalog.product", "reviews.summaries", "inventory.stock"}, c.Name()),
		}
		if c.Name() == "catalog.product" || strings.HasPrefix(c.Name(), "reviews.") {
			want.Cache.Stale = 10 * time.Minute
		}
		if diff := cmp.Diff(want, c.Policy()); diff != "" {
			t.Errorf("the policy of %s (-want +got):\n%s", c.Name(), diff)
		}
	}
	want := []string{
		"catalog.product", "cart.cart", "orders.orders", "reviews.reviews", "reviews.summaries", "inventory.stock",
		"shipping.options", "recommendations.recommendations", "recommendations.rows", "profiles.profile", "auth.introspect",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("commands (-want +got):\n%s", diff)
	}
	var served []string // the services of the commands, each once
	for _, name := range names {
		service, _, _ := strings.Cut(name, ".")
		if !slices.Contains(served, service) {
			served = append(served, service)
		}
	}
	if diff := cmp.Diff(services.Names(), served); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
}

func TestConnectNamesWhatIsMissing(t *testing.T) {
	s := services.Declare()
	client, err := http.New(http.Options{Service: "any", Instances: []string{"http://127.0.0.1:9"}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	clients := map[string]services.Client{}
	for _, name := range services.Names() {
		clients[name] = client
	}
	delete(clients, "orders")
	delete(clients, "auth")
	err = s.Connect(clients)
	if err == nil || err.Error() != "services: orders has no client\nservices: auth has no client" {
		t.Errorf("the error is %v", err)
	}
}

func TestCallsBeforeConnect(t *testing.T) {
	for _, c := range calls(services.Declare()) {
		switch _, r, err := c.ask(); {
		case c.name == "related" || c.name == "rows":
			if err != nil || rung(r) != report.Default {
				t.Errorf("%s: %v, %v; want the default", c.name, rung(r), err)
			}
		case fault.CodeOf(err) != fault.Internal:
			t.Errorf("%s: the error is %v, want internal", c.name, err)
		}
	}
}

func TestStaleCopies(t *testing.T) { eachBinding(t, holdStaleCopies) }

func holdStaleCopies(t *testing.T, b *backend, s *services.Services) {
	stale := map[string]report.Rung{
		"product": report.Stale, "reviews": report.Stale, "summary": report.Stale,
		"products": report.Stale, "summaries": report.Stale, // of p-1042 and p-1; there is no copy of p-2
	}
	for _, c := range calls(s) {
		b.say(200, c.answer)
		if _, _, err := c.ask(); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range calls(s) { // streams of their own: one belongs to one request
		b.say(503, `{"error":"overloaded"}`)
		got, r, err := c.ask()
		want, copied := stale[c.name]
		switch {
		case copied:
			if err != nil || rung(r) != want || !cmp.Equal(got, c.want) {
				t.Errorf("%s: %v, %v, %v; want the stale copy", c.name, rung(r), got, err)
			}
		case c.name == "related" || c.name == "rows":
			if err != nil || rung(r) != report.Default {
				t.Errorf("%s: %v, %v; want the default", c.name, rung(r), err)
			}
		case fault.CodeOf(err) != fault.Unavailable:
			t.Errorf("%s: the error is %v, want unavailable", c.name, err)
		}
	}
}

func TestRecommendationsDefault(t *testing.T) {
	b, s := play(t)
	b.say(503, `{"error":"overloaded"}`)
	related, _, err := observe(s.Recommendations.For("p-9", "u-7", 50))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(related.AlsoBought); n != 10 || len(related.AlsoViewed) != 10 || len(related.BoughtTogether) != 0 {
		t.Errorf("there are %d, %d and %d cards, want 10, 10 and none", n, len(related.AlsoViewed), len(related.BoughtTogether))
	}
	data, err := shop.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, card := range related.AlsoBought {
		i := slices.IndexFunc(data.Products, func(l shop.Listing) bool { return l.Product.ID == card.ProductID })
		if i < 0 {
			t.Errorf("the shop has no %s", card.ProductID)
			continue
		}
		p := data.Products[i].Product
		want := services.Card{ProductID: p.ID, Name: p.Name, Price: services.Money(p.Price), Image: p.Images[0].URL}
		if card != want {
			t.Errorf("the card is %v, the shop has %v", card, want)
		}
	}
	popular := related.AlsoBought[0].ProductID
	fewer, _, err := observe(s.Recommendations.For(popular, "", 3))
	if err != nil || len(fewer.AlsoBought) != 3 || fewer.AlsoBought[0].ProductID == popular {
		t.Errorf("for %s itself, of 3: %v, %v", popular, fewer.AlsoBought, err)
	}
	rows, _, err := observe(s.Recommendations.Rows("", 8))
	if err != nil || len(rows) != 1 || len(rows[0].ProductIDs) != 10 || rows[0].Title == "" {
		t.Errorf("the rows are %v, %v; want one of ten", rows, err)
	}
}

// TestLargeBatch: more than 200 products are asked for in two calls, each once.
func TestLargeBatch(t *testing.T) {
	b, s := play(t)
	var ids []string
	for i := range 202 {
		ids = append(ids, fmt.Sprint("p-", i))
	}
	b.say(200, `{"products":[`+tentJSON+`]}`)
	found, r, err := observe(together(s.Catalog.Product, append(ids, ids...)...))
	if len(found) != 0 || !unknown(r, err) {
		t.Errorf("%v, %v; want nothing, as what was not asked for is no answer", found, err)
	}
	asked := b.lines()
	slices.Sort(asked)
	want := []string{"GET /products?ids=" + strings.Join(ids[:200], ","), "GET /products?ids=p-200,p-201"}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

// TestOneCallForAll: whatever observes the same query in a request shares one call.
func TestOneCallForAll(t *testing.T) {
	b, s := play(t)
	b.say(200, tentJSON)
	both := stream.Then(s.Catalog.Product("p-1042"), func(p services.Product) stream.Stream[services.Product] {
		return s.Catalog.Product(p.ID)
	})
	if _, _, err := observe(both); err != nil || len(b.lines()) != 1 {
		t.Errorf("%v; asked %q, want once", err, b.lines())
	}
}

// TestAgainstTheSimulator holds both sides of the contract together.
func TestAgainstTheSimulator(t *testing.T) {
	sim, err := simulator.New(simulator.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := sim.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	s := connect(t, sim.URL)
	for _, c := range calls(s) {
		got, r, err := c.ask()
		if fault.CodeOf(err) == fault.NotFound && strings.Contains(c.line, "p-1") && !strings.Contains(c.line, "p-1042") {
			continue // the shop has no p-1
		}
		if err != nil || rung(r) != report.Live || got == nil {
			t.Errorf("%s: %v, %v, %v; want a live answer", c.name, rung(r), got, err)
		}
	}
	for name, ask := range map[string]func() (any, *report.Report, error){
		"reviews":   asking(s.Reviews.Top("p-1042", 2)),
		"summary":   asking(s.Reviews.Summary("p-1042")),
		"stock":     asking(s.Inventory.Stock("p-1042")),
		"options":   asking(s.Shipping.Options("p-1042", 1900, "1011 AB")),
		"related":   asking(s.Recommendations.For("p-1042", "", 4)),
		"rows":      asking(s.Recommendations.Rows("", 4)),
		"no orders": asking(s.Orders.ForProduct("u-7", "p-1001", 4)),
	} {
		if _, r, err := ask(); err != nil || rung(r) != report.Live {
			t.Errorf("%s: %v, want a live answer", name, err)
		}
	}
}

// BenchmarkProduct is one call over loopback, its command and its decoding.
func BenchmarkProduct(b *testing.B) {
	backend, s := play(b)
	backend.say(200, tentJSON)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := observe(s.Catalog.Product("p-1042")); err != nil {
			b.Fatal(err)
		}
		backend.say(200, tentJSON) // forget what was asked
	}
}
