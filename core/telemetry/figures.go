package telemetry

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// Figure is a metric of a part of the program that knows nothing of Prometheus. It
// is read when somebody asks.
type Figure struct {
	Name    string // such as "facet_admission_limit"; a counter's ends in "_total"
	Help    string // one sentence
	Label   string // whose values tell the series apart; "": there is one series
	Values  []string
	Counter bool // it only grows
	Read    func(value string) float64

	// Labels and Tell are instead of Label, Values and Read, of a metric with more than one
	// label: Tell tells each series that there is now, of which there must be few.
	Labels []string
	Tell   func(tell func(n float64, values ...string))
}

func (f *Figure) check() error {
	switch {
	case f.Tell != nil && (f.Read != nil || len(f.Labels) == 0 || f.Label != "" || len(f.Values) > 0):
		return errors.New("telemetry: " + f.Name + " needs Tell with Labels, and nothing of Label, Values and Read")
	case f.Tell == nil && (f.Read == nil || (f.Label == "") != (len(f.Values) == 0) || len(f.Labels) > 0):
		return errors.New("telemetry: " + f.Name + " needs Read, and Label with Values or neither")
	}
	return nil
}

// figures are the metrics that are read from elsewhere.
type figures struct {
	all   []Figure
	descs []*prometheus.Desc
}

func newFigures(all []Figure) (*figures, error) {
	f := &figures{all: all}
	for _, one := range all {
		if err := one.check(); err != nil {
			return nil, err
		}
		labels := one.Labels
		if one.Label != "" {
			labels = []string{one.Label}
		}
		f.descs = append(f.descs, prometheus.NewDesc(one.Name, one.Help, labels, nil))
	}
	return f, nil
}

// Describe names what Collect tells.
func (f *figures) Describe(to chan<- *prometheus.Desc) {
	for _, d := range f.descs {
		to <- d
	}
}

// Collect reads the figures.
func (f *figures) Collect(to chan<- prometheus.Metric) {
	for i, one := range f.all {
		kind := prometheus.GaugeValue
		if one.Counter {
			kind = prometheus.CounterValue
		}
		if one.Tell != nil {
			one.Tell(func(n float64, values ...string) { to <- prometheus.MustNewConstMetric(f.descs[i], kind, n, values...) })
			continue
		}
		if one.Label == "" {
			to <- prometheus.MustNewConstMetric(f.descs[i], kind, one.Read(""))
		}
		for _, value := range one.Values {
			to <- prometheus.MustNewConstMetric(f.descs[i], kind, one.Read(value), value)
		}
	}
}
