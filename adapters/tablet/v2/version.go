// Package v2 is version 2 of the adapter for tablets: a wish list that has what
// can be had now first, and apart from it what is sold out. All else is as in
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
	return adapter.NewOn(devices.Tablet, "v2", "v1",
		adapter.Override("/wishlist", p.wishlist),
	)
}
