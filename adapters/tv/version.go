// Package tv is what televisions get: pages to look at from a sofa, with large
// images and few words. A screen that a household shares shows nobody's orders.
package tv

import (
	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/devices"
)

// pages are the page functions, and what they ask.
type pages struct{ services *services.Services }

// New returns version 1 of the adapter for televisions.
func New(s *services.Services) (*adapter.Version, error) {
	p := pages{s}
	return adapter.New(devices.TV, "v1",
		adapter.Page("/productdetails", p.productDetails),
		adapter.Page("/wishlist", p.wishlist),
		adapter.Page("/home", p.home),
		adapter.Live("/live/stock", p.liveStock, newStockEvent),
	)
}
