package simulator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

// further is a service's way to be called beside HTTP. What comes by it is answered as
// the equal request over HTTP is, with the same fault, see [service.take].
type further interface {
	// start binds and serves; it returns once calls can come. What it starts ends with
	// close, or if it fails. The context bounds the start only.
	start(ctx context.Context) error
	url() string
	// drop breaks every connection off, as the service falls; what comes while it is
	// down is broken off, too.
	drop()
	// close ends it, and what it started. life, of the service, has ended by then.
	close()
}

// liveFurther is one that publishes changes elsewhere than it is called.
type liveFurther interface {
	liveURL() string
}

// furtherBinding is a transport that a service speaks beside HTTP.
type furtherBinding struct {
	service, transport string
	bind               func(*service, *store, *Options) further
}

func furtherBindings() []furtherBinding {
	return []furtherBinding{
		{"cart", "grpc", bindCartGRPC},
		{"orders", "thrift", bindOrdersThrift},
		{"inventory", "nats", bindInventoryNATS},
		{"inventory", "zmq", bindInventoryZMQ},
		{"shipping", "amqp", bindShippingAMQP},
	}
}

// speak gives the services the transports that the options ask for.
func (s *Simulator) speak(backend *store, o *Options) error {
	var known []string
	for _, b := range furtherBindings() {
		known = append(known, b.transport)
		if slices.Contains(o.Transports, b.transport) {
			one := s.byName[b.service]
			if one.further == nil {
				one.further = make(map[string]further)
			}
			one.further[b.transport] = b.bind(one, backend, o)
		}
	}
	for _, name := range o.Transports {
		if !slices.Contains(known, name) {
			return fault.InvalidField("transports", fmt.Sprintf("there is no transport %q; there are %v", name, known))
		}
	}
	return nil
}

// startFurther starts what the services speak beside HTTP. If one cannot start, none
// stays.
func (s *Simulator) startFurther(ctx context.Context) error {
	var open []further
	for _, one := range s.services {
		for transport, f := range one.further {
			if err := f.start(ctx); err != nil {
				for _, f := range open {
					f.close()
				}
				return fmt.Errorf("%s over %s: %w", one.name, transport, err)
			}
			open = append(open, f)
		}
	}
	return nil
}

func (s *Simulator) closeFurther() {
	for _, one := range s.services {
		for _, f := range one.further {
			f.close()
		}
	}
}

// Address returns where a service listens for calls over a transport, such as
// grpc://127.0.0.1:9002; "" of one that it does not speak, and before Start.
func (s *Simulator) Address(service, transport string) string {
	one, known := s.byName[service]
	switch {
	case !known:
		return ""
	case transport == "http":
		return one.url()
	case one.further[transport] == nil || one.bound.Load() == nil:
		return ""
	}
	return one.further[transport].url()
}

// LiveAddress returns where a service publishes its changes over a transport, such as
// tcp://127.0.0.1:9106; "" if that is where it is called, or nowhere, and before Start.
func (s *Simulator) LiveAddress(service, transport string) string {
	if s.Address(service, transport) == "" {
		return ""
	}
	if f, has := s.byName[service].further[transport].(liveFurther); has {
		return f.liveURL()
	}
	return ""
}

// errBrokenOff is the end of a call that gets no answer: its connection is broken off.
var errBrokenOff = errors.New("broken off")

// take answers a call that came by another transport, as r, the equal request over HTTP,
// is answered: with its counts, after the latency of the service's fault, and with the
// errors that it injects. harm is what is left to do to the answer, of the kinds
// of [spoil] and Reset, in the transport's own form. It fails with errBrokenOff if there
// is to be no answer.
func (s *service) take(r *http.Request) (a *answer, harm Fault, err error) {
	s.counts.enter()
	defer s.leave(r)
	if s.observe != nil {
		s.observe(s.name, r)
	}
	i, result := s.endure(r.Context())
	switch {
	case result == refused:
		return errorAnswer(http.StatusServiceUnavailable, "overloaded"), Fault{}, nil
	case result == gone:
		return nil, Fault{}, errBrokenOff
	case i == nil:
		return s.answer(r), Fault{}, nil
	}
	defer i.leave()
	if share := i.errorShare(); share > 0 && s.random.float() < share {
		return errorAnswer(i.errorStatus(), "injected"), Fault{}, nil
	}
	if i.Down {
		return nil, Fault{}, errBrokenOff
	}
	a = s.answer(r)
	return a, i.Fault, i.dripAll(r.Context(), len(a.body))
}

// dripAll waits for as long as an answer of some bytes drips.
func (i *injury) dripAll(ctx context.Context, bytes int) error {
	if i.Drip == 0 {
		return nil
	}
	timer := time.NewTimer(i.Drip * time.Duration(bytes))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-i.replaced:
	case <-ctx.Done():
		return errBrokenOff
	}
	return nil
}
