package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/facet-gateway/facet/adapters"
	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/config"
)

// build is what is compiled in: the services with their commands, and the
// adapter versions with their pages. There is one in a process, because the
// circuits of its commands live as long as the process does.
type build struct {
	services *services.Services
	versions *adapter.Set
	declared config.Known
}

// newBuild makes what is compiled in. An error is a defect of this build.
func newBuild() (*build, error) {
	b := &build{services: services.Declare()}
	var err error
	if b.versions, err = adapters.All(b.services); err != nil {
		return nil, fmt.Errorf("the adapters of this build: %w", err)
	}
	b.declared = b.declarations()
	return b, nil
}

// known is what a configuration may name, with the defaults that the service
// layer declares. Whoever reads it changes nothing of it.
func (b *build) known() config.Known { return b.declared }

// declarations are read before a configuration puts its own policies in force.
func (b *build) declarations() config.Known {
	k := config.Known{
		Services: make(map[string]map[string]command.Policy), Transports: services.Transports(),
		Pages: b.pages(), Feeds: b.feeds(), Adapters: b.versions.Names(),
	}
	for _, name := range services.Names() {
		k.Services[name] = make(map[string]command.Policy)
	}
	for _, c := range b.services.Controls() {
		service, name := split(c)
		k.Services[service][name] = c.Policy()
	}
	return k
}

// pages are the names of all versions' pages, each once.
func (b *build) pages() []string { return b.names((*adapter.Version).Paths) }

// feeds are the names of what keeps coming, each once.
func (b *build) feeds() []string { return b.names((*adapter.Version).FeedPaths) }

func (b *build) names(paths func(*adapter.Version) []string) []string {
	var names []string
	for _, v := range b.versions.All() {
		for _, path := range paths(v) {
			names = append(names, strings.TrimPrefix(path, "/"))
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// labels are the versions of a set, as "phone/v1".
func labels(set *adapter.Set) []string {
	var labels []string
	for _, v := range set.All() {
		labels = append(labels, v.String())
	}
	return labels
}

// split returns the two halves of a command's name, "service.command".
func split(c *command.Control) (service, name string) {
	service, name, _ = strings.Cut(c.Name(), ".")
	return service, name
}
