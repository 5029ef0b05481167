// Package simulator is the backend that the gateway composes: the nine services
// of the shop, each an HTTP server on a socket of its own, with faults on
// demand. Data is that of testdata/shop, what is derived from it (reviews,
// recommendations) follows from a seed, and times follow from an injected clock:
// the same question gets the same bytes.
//
// A further socket, the control, sets and clears faults while it runs and tells
// how many requests each service has had:
//
//	GET    /services          the services and where they listen
//	GET    /faults            the fault of each service
//	PUT    /faults/{service}  sets one: the text of ParseFault, or a JSON object
//	DELETE /faults/{service}  clears one; DELETE /faults clears all
//	PUT    /stock/{product}   {"available": N} changes the inventory's stock, and publishes it
//	GET    /stats             requests, in flight, aborted; DELETE /stats resets
//
// The access token of user u-7 is "token-u-7", and so on. The simulator serves
// plain HTTP to whoever reaches it: it belongs on loopback. Without a fault a
// request costs little beyond what net/http does, as answers are encoded once
// and remembered (16 MB at most).
package simulator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/testdata/shop"
)

// Options are the knobs of a simulator. The zero value listens on free ports of
// loopback, without faults.
type Options struct {
	Host       string            // to listen on, for services without an address of their own; "": 127.0.0.1
	Addresses  map[string]string // host:port of a service, by name; left out: a free port of Host
	Transports []string          // that the services speak beside HTTP, each that has it; none
	Brokers    map[string]string // URLs of those that lead to the services, by transport
	Control    string            // host:port of the control; "": a free port of Host
	Seed       uint64            // of reviews, recommendations and random faults
	Now        func() time.Time  // the clock of dates in answers; nil: time.Now
	Faults     map[string]Fault  // to begin with, by service

	// Observe, if set, sees each request before it is answered. It is called
	// from many goroutines at once and must not keep or change the request.
	Observe func(service string, r *http.Request)
}

// Simulator runs the services. All methods are safe for concurrent use.
type Simulator struct {
	services []*service // in the order of names
	byName   map[string]*service
	control  *host
	address  string // to ask for, of the control
	backend  *store
	changing sync.Mutex // held while a stock changes

	mu      sync.Mutex
	state   state
	bound   net.Listener // of the control
	stop    context.CancelFunc
	running sync.WaitGroup
}

type state uint8

const (
	idle state = iota
	started
	closed
)

// New returns a simulator that does not listen yet. It fails on the name of an
// unknown service or a fault that makes no sense, with the field at fault.
func New(o Options) (*Simulator, error) {
	if o.Host == "" {
		o.Host = "127.0.0.1"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	data, err := shop.Load()
	if err != nil {
		return nil, err
	}
	s := &Simulator{byName: map[string]*service{}, address: orFree(o.Control, o.Host)}
	s.control = newHost(s.controlHandler())
	backend, err := newStore(data, o.Seed, o.Now)
	if err != nil {
		return nil, err
	}
	s.backend = backend
	for i, b := range bindings {
		one := newService(b.name, b.bind(backend), rand.New(rand.NewPCG(o.Seed, uint64(i))))
		one.address = orFree(o.Addresses[b.name], o.Host)
		one.observe = o.Observe
		s.services = append(s.services, one)
		s.byName[b.name] = one
	}
	if err := s.speak(backend, &o); err != nil {
		return nil, err
	}
	return s, s.begin(o)
}

// begin checks the names in the options and sets the first faults.
func (s *Simulator) begin(o Options) error {
	for name := range o.Addresses {
		if _, err := s.find(name); err != nil {
			return err
		}
	}
	for name, f := range o.Faults {
		if err := s.SetFault(name, f); err != nil {
			return err
		}
	}
	return nil
}

func orFree(address, host string) string {
	if address != "" {
		return address
	}
	return net.JoinHostPort(host, "0")
}

// Start binds every socket and serves until Close. If one cannot be bound, none
// stays bound. The context bounds the binding only. It may be called once.
func (s *Simulator) Start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state != idle {
		return errors.New("simulator: it was started before")
	}
	control, err := s.bind(ctx)
	if err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	// The life of the servers is not that of ctx: Close ends it.
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.state, s.stop, s.bound = started, stop, control
	for _, one := range s.services {
		one.serve(life, one.bound.Load(), &s.running)
	}
	s.control.serve(life, control, &s.running)
	if err := s.startFurther(ctx); err != nil {
		s.stop()
		s.endHTTP()
		s.state = closed
		return fmt.Errorf("simulator: %w", err)
	}
	return nil
}

// bind opens the listeners of the services, and of the control, which it returns.
func (s *Simulator) bind(ctx context.Context) (net.Listener, error) {
	var config net.ListenConfig
	var open []net.Listener
	listen := func(name, address string) (net.Listener, error) {
		l, err := config.Listen(ctx, "tcp", address)
		if err != nil {
			for _, l := range open {
				_ = l.Close() // the first failure is the one to tell
			}
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		open = append(open, l)
		return l, nil
	}
	for _, one := range s.services {
		l, err := listen(one.name, one.address)
		if err != nil {
			return nil, err
		}
		one.bound.Store(&gate{Listener: l, service: one})
	}
	return listen("control", s.address)
}

// Close ends the servers, every connection and every request, hung ones too, and
// returns when all of it has ended. Later calls do nothing.
func (s *Simulator) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == started {
		s.stop()
		s.closeFurther()
		s.endHTTP()
	}
	s.state = closed
}

func (s *Simulator) endHTTP() {
	s.control.close()
	for _, one := range s.services {
		one.close()
	}
	s.running.Wait()
}

// Services returns the names of the services, in a fixed order.
func (s *Simulator) Services() []string {
	names := make([]string, len(s.services))
	for i, one := range s.services {
		names[i] = one.name
	}
	return names
}

// URL returns where a service listens, such as http://127.0.0.1:9001; "" of an
// unknown service and before Start.
func (s *Simulator) URL(service string) string {
	one, known := s.byName[service]
	if !known {
		return ""
	}
	return one.url()
}

// ControlURL returns where the control listens; "" before Start.
func (s *Simulator) ControlURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bound == nil {
		return ""
	}
	return "http://" + s.bound.Addr().String()
}

// SetFault gives a service a fault from the next request on; the zero Fault
// heals it, and lets requests that hang be answered. It fails with the field.
func (s *Simulator) SetFault(service string, f Fault) error {
	one, err := s.find(service)
	if err != nil {
		return err
	}
	if err := f.validate(); err != nil {
		return err
	}
	one.set(f)
	return nil
}

// ClearFaults heals every service.
func (s *Simulator) ClearFaults() {
	for _, one := range s.services {
		one.set(Fault{})
	}
}

// Faults returns the fault of each service.
func (s *Simulator) Faults() map[string]Fault {
	all := make(map[string]Fault, len(s.services))
	for _, one := range s.services {
		all[one.name] = one.fault()
	}
	return all
}

// Stats returns the counts of a service; zeros of an unknown one.
func (s *Simulator) Stats(service string) Stats {
	one, known := s.byName[service]
	if !known {
		return Stats{}
	}
	return one.counts.stats()
}

// ResetStats sets all counts to zero, but for what is in flight.
func (s *Simulator) ResetStats() {
	for _, one := range s.services {
		one.counts.reset()
	}
}

func (s *Simulator) find(name string) (*service, error) {
	if one, known := s.byName[name]; known {
		return one, nil
	}
	return nil, fault.InvalidField("service", fmt.Sprintf("there is no service %q; there are %v", name, s.Services()))
}
