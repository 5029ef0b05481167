// Package adapters is the literal list of the adapter versions in this build.
// To release a version, add its line: who gets it is data, not code.
package adapters

import (
	"errors"

	"github.com/facet-gateway/facet/adapters/phone"
	phonev2 "github.com/facet-gateway/facet/adapters/phone/v2"
	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/adapters/tablet"
	tabletv2 "github.com/facet-gateway/facet/adapters/tablet/v2"
	"github.com/facet-gateway/facet/adapters/tv"
	tvv2 "github.com/facet-gateway/facet/adapters/tv/v2"
	"github.com/facet-gateway/facet/core/adapter"
)

// All returns every version, made of the services, or the errors of those that
// cannot work. The first version of a class answers it where nothing else is said.
func All(s *services.Services) (*adapter.Set, error) {
	makers := []func(*services.Services) (*adapter.Version, error){
		tv.New,
		tvv2.New,
		phone.New,
		phonev2.New,
		tablet.New,
		tabletv2.New,
	}
	var all []*adapter.Version
	var errs []error
	for _, newVersion := range makers {
		v, err := newVersion(s)
		all, errs = append(all, v), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return adapter.NewSet(all...)
}
