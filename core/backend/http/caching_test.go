package http_test

import (
	nethttp "net/http"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/report"
)

func TestCaching(t *testing.T) {
	const all = report.Unlimited
	cases := []struct {
		name    string
		headers []string
		want    report.Caching
	}{
		{"nothing said", nil, report.Caching{MaxAge: all}},
		{"no-store", []string{"Cache-Control: no-store"}, report.Caching{NoStore: true, MaxAge: all}},
		{"no-cache", []string{"cache-control: No-Cache"}, report.Caching{NoStore: true, MaxAge: all}},
		{
			"no-cache of a field", []string{`Cache-Control: no-cache="a, max-age=1", max-age=9`},
			report.Caching{NoStore: true, MaxAge: 9 * time.Second},
		},
		{"private", []string{"Cache-Control: private, max-age=5"}, report.Caching{NoStore: true, MaxAge: 5 * time.Second}},
		{"max-age", []string{"Cache-Control: public, max-age=60"}, report.Caching{MaxAge: time.Minute}},
		{"max-age in quotes", []string{`Cache-Control: max-age="60"`}, report.Caching{MaxAge: time.Minute}},
		{"s-maxage beats it", []string{"Cache-Control: s-maxage=90, max-age=60"}, report.Caching{MaxAge: 90 * time.Second}},
		{"the strictest of two", []string{"Cache-Control: max-age=60", "Cache-Control: max-age=30"}, report.Caching{MaxAge: 30 * time.Second}},
		{"two lines", []string{"Cache-Control: max-age=60", "Cache-Control: no-store"}, report.Caching{NoStore: true, MaxAge: time.Minute}},
		{"an age", []string{"Cache-Control: max-age=60", "Age: 45"}, report.Caching{MaxAge: 15 * time.Second}},
		{"a greater age", []string{"Cache-Control: max-age=60", "Age: 99"}, report.Caching{}},
		{"an age that is none", []string{"Cache-Control: max-age=60", "Age: old"}, report.Caching{MaxAge: time.Minute}},
		{"an age alone", []string{"Age: 9"}, report.Caching{MaxAge: all}},
		{"zero", []string{"Cache-Control: max-age=0"}, report.Caching{}},
		{"no number", []string{"Cache-Control: max-age=soon"}, report.Caching{}},
		{"no value", []string{"Cache-Control: max-age"}, report.Caching{}},
		{"negative", []string{"Cache-Control: max-age=-1"}, report.Caching{}},
		{"huge", []string{"Cache-Control: max-age=99999999999999999999"}, report.Caching{MaxAge: (1<<31 - 1) * time.Second}},
		{"must-revalidate", []string{"Cache-Control: max-age=9, Must-Revalidate"}, report.Caching{MaxAge: 9 * time.Second, NoStale: true}},
		{"proxy-revalidate", []string{"Cache-Control: proxy-revalidate"}, report.Caching{MaxAge: all, NoStale: true}},
		{
			"stale-if-error", []string{"Cache-Control: max-age=9, stale-if-error=60"},
			report.Caching{MaxAge: 9 * time.Second, StaleFor: time.Minute},
		},
		{"stale-if-error of nothing", []string{"Cache-Control: stale-if-error=0"}, report.Caching{MaxAge: all, NoStale: true}},
		{"stale-if-error that is none", []string{"Cache-Control: stale-if-error=x"}, report.Caching{MaxAge: all, NoStale: true}},
		{"unknown ones", []string{"Cache-Control: ,, x=\"y\\\"z, no-store\", =, immutable"}, report.Caching{MaxAge: all}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			address := replies(t, func(int, *nethttp.Request) (string, bool) { return okJSON(`{"id":"a"}`, c.headers...), true })
			client := newClient(t, http.Options{Instances: []string{"http://" + address}})
			ctx, call := withCall(t.Context())
			if _, err := http.GetJSON[product](ctx, client, "/p"); err != nil {
				t.Fatal(err)
			}
			if call.Caching != c.want {
				t.Errorf("got %+v, want %+v", call.Caching, c.want)
			}
		})
	}
}
