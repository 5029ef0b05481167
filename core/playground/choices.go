package playground

import (
	"maps"
	"net/http"
	"slices"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/server"
)

// choices is what the page offers.
type choices struct {
	DeviceHeader string     `json:"device_header"`
	Endpoints    []endpoint `json:"endpoints"`
	Classes      []class    `json:"classes"`
	Agents       []Agent    `json:"agents"`
	Users        []string   `json:"users"`
	Services     []string   `json:"services"`
	Traffic      bool       `json:"traffic"` // whether some can be sent
}

// endpoint is a path that any version has.
type endpoint struct {
	Path       string      `json:"path"`
	Versions   []string    `json:"versions"` // that have it, such as "phone/v1"
	Parameters []parameter `json:"parameters"`
}

type parameter struct {
	Name     string `json:"name"`
	Required bool   `json:"required"`
	Must     string `json:"must"` // completes "must be …"
	Pattern  string `json:"pattern"`
	Example  string `json:"example"`
}

// class is a kind of device, with the versions that can answer it.
type class struct {
	Name     string   `json:"name"`
	Chosen   string   `json:"chosen"` // the version that answers it unless another one is asked for
	Versions []string `json:"versions"`
}

func (p *Playground) choices(*http.Request) (any, error) {
	live := p.Server.Live()
	return choices{
		DeviceHeader: live.Devices.Header(),
		Endpoints:    p.endpoints(),
		Classes:      p.classes(live),
		Agents:       p.Agents,
		Users:        p.Users,
		Services:     slices.Sorted(maps.Keys(p.Faults.Faults())),
		Traffic:      p.Traffic != nil,
	}, nil
}

// endpoints are the paths of all versions, each once: a parameter that only one
// of them reads does the others no harm.
func (p *Playground) endpoints() []endpoint {
	var all []endpoint
	for _, v := range p.Versions.All() {
		for _, path := range v.Paths() {
			i := slices.IndexFunc(all, func(e endpoint) bool { return e.Path == path })
			if i < 0 {
				i = len(all)
				all = append(all, endpoint{Path: path, Parameters: []parameter{}})
			}
			e, _ := v.Endpoint(path)
			all[i].add(v, e.Parameters, p.Examples)
		}
	}
	return all
}

func (e *endpoint) add(v *adapter.Version, parameters []adapter.Parameter, examples map[string]string) {
	e.Versions = append(e.Versions, v.String())
	for _, one := range parameters {
		if !slices.ContainsFunc(e.Parameters, func(p parameter) bool { return p.Name == one.Name }) {
			e.Parameters = append(e.Parameters, parameter{one.Name, one.Required, one.Must, one.Pattern, examples[one.Name]})
		}
	}
}

func (p *Playground) classes(live server.Live) []class {
	var all []class
	for _, name := range live.Devices.Classes() {
		profile, _ := live.Devices.Lookup(name)
		one := class{Name: string(name)}
		for _, v := range live.Versions {
			if v.Class == profile.Adapter() {
				one.Chosen = v.String()
			}
		}
		for _, v := range p.Versions.All() {
			if v.Class == profile.Adapter() {
				one.Versions = append(one.Versions, v.String())
			}
		}
		all = append(all, one)
	}
	return all
}
