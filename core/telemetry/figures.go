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
}

// figures are the metrics that are read from elsewhere.
type figures struct {
	all   []Figure
	descs []*prometheus.Desc
}

func newFigures(all []Figure) (*figures, error) {
	f := &figures{all: all}
	for _, one := range all {
		if one.Read == nil || (one.Label == "") != (len(one.Values) == 0) {
			return nil, errors.New("telemetry: " + one.Name + " needs Read, and Label with Values or neither")
		}
		var labels []string
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
		if one.Label == "" {
			to <- prometheus.MustNewConstMetric(f.descs[i], kind, one.Read(""))
		}
		for _, value := range one.Values {
			to <- prometheus.MustNewConstMetric(f.descs[i], kind, one.Read(value), value)
		}
	}
}
