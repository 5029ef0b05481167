package v2_test

import (
	"testing"
	"time"

	"github.com/facet-gateway/facet/adapters/adaptertest"
	"github.com/facet-gateway/facet/adapters/phone"
	v2 "github.com/facet-gateway/facet/adapters/phone/v2"
)

func TestMain(m *testing.M) { adaptertest.Main(m) }

func TestProductDetails(t *testing.T) {
	adaptertest.Prove(t, adaptertest.Page{
		Version:  []adaptertest.Maker{v2.New, phone.New},
		Path:     "/productdetails",
		Query:    "productid=p-1042&postcode=1011AB",
		User:     "u-7",
		Required: []string{"catalog"},
		Cases:    adaptertest.Without("cart", "orders", "reviews", "inventory", "shipping", "recommendations"),
		Time:     50 * time.Millisecond,
		Bytes:    4 << 10,
	})
}

func TestWishlist(t *testing.T) {
	adaptertest.Prove(t, adaptertest.Page{
		Version:  []adaptertest.Maker{v2.New, phone.New},
		Path:     "/wishlist",
		User:     "u-7",
		Required: []string{"profiles", "catalog"},
		Cases:    wishes(),
		Time:     50 * time.Millisecond,
		Bytes:    4 << 10,
	})
}

func TestHome(t *testing.T) {
	adaptertest.Prove(t, adaptertest.Page{
		Version:  []adaptertest.Maker{v2.New, phone.New},
		Path:     "/home",
		User:     "u-7",
		Required: []string{"catalog"},
		Cases:    adaptertest.Without("recommendations", "reviews"),
		Time:     100 * time.Millisecond,
		Bytes:    8 << 10,
	})
}

// wishes are of somebody who wishes for what is no longer sold, and of one who
// wishes for nothing.
func wishes() []adaptertest.Case {
	return []adaptertest.Case{{Name: "holes", User: "u-51"}, {Name: "empty", User: "u-21"}}
}
