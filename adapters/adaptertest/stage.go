package adaptertest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/adapters/simulator"
	"github.com/facet-gateway/facet/core/adapter"
	backend "github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/devices"
)

const (
	patience = 10 * time.Second // of a call: the machine may be busy
	never    = 1_000_000        // faults: more than a proof sees, and the most that a circuit can be told
	memory   = 10 * time.Minute // of remembered answers, longer than any proof
)

// noon is the clock of the shop: the same question gets the same answer.
func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

// stage is what a page is proven on: the simulated shop, and the services that ask it.
type stage struct {
	spec     Page
	shop     *simulator.Simulator
	services *services.Services
	clients  map[string]services.Client
	endpoint adapter.Endpoint
	device   *devices.Profile
	first    outcome // of anybody, before anything else was asked
}

// newStage opens the shop. Whoever gets a stage closes it.
func newStage(p Page) (*stage, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	s := &stage{spec: p, services: services.Declare(), clients: map[string]services.Client{}}
	if err := s.open(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *stage) open() (err error) {
	if s.shop, err = simulator.New(simulator.Options{Now: noon}); err != nil {
		return err
	}
	if err = s.shop.Start(context.Background()); err != nil {
		return err
	}
	for _, name := range services.Names() {
		client, err := backend.New(backend.Options{Service: name, Instances: []string{s.shop.URL(name)}})
		if err != nil {
			return err
		}
		s.clients[name] = client
	}
	if err = s.services.Connect(s.clients); err != nil {
		return err
	}
	if err = s.find(); err != nil {
		return err
	}
	err = s.remember(command.Cache{})
	s.first = s.show(s.anybody())
	return err
}

func (s *stage) close() {
	for _, client := range s.clients {
		client.Close()
	}
	if s.shop != nil {
		s.shop.Close()
	}
}

// find makes the version, and finds the page in it.
func (s *stage) find() error {
	var versions []*adapter.Version
	var errs []error
	for _, maker := range s.spec.Version {
		v, err := maker(s.services)
		versions, errs = append(versions, v), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	set, err := adapter.NewSet(versions...)
	if err != nil {
		return err
	}
	version := set.All()[0]
	endpoint, known := version.Endpoint(s.spec.Path)
	if !known {
		return fmt.Errorf("%s has no page %s; it has %v", version, s.spec.Path, version.Paths())
	}
	s.endpoint = endpoint
	s.device, err = s.screen(version.Class)
	return err
}

func (s *stage) screen(class devices.Class) (*devices.Profile, error) {
	if s.spec.Device != nil {
		return s.spec.Device, nil
	}
	for _, p := range devices.Standard() {
		if p.Class == class {
			return &p, nil
		}
	}
	return nil, fmt.Errorf("there is no standard screen of class %s: set Page.Device", class)
}

// prove runs one proof from a healthy shop and with nothing remembered.
func (s *stage) prove(t reporter, proof func(reporter) error) {
	err := errors.Join(s.lose(), s.remember(command.Cache{}))
	if err == nil {
		err = proof(t)
	}
	if err != nil {
		t.Errorf("%s: %v", s.spec.Path, err)
	}
}

// remember has every command that changes nothing remember answers, and forget those
// that it does when the cache is zero.
func (s *stage) remember(c command.Cache) error {
	var errs []error
	for _, control := range s.services.Controls() {
		p := control.Policy()
		if p.Timeout = patience; p.Traits.Safe {
			p.Cache = c
		}
		p.Circuit.Volume, p.Circuit.Consecutive = never, never
		errs = append(errs, control.Configure(p))
	}
	return errors.Join(errs...)
}

// lose has these services refuse, and all others answer.
func (s *stage) lose(names ...string) error {
	s.shop.ClearFaults()
	var errs []error
	for _, name := range names {
		errs = append(errs, s.shop.SetFault(name, simulator.Fault{Status: http.StatusServiceUnavailable}))
	}
	return errors.Join(errs...)
}

// request is the page's own.
func (s *stage) request() *adapter.Request {
	return &adapter.Request{Device: s.device, User: s.spec.User, RawQuery: s.spec.Query}
}

// anybody is the page's request without a user.
func (s *stage) anybody() *adapter.Request {
	return &adapter.Request{Device: s.device, RawQuery: s.spec.Query}
}

// of is the request of a case.
func (s *stage) of(c Case) *adapter.Request {
	return &adapter.Request{Device: s.device, User: cmp.Or(c.User, s.spec.User), RawQuery: cmp.Or(c.Query, s.spec.Query)}
}

// healthy shows the page while all is well, or tells why there is none.
func (s *stage) healthy() (outcome, error) {
	whole := s.show(s.request())
	if whole.err != nil {
		return whole, fmt.Errorf("while every service answers there is no page: %w", whole.err)
	}
	return whole, nil
}
