package devices_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/devices"
)

// The claims of the package comment: well under 100 ns and no allocation by
// header, microseconds by user agent, whatever its length.
func BenchmarkResolve(b *testing.B) {
	r := newResolver(b, devices.Options{})
	huge := strings.Repeat("Tabl Pa Androi Mobil Smart-T ", 64<<10/29)
	for _, bench := range []struct {
		name   string
		header http.Header
	}{
		{"header", header(explicit, "tablet", "User-Agent", phoneAgent)},
		{"header-folded", header(explicit, "Tablet", "User-Agent", phoneAgent)},
		{"form-factors", header(forms, `"Desktop", "XR"`, "User-Agent", phoneAgent)},
		{"mobile", header(mobile, "?1", "User-Agent", phoneAgent)},
		{"agent", header("User-Agent", phoneAgent)},
		{"agent-64KiB", header("User-Agent", huge)},
		{"default", header()},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Resolve(bench.header); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
