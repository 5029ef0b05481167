package v2_test

import (
	"testing"
	"time"

	"github.com/facet-gateway/facet/adapters/adaptertest"
	"github.com/facet-gateway/facet/adapters/tv"
	v2 "github.com/facet-gateway/facet/adapters/tv/v2"
)

func TestMain(m *testing.M) { adaptertest.Main(m) }

func TestProductDetails(t *testing.T) {
	adaptertest.Prove(t, adaptertest.Page{
		Version:  []adaptertest.Maker{v2.New, tv.New},
		Path:     "/productdetails",
		Query:    "productid=p-1042&postcode=1011AB",
		User:     "u-7",
		Required: []string{"catalog"},
		Time:     50 * time.Millisecond,
		Bytes:    4 << 10,
	})
}

func TestWishlist(t *testing.T) {
	adaptertest.Prove(t, adaptertest.Page{
		Version:  []adaptertest.Maker{v2.New, tv.New},
		Path:     "/wishlist",
		User:     "u-7",
		Required: []string{"profiles", "catalog"},
		Time:     50 * time.Millisecond,
		Bytes:    4 << 10,
	})
}

func TestHome(t *testing.T) {
	adaptertest.Prove(t, adaptertest.Page{
		Version:  []adaptertest.Maker{v2.New, tv.New},
		Path:     "/home",
		User:     "u-7",
		Required: []string{"catalog"},
		Cases:    adaptertest.Without("recommendations", "reviews"),
		Time:     100 * time.Millisecond,
		Bytes:    20 << 10,
	})
}
