package telemetry_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/telemetry"
)

var errUnknown = fault.New(fault.NotFound, "")

var shop = telemetry.Options{
	Pages: []string{"home", "item"}, Version: "v1.2.3",
	Versions: []string{"tv/v1", "tv/v2", "phone/v1", "phone/v2"}, Devices: map[string]string{"tv": "tv/v1", "phone": "phone/v1"},
}

// scrape returns every series by its name and labels, as the text has them.
func scrape(t testing.TB, on *telemetry.Telemetry) map[string]float64 {
	t.Helper()
	series := map[string]float64{}
	for line := range strings.Lines(text(t, on)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		name, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
		if !strings.Contains(line, "}") {
			name, value, _ = strings.Cut(strings.TrimSpace(line), " ")
		} else {
			name += "}"
		}
		n, err := strconv.ParseFloat(value, 64)
		if _, twice := series[name]; err != nil || twice {
			t.Fatalf("%q: %v, twice: %v", line, err, twice)
		}
		series[name] = n
	}
	return series
}

func text(t testing.TB, on *telemetry.Telemetry) string {
	t.Helper()
	answer := get(t, on, "GET", "/metrics")
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != 200 {
		t.Fatalf("%d %v: %s", answer.StatusCode, err, body)
	}
	return string(body)
}

// ours keeps the series of the gateway: Go's own come and go.
func ours(all map[string]float64) map[string]float64 {
	kept := map[string]float64{}
	for name, value := range all {
		if strings.HasPrefix(name, "facet_") {
			kept[name] = value
		}
	}
	return kept
}

func expect(t *testing.T, series map[string]float64, want map[string]float64) {
	t.Helper()
	for name, value := range want {
		if got, there := series[name]; !there || got != value {
			t.Errorf("%s: %v (there: %v), want %v", name, got, there, value)
		}
	}
}

func withParts(parts ...report.Part) *report.Report {
	r := report.New("", report.Trace{})
	r.Parts = parts
	return r
}

func TestRequestsAreCounted(t *testing.T) {
	on := newTelemetry(t, shop)
	parts := withParts(
		report.Part{Name: "catalog", Mark: report.Mark{Rung: report.Live}},
		report.Part{Name: "reviews", Mark: report.Mark{Rung: report.Stale, Reason: fault.ReasonTimeout}},
		report.Part{Name: "rows", Mark: report.Mark{Rung: report.Live}, Holes: report.Holes{Count: 2, Reason: fault.ReasonNotFound}},
	)
	for range 3 {
		on.Observe(report.Exchange{
			Report: parts, Page: "item", Device: "tv", Version: "tv/v1", Status: 200, Bytes: 1000, Took: 15 * time.Millisecond,
		})
	}
	on.Observe(report.Exchange{
		Report: withParts(), Page: "home", Device: "phone", Version: "phone/v1", Status: 503, Bytes: 10, Took: time.Minute, Runaways: 2,
	})
	on.Observe(report.Exchange{Report: withParts(), Page: "", Device: "phone", Version: "phone/v1", Status: 404, Bytes: 5})
	on.Observe(report.Exchange{Report: withParts(), Page: "", Device: "", Status: 499})
	on.Observe(report.Exchange{Report: withParts(), Page: "home", Device: "tv", Version: "tv/v1", Status: 777})
	expect(t, scrape(t, on), map[string]float64{
		`facet_build_info{version="v1.2.3"}`:                                                                        1,
		`facet_requests_total{code="200",device="tv",page="item",version="v1"}`:                                     3,
		`facet_requests_total{code="503",device="tv",page="item",version="v1"}`:                                     0,
		`facet_requests_total{code="503",device="phone",page="home",version="v1"}`:                                  1,
		`facet_requests_total{code="404",device="phone",page="other",version="v1"}`:                                 1,
		`facet_requests_total{code="499",device="other",page="other",version="none"}`:                               1,
		`facet_requests_total{code="other",device="tv",page="home",version="v1"}`:                                   1,
		`facet_request_duration_seconds_bucket{device="tv",page="item",version="v1",le="0.01"}`:                     0,
		`facet_request_duration_seconds_bucket{device="tv",page="item",version="v1",le="0.02"}`:                     3,
		`facet_request_duration_seconds_sum{device="tv",page="item",version="v1"}`:                                  0.045,
		`facet_request_duration_seconds_bucket{device="phone",page="home",version="v1",le="10"}`:                    0,
		`facet_request_duration_seconds_count{device="phone",page="home",version="v1"}`:                             1,
		`facet_response_bytes_total{device="tv",page="item",version="v1"}`:                                          3000,
		`facet_response_bytes_total{device="phone",page="other",version="v1"}`:                                      5,
		`facet_runaways_total{device="phone",page="home",version="v1"}`:                                             2,
		`facet_page_parts_total{device="tv",page="item",part="catalog",reason="none",rung="live",version="v1"}`:     3,
		`facet_page_parts_total{device="tv",page="item",part="reviews",reason="timeout",rung="stale",version="v1"}`: 3,
		`facet_page_parts_total{device="tv",page="item",part="rows",reason="not_found",rung="live",version="v1"}`:   3,
	})
}

// TestAgesAreCounted: of what is remembered, and of nothing else.
func TestAgesAreCounted(t *testing.T) {
	on := newTelemetry(t, shop)
	before := ours(scrape(t, on))
	page := func(device string, parts ...report.Part) {
		on.Observe(report.Exchange{Report: withParts(parts...), Page: "item", Device: device, Version: device + "/v1", Status: 200})
	}
	page("tv", report.Part{Name: "catalog", Mark: report.Mark{Rung: report.Live}},
		report.Part{Name: "cart", Mark: report.Mark{Rung: report.Missing}},
		report.Part{Name: "recommendations", Mark: report.Mark{Rung: report.Default, Reason: fault.ReasonOpen}})
	if after := scrape(t, on); after[`facet_part_age_seconds_count{page="item",part="catalog",rung="live"}`] != 0 ||
		len(ours(after)) != len(before)+3 {
		t.Errorf("%d series, %d before: parts without an age have one", len(ours(after)), len(before))
	}
	cached := report.Part{Name: "catalog", Mark: report.Mark{Age: 400 * time.Millisecond}}
	stale := report.Part{Name: "catalog", Mark: report.Mark{Rung: report.Stale, Age: 95 * time.Second, Reason: fault.ReasonTimeout}}
	page("tv", cached)
	page("phone", cached)
	page("phone", stale)
	series := func(kind, rung string) string {
		return `facet_part_age_seconds_` + kind + `{page="item",part="catalog",rung="` + rung + `"}`
	}
	bucket := func(rung, le string) string {
		return `facet_part_age_seconds_bucket{page="item",part="catalog",rung="` + rung + `",le="` + le + `"}`
	}
	expect(t, scrape(t, on), map[string]float64{
		series("count", "cached"): 2, series("sum", "cached"): 0.8, bucket("cached", "0.1"): 0, bucket("cached", "1"): 2,
		series("count", "stale"): 1, series("sum", "stale"): 95, bucket("stale", "60"): 0, bucket("stale", "300"): 1,
		bucket("stale", "2.592e+06"): 1,
	})
	lint(t, text(t, on), true)
}

// TestSeriesAreFixed: whatever is asked for, and even if adapters named their
// parts after it, there are no more series than the build has words for.
func TestSeriesAreFixed(t *testing.T) {
	on := newTelemetry(t, shop)
	versions := append([]string{"", "of another build"}, shop.Versions...)
	for _, version := range versions {
		for _, device := range []string{"tv", "phone", ""} {
			on.Observe(report.Exchange{Report: withParts(), Device: device, Version: version})
		}
	}
	before := ours(scrape(t, on))
	random := rand.New(rand.NewPCG(1, 2))
	word := func(known ...string) string {
		if n := random.IntN(2 * len(known)); n < len(known) {
			return known[n]
		}
		return fmt.Sprintf("%x\"\n\\{}", random.Uint64())
	}
	attack := func(parts ...report.Part) {
		on.Observe(report.Exchange{
			Report: withParts(parts...), Page: word("home", "item", "other", ""), Device: word("tv", "phone", "other", ""),
			Version: word("tv/v1", "tv/v2", "phone/v1", "phone/v2", "v1", "other", "none", ""), Failed: word("tv/v2", "other", ""),
			Status: random.IntN(1000) - 100, Bytes: random.IntN(100), Took: time.Duration(random.Int64()), Runaways: random.IntN(2),
		})
	}
	for range 20_000 {
		attack()
	}
	if after := ours(scrape(t, on)); len(after) != len(before) {
		t.Errorf("%d series, %d before", len(after), len(before))
	}
	for range 20_000 {
		attack(report.Part{
			Name:  word("catalog", "reviews"),
			Mark:  report.Mark{Rung: report.Rung(random.IntN(256)), Reason: fault.Reason(random.IntN(256))},
			Holes: report.Holes{Reason: fault.Reason(random.IntN(256))},
		})
	}
	names := map[string]bool{}
	after := ours(scrape(t, on))
	for name := range after {
		if _, part, found := strings.Cut(name, `part="`); found && strings.HasPrefix(name, "facet_page_parts_total") {
			part, _, _ = strings.Cut(part, `",reason`)
			names[part] = true
		}
	}
	cells := (len(shop.Pages)+1)*len(shop.Devices)*len(versions) + 2
	const remembered, series = 2, 15 // rungs that have an age; buckets, sum and count
	limit := len(before) + cells*33*(len(report.Rungs())*(len(fault.Reasons())+1)+remembered*series)
	if len(after) > limit || len(names) > cells*33 || !names["other"] {
		t.Errorf("%d series of at most %d; %d names of parts", len(after), limit, len(names))
	}
	for range 1000 { // more of the same adds none
		attack(report.Part{Name: word("catalog"), Mark: report.Mark{Rung: report.Live}})
	}
	if again := ours(scrape(t, on)); len(again)-len(after) > 2*cells { // its two names, live
		t.Errorf("%d series, %d before", len(again), len(after))
	}
}

func TestDevicesOfAReload(t *testing.T) {
	on := newTelemetry(t, shop)
	watch := report.Exchange{Report: withParts(), Page: "item", Device: "watch", Version: "phone/v1", Status: 200}
	on.Observe(watch)
	before := ours(scrape(t, on))
	on.AddDevices(map[string]string{"watch": "phone/v1", "tv": "tv/v1", "phone": "phone/v1"})
	on.Observe(watch)
	after := ours(scrape(t, on))
	expect(t, after, map[string]float64{
		`facet_requests_total{code="200",device="other",page="other",version="other"}`: 1,
		`facet_requests_total{code="200",device="watch",page="item",version="v1"}`:     1,
		`facet_requests_total{code="200",device="watch",page="home",version="v1"}`:     0,
	})
	if added := len(after) - len(before); added != (len(shop.Pages)+1)*ofOneCell(before) {
		t.Errorf("%d series, %d before", len(after), len(before))
	}
	for i := range 500 {
		on.AddDevices(map[string]string{fmt.Sprint("class", i): "phone/v1"})
	}
	many := map[string]bool{}
	for name := range scrape(t, on) {
		if _, device, found := strings.Cut(name, `device="`); found {
			device, _, _ = strings.Cut(device, `"`)
			many[device] = true
		}
	}
	if len(many) != 65 || !many["watch"] || !many["class0"] {
		t.Errorf("%d classes", len(many))
	}
}

// ofOneCell returns how many series a page, a device and a version have together,
// without those of parts.
func ofOneCell(series map[string]float64) (n int) {
	for name := range series {
		if strings.Contains(name, `device="other"`) && strings.Contains(name, `version="other"`) {
			n++
		}
	}
	return n
}

// TestVersionsHaveSeries once they have answered a class, for all of its pages; the
// one that answers where nothing else is said has them before.
func TestVersionsHaveSeries(t *testing.T) {
	on := newTelemetry(t, shop)
	before := ours(scrape(t, on))
	expect(t, before, map[string]float64{
		`facet_requests_total{code="503",device="phone",page="home",version="v1"}`:    0,
		`facet_requests_total{code="404",device="other",page="other",version="none"}`: 0,
	})
	cells := len(shop.Devices)*(len(shop.Pages)+1) + 1
	if n := (len(before) - 1) / cells; (len(before)-1)%cells != 0 || n > 40 { // one is of the build
		t.Errorf("%d series of %d cells", len(before), cells)
	}
	for name := range before {
		if strings.Contains(name, `version="v2"`) || strings.Contains(name, `version="none"`) && !strings.Contains(name, `device="other"`) {
			t.Errorf("%s before anybody had that version", name)
		}
	}
	candidate := report.Exchange{
		Report: withParts(report.Part{Name: "rows", Mark: report.Mark{Rung: report.Live}}),
		Page:   "item", Device: "phone", Version: "phone/v2", Status: 200,
	}
	on.Observe(candidate)
	after := ours(scrape(t, on))
	expect(t, after, map[string]float64{
		`facet_requests_total{code="200",device="phone",page="item",version="v2"}`:                              1,
		`facet_requests_total{code="200",device="phone",page="item",version="v1"}`:                              0,
		`facet_requests_total{code="500",device="phone",page="home",version="v2"}`:                              0,
		`facet_version_fallbacks_total{device="phone",page="item",version="v2"}`:                                0,
		`facet_page_parts_total{device="phone",page="item",part="rows",reason="none",rung="live",version="v2"}`: 1,
	})
	one := (len(before) - 1) / cells
	if added := len(after) - len(before); added != (len(shop.Pages)+1)*one+1 {
		t.Errorf("a version more has %d series", added)
	}
	on.AddDevices(map[string]string{"phone": "phone/v2"})
	if again := ours(scrape(t, on)); len(again) != len(after) {
		t.Errorf("%d series, %d before it was promoted", len(again), len(after))
	}
	on.AddDevices(map[string]string{"tv": "tv/v2"})
	expect(t, scrape(t, on), map[string]float64{`facet_requests_total{code="200",device="tv",page="item",version="v2"}`: 0})
}

// TestAVersionThatPanicsIsToldOf, though control has the request.
func TestAVersionThatPanicsIsToldOf(t *testing.T) {
	on := newTelemetry(t, shop)
	on.Observe(report.Exchange{Report: withParts(), Page: "item", Device: "phone", Version: "phone/v1", Failed: "phone/v2", Status: 200})
	expect(t, scrape(t, on), map[string]float64{
		`facet_version_fallbacks_total{device="phone",page="item",version="v2"}`:   1,
		`facet_version_fallbacks_total{device="phone",page="item",version="v1"}`:   0,
		`facet_requests_total{code="200",device="phone",page="item",version="v2"}`: 0,
		`facet_requests_total{code="200",device="phone",page="item",version="v1"}`: 1,
	})
}

// TestPairsAreBounded: of a build with more versions than anybody has, each request
// counts for its class and its page all the same.
func TestPairsAreBounded(t *testing.T) {
	o := telemetry.Options{Pages: []string{"item"}, Devices: map[string]string{}}
	const classes, versions = 10, 100
	for i := range classes {
		for j := range versions {
			o.Versions = append(o.Versions, fmt.Sprintf("class%d/v%d", i, j))
		}
		o.Devices[fmt.Sprint("class", i)] = fmt.Sprintf("class%d/v0", i)
	}
	on := newTelemetry(t, o)
	for range 2 {
		for i, version := range o.Versions {
			on.Observe(report.Exchange{Report: withParts(), Page: "item", Device: fmt.Sprint("class", i/versions), Version: version, Status: 200})
		}
	}
	pairs, counted := 0, map[string]float64{}
	for name, n := range scrape(t, on) {
		if _, device, found := strings.Cut(name, `code="200",device="`); found && strings.Contains(name, `page="item"`) {
			device, _, _ = strings.Cut(device, `"`)
			counted[device] += n
			pairs++
		}
	}
	for i := range classes {
		if n := counted[fmt.Sprint("class", i)]; n != 2*versions {
			t.Errorf("class%d has %v requests", i, n)
		}
	}
	if pairs < 256 || pairs > 256+classes {
		t.Errorf("%d pairs", pairs)
	}
}

func TestObserveFromManyGoroutines(t *testing.T) {
	on := newTelemetry(t, shop)
	var all sync.WaitGroup
	const each = 500
	for g := range 8 {
		all.Go(func() {
			for i := range each {
				part := report.Part{Name: fmt.Sprint("part", (g+i)%40), Mark: report.Mark{Rung: report.Live}}
				version := shop.Versions[(g+i)%2]
				on.Observe(report.Exchange{Report: withParts(part), Page: "item", Device: "tv", Version: version, Status: 200})
			}
		})
	}
	scrape(t, on)
	all.Wait()
	var parts, requests float64
	for name, n := range scrape(t, on) {
		switch {
		case strings.HasPrefix(name, "facet_page_parts_total"):
			parts += n
		case strings.HasPrefix(name, "facet_requests_total"):
			requests += n
		}
	}
	if requests != 8*each || parts != 8*each {
		t.Errorf("%v requests, %v parts", requests, parts)
	}
}

// TestPromtool asks Prometheus' own linter about all that there is.
func TestPromtool(t *testing.T) {
	c := newCommand("test.promtool")
	ask(t, c, good)
	ask(t, c, failing)
	o := shop
	o.Controls = []*command.Control{c.Control}
	on := newTelemetry(t, o)
	on.Observe(report.Exchange{Report: withParts(report.Part{Name: "a"}), Page: "item", Device: "tv", Version: "tv/v2", Status: 200})
	lint(t, text(t, on), true)
	lint(t, "# HELP facet_time_ms Time.\n# TYPE facet_time_ms counter\nfacet_time_ms 1\n", false)
}

func lint(t *testing.T, metrics string, clean bool) {
	t.Helper()
	promtool := exec.Command("promtool", "check", "metrics")
	promtool.Stdin = strings.NewReader(metrics)
	said, err := promtool.CombinedOutput()
	if (err == nil && len(said) == 0) != clean {
		t.Errorf("promtool: %v %s", err, said)
	}
}

func TestTwoCommandsOfOneName(t *testing.T) {
	one, two := newCommand("test.twice"), newCommand("test.twice")
	if _, err := telemetry.New(telemetry.Options{Controls: []*command.Control{one.Control, two.Control}}); err == nil {
		t.Error("taken")
	}
}

// BenchmarkObserve is of a page with one stale part, and BenchmarkObserveCached of
// one whose parts are all remembered: each of them has an age to be taken down.
func BenchmarkObserve(b *testing.B) { benchmarkObserve(b, report.Live) }

func BenchmarkObserveCached(b *testing.B) { benchmarkObserve(b, report.Cached) }

func benchmarkObserve(b *testing.B, rung report.Rung) {
	on := newTelemetry(b, shop)
	var parts []report.Part
	for _, name := range []string{"catalog", "cart", "orders", "reviews", "inventory", "shipping", "recommendations"} {
		parts = append(parts, report.Part{Name: name, Mark: report.Mark{Rung: rung}})
	}
	parts[3].Mark = report.Mark{Rung: report.Stale, Reason: fault.ReasonTimeout}
	x := report.Exchange{
		Report: withParts(parts...), Page: "item", Device: "phone", Version: "phone/v2", Status: 200, Bytes: 2500, Took: 6 * time.Millisecond,
	}
	b.ReportAllocs()
	for b.Loop() {
		on.Observe(x)
	}
}

// BenchmarkObserveUnknown is of a path that there is not.
func BenchmarkObserveUnknown(b *testing.B) {
	on := newTelemetry(b, shop)
	x := report.Exchange{Report: withParts(), Status: 404}
	b.ReportAllocs()
	for b.Loop() {
		on.Observe(x)
	}
}

// BenchmarkObserveOther is of a version without series of its own.
func BenchmarkObserveOther(b *testing.B) {
	on := newTelemetry(b, shop)
	x := report.Exchange{Report: withParts(), Page: "item", Device: "phone", Version: "phone/v9", Status: 200}
	b.ReportAllocs()
	for b.Loop() {
		on.Observe(x)
	}
}

// BenchmarkFirstOfAVersion is the one request that a version's series are made for.
func BenchmarkFirstOfAVersion(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		on := newTelemetry(b, shop)
		b.StartTimer()
		on.Observe(report.Exchange{Report: withParts(), Page: "item", Device: "phone", Version: "phone/v2", Status: 200})
	}
}

func BenchmarkScrape(b *testing.B) {
	o := shop
	for i := range 15 {
		c := newCommand(fmt.Sprintf("bench.scraped%d", i))
		ask(b, c, good)
		o.Controls = append(o.Controls, c.Control)
	}
	on := newTelemetry(b, o)
	b.ReportAllocs()
	for b.Loop() {
		text(b, on)
	}
}
