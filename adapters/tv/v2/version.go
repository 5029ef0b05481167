// Package v2 is version 2 of the adapter for televisions: a home page with one
// product as large as the screen, above rows that are shorter. All else is as in
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
	return adapter.NewOn(devices.TV, "v2", "v1",
		adapter.Override("/home", p.home),
	)
}
