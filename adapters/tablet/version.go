// Package tablet is what tablets get: pages in two columns, what a thing is on
// the left and how to get it on the right.
package tablet

import (
	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/devices"
)

// pages are the page functions, and what they ask.
type pages struct{ services *services.Services }

// New returns version 1 of the adapter for tablets.
func New(s *services.Services) (*adapter.Version, error) {
	p := pages{s}
	return adapter.New(devices.Tablet, "v1",
		adapter.Page("/productdetails", p.productDetails),
		adapter.Page("/wishlist", p.wishlist),
		adapter.Page("/home", p.home),
		adapter.Live("/live/stock", p.liveStock, newStockEvent),
	)
}
