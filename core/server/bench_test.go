package server_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/facet-gateway/facet/core/edge"
	"github.com/facet-gateway/facet/core/server"
)

// discard is an answer that nobody reads.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

// BenchmarkRequest is what a request costs beside its calls: with the log line,
// without it, and with admission but without a line.
func BenchmarkRequest(b *testing.B) {
	for name, limiter := range map[string]*edge.Limiter{"logged": nil, "unlogged": nil, "admitted": limiter(b, nil)} {
		b.Run(name, func(b *testing.B) {
			f := newFixture(b, func(o *server.Options) {
				o.LogRequests, o.Admission = name == "logged", limiter
				o.Log = slog.New(slog.NewJSONHandler(io.Discard, nil))
			})
			r := httptest.NewRequest(http.MethodGet, "/item?id=a", nil)
			r.Header.Set("X-Device-Type", "phone")
			b.ReportAllocs()
			for b.Loop() {
				f.Handler().ServeHTTP(&discard{http.Header{}}, r)
			}
		})
	}
}
