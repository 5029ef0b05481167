package telemetry

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Limits of those who scrape: one beside another, and a third that is curious.
const (
	scrapers      = 3
	scrapeTimeout = 10 * time.Second
)

// metrics answers with all that is registered, in the format that the reader
// prefers (https://prometheus.io/docs/instrumenting/exposition_formats/).
// Further readers than three at once get a 503.
func metrics(registry *prometheus.Registry) http.Handler {
	all := promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: scrapers, Timeout: scrapeTimeout})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !reads(w, r, http.MethodGet, http.MethodHead) {
			return
		}
		forbidCaching(w.Header())
		all.ServeHTTP(w, r)
	})
}

func buildInfo(version string) prometheus.Collector {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "facet_build_info", Help: "1, with the version of the build.", ConstLabels: prometheus.Labels{"version": version},
	})
	info.Set(1)
	return info
}
