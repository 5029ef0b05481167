package playground

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/devices"
)

// Traffic has many users ask for pages, as real requests of the public port. One load
// is sent at a time. Safe for concurrent use.
type Traffic interface {
	// Send begins a load, whose bounds have been checked. It fails with code Conflict
	// while another one is sent.
	Send(Load) error
	// Stop ends the load that is sent, if there is one, and waits for its end.
	Stop()
	// Sent tells of the load that is sent, else of the last one.
	Sent() Sent
}

// Load is which pages are asked for, and how fast.
type Load struct {
	Class  devices.Class // of the devices
	Target string        // path and query
	Rate   int           // requests a second, 1 to 100
	For    time.Duration // at most a minute
}

// Sent is how a load does. The zero value is of none.
type Sent struct {
	Running  bool
	Load     Load
	Left     time.Duration // until it ends by itself
	Requests int           // that were answered, of them
	Failed   int           // with a status of 500 or above, or not at all
	Skipped  int           // never sent: too many were waiting
}

// The bounds of a load.
const (
	maxRate = 100
	maxFor  = time.Minute
)

// load is a [Load] as the page says it.
type load struct {
	Class   string `json:"class"`
	Path    string `json:"path"`
	Rate    int    `json:"rate"`
	Seconds int    `json:"seconds"`
}

// sent is a [Sent] as the page reads it.
type sent struct {
	Running  bool    `json:"running"`
	Class    string  `json:"class,omitempty"`
	Target   string  `json:"target,omitempty"`
	Rate     int     `json:"rate"`
	Left     float64 `json:"left_s"`
	Requests int     `json:"requests"`
	Failed   int     `json:"failed"`
	Skipped  int     `json:"skipped"`
}

var errNoTraffic = fault.New(fault.NotFound, "nothing here can send traffic")

func (p *Playground) traffic(*http.Request) (any, error) {
	if p.Traffic == nil {
		return nil, errNoTraffic
	}
	s := p.Traffic.Sent()
	return sent{
		s.Running, string(s.Load.Class), s.Load.Target, s.Load.Rate, s.Left.Seconds(), s.Requests, s.Failed, s.Skipped,
	}, nil
}

func (p *Playground) sendTraffic(r *http.Request) (any, error) {
	if p.Traffic == nil {
		return nil, errNoTraffic
	}
	var asked load
	if err := read(r, &asked); err != nil {
		return nil, err
	}
	checked, err := p.load(&asked)
	if err != nil {
		return nil, err
	}
	if err := p.Traffic.Send(checked); err != nil {
		return nil, err //nolint:wrapcheck // it says why
	}
	return p.traffic(r)
}

func (p *Playground) stopTraffic(r *http.Request) (any, error) {
	if p.Traffic != nil {
		p.Traffic.Stop()
	}
	return p.traffic(r)
}

func (p *Playground) load(asked *load) (Load, error) {
	const most = int(maxFor / time.Second)
	_, known := p.Server.Live().Devices.Lookup(devices.Class(asked.Class))
	at := slices.IndexFunc(p.endpoints(), func(e endpoint) bool { return e.Path == asked.Path })
	switch {
	case !known:
		return Load{}, fault.InvalidField("class", "there is no such class of devices")
	case at < 0:
		return Load{}, fault.InvalidField("path", "no version has this path")
	case asked.Rate < 1 || asked.Rate > maxRate:
		return Load{}, fault.InvalidField("rate", fmt.Sprintf("must be 1 to %d requests a second", maxRate))
	case asked.Seconds < 1 || asked.Seconds > most:
		return Load{}, fault.InvalidField("seconds", fmt.Sprintf("must be 1 to %d", most))
	}
	return Load{
		Class: devices.Class(asked.Class), Target: p.endpoints()[at].target(), Rate: asked.Rate, For: time.Duration(asked.Seconds) * time.Second,
	}, nil
}

// target is the path with an example of each parameter that it needs.
func (e *endpoint) target() string {
	query := make(url.Values)
	for _, one := range e.Parameters {
		if one.Required {
			query.Set(one.Name, one.Example)
		}
	}
	target := url.URL{Path: e.Path, RawQuery: query.Encode()}
	return target.String()
}
