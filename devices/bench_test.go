package devices_test

import (
	"net/http"
	"testing"

	"github.com/facet-gateway/facet/devices"
)

// The claims of the package comment: well under 100 ns and no allocation by
// header, microseconds by user agent, and far less than a millisecond by one of
// 64 KiB, whatever is in it.
func BenchmarkResolve(b *testing.B) {
	r := newResolver(b, devices.Options{})
	const television = "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.6099.270 Safari/537.36"
	for _, bench := range []struct {
		name   string
		header http.Header
	}{
		{"header", header(explicit, "tablet", "User-Agent", phoneAgent)},
		{"header-folded", header(explicit, "Tablet", "User-Agent", phoneAgent)},
		{"form-factors", header(forms, `"Desktop", "XR"`, "User-Agent", phoneAgent)},
		{"mobile", header(mobile, "?1", "User-Agent", phoneAgent)},
		{"agent", header("User-Agent", phoneAgent)},
		{"agent-tv", header("User-Agent", television)},
		{"agent-desktop", header("User-Agent", desktopAgent)},
		{"agent-tool", header("User-Agent", "curl/8.9.1")},
		{"agent-64KiB", header("User-Agent", hostile("Tabl Pa Androi Mobil Smart-T "))},
		{"agent-64KiB-digits", header("User-Agent", hostile(" 55fe5"))},
		{"agent-64KiB-words", header("User-Agent", hostile(" sm-"))},
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
