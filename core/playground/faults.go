package playground

import (
	"errors"
	"net/http"

	"github.com/facet-gateway/facet/core/fault"
)

func (p *Playground) faults(*http.Request) (any, error) { return p.Faults.Faults(), nil }

func (p *Playground) putFault(r *http.Request) (any, error) {
	var body struct {
		Fault string `json:"fault"`
	}
	if err := read(r, &body); err != nil {
		return nil, err
	}
	return p.setFault(r.PathValue("service"), body.Fault)
}

func (p *Playground) heal(r *http.Request) (any, error) {
	return p.setFault(r.PathValue("service"), healthy)
}

func (p *Playground) healAll(r *http.Request) (any, error) {
	for service := range p.Faults.Faults() {
		if err := p.Faults.SetFault(service, healthy); err != nil {
			return nil, err
		}
	}
	return p.faults(r)
}

const healthy = "none"

// setFault tells all faults, so that the page shows what is there. A service
// that is not there is a path that is not.
func (p *Playground) setFault(service, text string) (any, error) {
	err := p.Faults.SetFault(service, text)
	var f *fault.Error
	if errors.As(err, &f) && f.Field == "service" {
		return nil, &fault.Error{Code: fault.NotFound, Field: f.Field, Detail: f.Detail}
	}
	if err != nil {
		return nil, err
	}
	return p.Faults.Faults(), nil
}
