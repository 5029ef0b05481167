package main

import (
	"context"
	"fmt"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/config"
	"github.com/facet-gateway/facet/core/discovery"
)

// client reaches one service over the transport that the configuration names.
type client interface {
	services.Client
	Run(ctx context.Context)  // what goes on beside calls, until ctx ends
	Status() []balance.Status // of each instance, or broker
}

// balanced is a client that chooses among the service's instances itself, where no broker
// does.
type balanced interface {
	Update(all []discovery.Instance) error
	Configure(o balance.Options) error
}

// connect gives each service the client that the configuration describes, and a
// budget of retries.
func (g *gateway) connect() error {
	all := make(map[string]services.Client, len(g.config.Services))
	for name, s := range g.config.Services {
		client, err := g.dial(name, &s)
		if err != nil {
			return refused{fmt.Errorf("services.%s: %w", name, err)}
		}
		if err := g.find(name, client); err != nil {
			return err
		}
		all[name], g.clients[name], g.retries[name] = client, client, command.NewBudget()
	}
	for _, c := range g.controls {
		service, _ := split(c)
		c.Under(g.retries[service])
	}
	return failed(g.build.services.Connect(all))
}

// dial makes the client of a service. It connects to nothing yet.
func (g *gateway) dial(name string, s *config.Service) (client, error) {
	switch s.Transport {
	case config.Plain:
		return http.New(http.Options{
			Service: name, Instances: s.Instances, MaxBody: int64(s.MaxBody), MaxConns: s.MaxConnections,
			Balance: s.Balance.Options(g.config.Zone), CheckPath: s.Balance.Check.Path,
		})
	default:
		return nil, fmt.Errorf("transport: this build has no client for %q", s.Transport)
	}
}
