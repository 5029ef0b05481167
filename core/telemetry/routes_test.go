package telemetry_test

import (
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/telemetry"
)

// TestRoutesHaveSeries: what is answered beside pages is of no device and no version, and
// a name that was not there at the start adds nothing.
func TestRoutesHaveSeries(t *testing.T) {
	tel, err := telemetry.New(telemetry.Options{
		Pages: []string{"item"}, Routes: []string{"cart-api", "static"}, Devices: map[string]string{"tv": ""},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []string{"cart-api", "cart-api", "static", "another"} {
		tel.Observe(report.Exchange{Report: report.New("r", report.Trace{}), Page: page, Status: 200, Bytes: 7, Took: time.Millisecond})
	}
	series := scrape(t, tel)
	expect(t, series, map[string]float64{
		`facet_requests_total{code="200",device="other",page="cart-api",version="none"}`: 2,
		`facet_requests_total{code="200",device="other",page="static",version="none"}`:   1,
		`facet_requests_total{code="200",device="other",page="other",version="none"}`:    1,
		`facet_response_bytes_total{device="other",page="cart-api",version="none"}`:      14,
	})
	for name := range series {
		if strings.Contains(name, "another") || strings.Contains(name, `device="tv",page="cart-api"`) {
			t.Errorf("a series that should not be there: %s", name)
		}
	}
}
