// Package v2 is version 2 of the adapter for phones: a product page that begins
// with what others say, and a home page that is one grid. All else is as in
// version 1.
package v2

import (
	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/devices"
)

// pages are the page functions, and what they ask.
type pages struct{ services *services.Services }

// New returns version 2, which builds on version 1.
func New(s *services.Services) (*adapter.Version, error) {
	p := pages{s}
	return adapter.NewOn(devices.Phone, "v2", "v1",
		adapter.Override("/productdetails", p.productDetails),
		adapter.Override("/home", p.home),
	)
}
