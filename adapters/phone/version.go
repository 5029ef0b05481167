// Package phone is what phones get: the smallest pages, in one column, of all
// that the shop knows.
package phone

import (
	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/devices"
)

// pages are the page functions, and what they ask.
type pages struct{ services *services.Services }

// New returns version 1 of the adapter for phones.
func New(s *services.Services) (*adapter.Version, error) {
	p := pages{s}
	return adapter.New(devices.Phone, "v1",
		adapter.Page("/productdetails", p.productDetails),
		adapter.Page("/wishlist", p.wishlist),
		adapter.Page("/home", p.home),
		adapter.Live("/live/stock", p.liveStock, newStockEvent),
	)
}
