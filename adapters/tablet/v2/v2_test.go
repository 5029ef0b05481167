package v2_test

import (
	"testing"
	"time"

	"github.com/facet-gateway/facet/adapters/adaptertest"
	"github.com/facet-gateway/facet/adapters/tablet"
	v2 "github.com/facet-gateway/facet/adapters/tablet/v2"
)

func TestMain(m *testing.M) { adaptertest.Main(m) }

func TestProductDetails(t *testing.T) {
	adaptertest.Prove(t, adaptertest.Page{
		Version:  []adaptertest.Maker{v2.New, tablet.New},
		Path:     "/productdetails",
		Query:    "productid=p-1042&postcode=1011AB",
		User:     "u-7",
		Required: []string{"catalog"},
		Time:     50 * time.Millisecond,
		Bytes:    5 << 10,
	})
}

func TestWishlist(t *testing.T) {
	adaptertest.Prove(t, adaptertest.Page{
		Version:  []adaptertest.Maker{v2.New, tablet.New},
		Path:     "/wishlist",
		User:     "u-7",
		Required: []string{"profiles", "catalog"},
		Cases:    append(wishes(), adaptertest.Without("inventory", "reviews")...),
		Time:     50 * time.Millisecond,
		Bytes:    4 << 10,
	})
}

func TestHome(t *testing.T) {
	adaptertest.Prove(t, adaptertest.Page{
		Version:  []adaptertest.Maker{v2.New, tablet.New},
		Path:     "/home",
		User:     "u-7",
		Required: []string{"catalog"},
		Time:     100 * time.Millisecond,
		Bytes:    32 << 10,
	})
}

// wishes are of somebody who wishes for what is no longer sold, and of one who
// wishes for nothing.
func wishes() []adaptertest.Case {
	return []adaptertest.Case{{Name: "holes", User: "u-51"}, {Name: "empty", User: "u-21"}}
}
