package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/backend/amqp"
	"github.com/facet-gateway/facet/core/backend/grpc"
	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/backend/nats"
	"github.com/facet-gateway/facet/core/backend/thrift"
	"github.com/facet-gateway/facet/core/backend/zmq"
	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/config"
	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/secret"
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
			return refused{g.config.Locate(err, "services", name)}
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
	rules := s.Balance.Options(g.config.Zone)
	switch s.Transport {
	case "grpc":
		return made(grpc.New(grpc.Options{Service: name, Instances: s.Instances, MaxMessage: int(s.MaxBody), Balance: rules}))
	case "thrift":
		return made(thrift.New(thrift.Options{
			Service: name, Instances: s.Instances, MaxMessage: int(s.MaxBody), MaxConns: s.MaxConnections, Balance: rules,
		}))
	case "zmq":
		return made(zmq.New(zmq.Options{
			Service: name, Instances: s.Instances, Publishers: s.Live.Instances, PublisherPort: s.Live.Port,
			MaxBody: int(s.MaxBody), MaxInFlight: s.MaxConnections, Balance: rules,
		}))
	case "nats", "amqp":
		return g.dialBroker(name, s)
	default:
		return made(http.New(http.Options{
			Service: name, Instances: s.Instances, MaxBody: int64(s.MaxBody), MaxConns: s.MaxConnections,
			Balance: rules, CheckPath: s.Balance.Check.Path,
		}))
	}
}

func (g *gateway) dialBroker(name string, s *config.Service) (client, error) {
	servers, err := known(s)
	if err != nil {
		return nil, err
	}
	if s.Transport == "nats" {
		return made(nats.New(nats.Options{
			Service: name, Servers: servers, MaxBody: int(s.MaxBody), MaxInFlight: s.MaxConnections, Told: g.brokerOf(name),
		}))
	}
	return made(amqp.New(amqp.Options{
		Service: name, Servers: servers, MaxBody: int(s.MaxBody), MaxInFlight: s.MaxConnections, Told: g.brokerOf(name),
	}))
}

// brokerOf logs when a service's broker goes, and when it comes.
func (g *gateway) brokerOf(service string) func(error) {
	return func(away error) {
		if away != nil {
			g.log.Warn("a broker is away: calls fail at once", "service", service, "error", away.Error())
			return
		}
		g.log.Info("a broker is there", "service", service)
	}
}

// made is a client that is none if there is an error, which names the field of the
// configuration.
func made[C client](c C, err error) (client, error) {
	if err != nil {
		return nil, asConfigured(err)
	}
	return c, nil
}

// asConfigured names a field at fault as the configuration does, where a client has another
// name for it.
func asConfigured(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	for field, key := range map[string]string{"servers": "instances", "publishers": "live.instances", "publisher_port": "live.port"} {
		if name, index, _ := strings.Cut(f.Field, "["); name == field {
			if index != "" {
				key += "[" + index
			}
			return fault.InvalidField(key, f.Detail)
		}
	}
	return err
}

// known returns the URLs of a service's brokers, with who the gateway is there.
func known(s *config.Service) ([]string, error) {
	if s.Broker.User == "" {
		return s.Instances, nil
	}
	user := url.User(s.Broker.User)
	if s.Broker.PasswordFile != "" {
		password, err := secret.Read(s.Broker.PasswordFile)
		if err != nil {
			return nil, fault.InvalidField("broker.password_file", err.Error())
		}
		user = url.UserPassword(s.Broker.User, password)
	}
	urls := make([]string, len(s.Instances))
	for i, instance := range s.Instances {
		u, err := url.Parse(instance)
		if err != nil {
			return nil, fault.InvalidField(fmt.Sprintf("instances[%d]", i), "it is not a URL")
		}
		u.User = user
		urls[i] = u.String()
	}
	return urls, nil
}

// lateOf returns how many answers over messages came after their calls had ended, of a
// client that has such.
func lateOf(c client) (late uint64, has bool) {
	switch c := c.(type) {
	case *nats.Client:
		return c.Stats().Late, true
	case *amqp.Client:
		return c.Stats().Late, true
	case *zmq.Client:
		return c.Stats().Late, true
	}
	return 0, false
}
