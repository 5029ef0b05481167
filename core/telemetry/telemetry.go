// Package telemetry tells monitoring systems how the gateway is, in forms that
// they know: Prometheus' text, and the hystrix.stream of Netflix' dashboards.
//
// Pages are counted as they are answered (see [Telemetry.Observe]), below 1 µs
// each. Commands are not counted here at all: they count for themselves, and are
// read when somebody asks. What is never read costs nothing more.
//
// Every label has a closed set of values, made of the build and the configuration
// at start: no request, whatever it asks for, adds one. A path, a method or a
// device that is unknown counts under "other". A version of an adapter has series for
// a class of devices once it has answered one, which operators decide.
package telemetry

import (
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/report"
)

// Options is what there is to tell of. All may be empty.
type Options struct {
	Controls []*command.Control // of all commands, each name once
	Pages    []string           // the names of all pages, such as "productdetails"
	Routes   []string           // the names of what is answered beside pages, none of which is a page's; of no device and no version
	Versions []string           // the names of all versions of adapters, such as "phone/v1"
	Devices  map[string]string  // the version that answers where nothing else is said, by the class of the device
	Version  string             // of the build
	Figures  []Figure           // of other parts of the program, each name once
}

// Telemetry counts what is told to it and answers those who read. Safe for
// concurrent use.
type Telemetry struct {
	pages   *pages
	metrics http.Handler
	stream  *stream
}

// New returns a telemetry that has counted nothing yet. It starts nothing, so
// there is nothing to end. It returns an error when two commands have one name.
func New(o Options) (*Telemetry, error) {
	registry := prometheus.NewRegistry()
	figures, err := newFigures(o.Figures)
	if err != nil {
		return nil, err
	}
	t := &Telemetry{pages: newPages(&o), stream: newStream(o.Controls)}
	for _, c := range append(t.pages.collectors(),
		newCommands(o.Controls), figures,
		buildInfo(o.Version),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	) {
		if err := registry.Register(c); err != nil {
			return nil, fmt.Errorf("telemetry: %w", err)
		}
	}
	if err := distinct(o.Controls); err != nil {
		return nil, err
	}
	t.metrics = metrics(registry)
	return t, nil
}

func distinct(controls []*command.Control) error {
	seen := make(map[string]bool, len(controls))
	for _, c := range controls {
		if seen[c.Name()] {
			return fmt.Errorf("telemetry: two commands are called %s", c.Name())
		}
		seen[c.Name()] = true
	}
	return nil
}

// Observe counts a request that has been answered. It takes less than 1 µs and,
// but for the first requests of each kind, no memory.
func (t *Telemetry) Observe(x report.Exchange) { t.pages.observe(&x) }

// AddDevices gives further classes of devices series of their own, after a reload, and
// the versions that answer them (see [Options]); beyond 64 classes they count as
// "other". Those that are gone keep theirs.
func (t *Telemetry) AddDevices(answering map[string]string) { t.pages.addDevices(answering) }

// Handlers returns what the private port has to answer, by path.
func (t *Telemetry) Handlers() map[string]http.Handler {
	all := map[string]http.Handler{"/metrics": t.metrics, "/hystrix.stream": t.stream}
	for path, handler := range all {
		all[path] = exactly(path, handler)
	}
	return all
}
