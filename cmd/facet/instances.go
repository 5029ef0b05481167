package main

import (
	"context"
	"maps"
	"slices"

	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/config"
	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/telemetry"
)

// find has a service's instances found, if the configuration says how. Nothing is asked
// yet.
func (g *gateway) find(name string, c client) error {
	r := g.config.Services[name].Resolver
	pool, has := c.(balanced)
	if !r.Given() || !has {
		return nil
	}
	resolver, err := r.Make()
	if err != nil {
		return refused{g.config.Locate(err, "services", name, "resolver")}
	}
	if g.followers == nil {
		g.followers = make(map[string]*discovery.Follower)
	}
	g.followers[name] = discovery.Follow(discovery.Options{
		Service: name, Resolver: resolver, Log: g.log,
		Changed: func(all []discovery.Instance) {
			if err := pool.Update(placed(all, r.Path)); err != nil {
				g.log.Warn("instances that cannot be used", "service", name, "error", err.Error())
			}
		},
	})
	return nil
}

// placed gives instances the path that comes before every target, unless they say one.
func placed(all []discovery.Instance, path string) []discovery.Instance {
	list := make([]discovery.Instance, len(all))
	for i, one := range all {
		if list[i] = one; one.Path == "" {
			list[i].Path = path
		}
	}
	return list
}

// keepFinding finds instances, and checks how they are, until ctx ends; g.finding waits
// for that. What it returns waits for the first answer of each registry, as long as a
// start may be held up.
func (g *gateway) keepFinding(ctx context.Context) (await func(context.Context)) {
	for _, f := range g.followers {
		g.finding.Go(func() { f.Run(ctx) })
	}
	for _, c := range g.clients {
		g.finding.Go(func() { c.Run(ctx) })
	}
	return func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, firstLook)
		defer cancel()
		for _, f := range g.followers {
			f.Await(ctx)
		}
	}
}

// balanceBy puts what a configuration says of the instances in force. It is in its
// ranges.
func (g *gateway) balanceBy(c *config.Config) {
	for name, client := range g.clients {
		pool, has := client.(balanced)
		if !has {
			continue
		}
		s := c.Services[name]
		if err := pool.Configure(s.Balance.Options(c.Zone)); err != nil {
			g.log.Error("what was found good of balancing is refused: a defect", "service", name, "error", err.Error())
		}
	}
}

// instancesOf is what the private port tells of a service's instances.
type instancesOf struct {
	Transport string            `json:"transport"`
	Resolver  *discovery.Status `json:"resolver,omitempty"` // of a service whose instances are found
	Members   []balance.Status  `json:"instances"`
	Live      []balance.Status  `json:"publishers,omitempty"` // of changes, if those come by sockets of their own
}

// publishing is a client that listens to publishers, beside the calls that it makes.
type publishing interface {
	Publishers() []balance.Status
}

// instances tells of every service, by its name.
func (g *gateway) instances() any {
	all := make(map[string]instancesOf, len(g.clients))
	for name, c := range g.clients {
		one := instancesOf{Transport: g.config.Services[name].Transport, Members: c.Status()}
		if f := g.followers[name]; f != nil {
			status := f.Status()
			one.Resolver = &status
		}
		if p, has := c.(publishing); has {
			one.Live = p.Publishers()
		}
		all[name] = one
	}
	return all
}

// instanceFigures are of the services' instances, and of the registries that they are
// found in.
func (g *gateway) instanceFigures() []telemetry.Figure {
	services := slices.Sorted(maps.Keys(g.clients))
	count := func(holds func(*balance.Status) bool) func(string) float64 {
		return func(service string) (n float64) {
			for _, one := range g.clients[service].Status() {
				n += truth(holds(&one))
			}
			return n
		}
	}
	all := []telemetry.Figure{
		{
			Name: "facet_service_instances", Help: "Instances of a service, as far as is known.", Label: "service", Values: services,
			Read: count(func(s *balance.Status) bool { return s.State != balance.Draining }),
		},
		{
			Name: "facet_service_instances_out", Help: "Those of them that get no calls, because they fail.", Label: "service", Values: services,
			Read: count(func(s *balance.Status) bool { return s.State == balance.Out || s.State == balance.Unhealthy }),
		},
	}
	late := func(service string) bool { _, has := lateOf(g.clients[service]); return has }
	if over := slices.DeleteFunc(slices.Clone(services), func(service string) bool { return !late(service) }); len(over) > 0 {
		all = append(all, telemetry.Figure{
			Name: "facet_service_late_answers_total", Help: "Answers over messages that were for no call in flight, and were dropped.",
			Label: "service", Values: over, Counter: true,
			Read: func(service string) float64 { n, _ := lateOf(g.clients[service]); return float64(n) },
		})
	}
	if found := slices.Sorted(maps.Keys(g.followers)); len(found) > 0 {
		all = append(all, telemetry.Figure{
			Name: "facet_service_discovery_stale", Help: "1 while instances are the last that were known, since their registry says nothing.",
			Label: "service", Values: found,
			Read: func(service string) float64 { return truth(g.followers[service].Status().Stale) },
		})
	}
	return all
}
