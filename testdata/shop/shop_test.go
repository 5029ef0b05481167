package shop_test

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/facet-gateway/facet/testdata/shop"
)

var identifier = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func load(t *testing.T) shop.Data {
	t.Helper()
	d, err := shop.Load()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestProductsAreSound(t *testing.T) {
	d := load(t)
	if len(d.Products) < 300 {
		t.Fatalf("got %d products, want 300 or more", len(d.Products))
	}
	seen := map[string]bool{}
	for _, l := range d.Products {
		p := l.Product
		switch {
		case !identifier.MatchString(p.ID) || seen[p.ID]:
			t.Errorf("%s: bad or repeated id", p.ID)
		case p.Name == "" || p.Brand == "" || len(p.Description) < 150 || len(p.Description) > 600:
			t.Errorf("%s: name, brand or description (%d bytes) is not right", p.ID, len(p.Description))
		case p.Price.Amount <= 0 || p.Price.Currency != "EUR" || p.WeightGrams <= 0:
			t.Errorf("%s: price or weight is not right", p.ID)
		case len(p.Categories) != 2 || len(p.Attributes) != 2 || p.Offers == nil || len(p.Images) < 2:
			t.Errorf("%s: a list is not right", p.ID)
		case l.Available < 0 || l.Histogram[4] == 0:
			t.Errorf("%s: stock or histogram is not right", p.ID)
		}
		seen[p.ID] = true
	}
}

func TestUsersReferToProducts(t *testing.T) {
	d := load(t)
	known := map[string]bool{}
	for _, l := range d.Products {
		known[l.Product.ID] = true
	}
	orders := map[string]bool{}
	for i, u := range d.Users {
		if want := fmt.Sprintf("u-%d", i+1); u.ID != want {
			t.Errorf("user %d is %s, want %s", i, u.ID, want)
		}
		for _, id := range u.Wishlist {
			if !known[id] && u.ID != "u-51" {
				t.Errorf("%s wishes for %s, which is unknown", u.ID, id)
			}
		}
		for _, item := range u.Cart {
			if !known[item.ProductID] || item.Quantity < 1 {
				t.Errorf("%s has %v in the cart", u.ID, item)
			}
		}
		for _, o := range u.Orders {
			if orders[o.ID] || o.Total.Amount <= 0 || len(o.Items) == 0 {
				t.Errorf("%s has the order %v", u.ID, o)
			}
			orders[o.ID] = true
		}
	}
	if len(d.Users) != 51 {
		t.Errorf("got %d users, want 51", len(d.Users))
	}
}

func TestFilesAreCopies(t *testing.T) {
	shop.Files()["products.json"][0] = 'x'
	if shop.Files()["products.json"][0] == 'x' {
		t.Error("a caller can change the embedded bytes")
	}
}
