package telemetry

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// Values of labels: for all that has none of its own, and where no version was chosen.
const (
	other = "other"
	none  = "none"
)

// pages are the metrics of requests.
type pages struct {
	requests  *prometheus.CounterVec
	seconds   *prometheus.HistogramVec
	bytes     *prometheus.CounterVec
	parts     *prometheus.CounterVec
	ages      *prometheus.HistogramVec
	runaways  *prometheus.CounterVec
	fallbacks *prometheus.CounterVec
	codes     []string // in the order of their slots
	slots     map[int]int
	names     []string
	versions  map[string]string // what the label says of each, by its name

	table atomic.Pointer[table] // replaced to add to it
	mu    sync.Mutex            // one replaces it
}

// partLimit is how many parts of a page have names of their own. Names come
// from the code of adapters: none has so many, but one that made its names of
// what a client sends must not fill the memory of who reads.
const partLimit = 32

// part counts how a part of a page stood.
type part struct {
	name   string
	counts [report.Missing + 1][fault.ReasonCanceled + 1]atomic.Pointer[prometheus.Counter]
	ages   [report.Missing + 1]atomic.Pointer[prometheus.Observer]
}

// The bounds of a page's duration, in seconds: dense below and around the
// budget of a page, 0.8 s unless the configuration says otherwise.
func pageBounds() []float64 {
	return []float64{.002, .005, .01, .02, .05, .1, .2, .3, .5, .8, 1, 2, 5, 10}
}

// The bounds of the age of what is remembered, in seconds: from what is kept for a
// burst to the 30 days that a policy can have.
func ageBounds() []float64 {
	return []float64{.1, 1, 5, 15, 60, 300, 900, 3600, 6 * 3600, 24 * 3600, 7 * 24 * 3600, 30 * 24 * 3600}
}

func newPages(o *Options) *pages {
	labels := []string{"page", "device", "version"}
	p := &pages{
		requests: counter("facet_requests_total", "Requests to the public port by the status of the answer; 499: the client went away.",
			append(labels, "code")...),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "facet_request_duration_seconds", Help: "Time from a request's header to the end of its answer.", Buckets: pageBounds(),
		}, labels),
		bytes: counter("facet_response_bytes_total", "Bytes of answers' bodies as sent, compressed or not.", labels...),
		parts: counter("facet_page_parts_total",
			"Parts of pages by the rung they stood on and why; a live part with a reason has holes in its lists.",
			append(labels, "part", "rung", "reason")...),
		ages: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "facet_part_age_seconds", Help: "Age of the oldest remembered answer in a part of a page.", Buckets: ageBounds(),
		}, []string{"page", "part", "rung"}),
		runaways: counter("facet_runaways_total", "Goroutines of pages that outlived their request.", labels...),
		fallbacks: counter("facet_version_fallbacks_total",
			"Requests that control answered because this version panicked, or was not there; control's other metrics have them.", labels...),
		names:    slices.Clone(o.Pages),
		versions: labelsOf(o.Versions),
	}
	p.number()
	p.table.Store(&table{devices: make(map[string]bool), cells: make(map[cellKey]*cell)})
	p.add(func(t *table) {
		for _, name := range append([]string{""}, o.Routes...) {
			t.cells[cellKey{page: name}] = p.newCell(cellKey{page: name})
		}
	})
	p.addDevices(o.Devices)
	return p
}

// labelsOf says what the label has of each version. A series tells the class of the
// device: that of the adapter would tell nothing more.
func labelsOf(versions []string) map[string]string {
	labels := map[string]string{"": none, other: other}
	for _, name := range versions {
		labels[name] = name[strings.LastIndexByte(name, '/')+1:]
	}
	return labels
}

func counter(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

// number gives each status that the gateway answers with a slot, the last one to
// any other.
func (p *pages) number() {
	statuses := []int{http.StatusOK, http.StatusNoContent, http.StatusNotModified}
	for _, c := range fault.Codes() {
		statuses = append(statuses, c.Status())
	}
	slices.Sort(statuses)
	p.slots = make(map[int]int, len(statuses))
	for i, status := range slices.Compact(statuses) {
		p.slots[status] = i
		p.codes = append(p.codes, strconv.Itoa(status))
	}
	p.codes = append(p.codes, other)
}

func (p *pages) collectors() []prometheus.Collector {
	return []prometheus.Collector{p.requests, p.seconds, p.bytes, p.parts, p.ages, p.runaways, p.fallbacks}
}

func (p *pages) observe(x *report.Exchange) {
	c := p.cell(cellKey{x.Page, x.Device, x.Version})
	slot, known := p.slots[x.Status]
	if !known {
		slot = len(p.codes) - 1
	}
	c.requests[slot].Inc()
	c.seconds.Observe(x.Took.Seconds())
	c.bytes.Add(float64(x.Bytes))
	if x.Runaways > 0 {
		c.runaways.Add(float64(x.Runaways))
	}
	if x.Failed != "" {
		p.cell(cellKey{x.Page, x.Device, x.Failed}).fallbacks.Inc()
	}
	for i := range x.Report.Parts {
		p.stand(c, &x.Report.Parts[i])
	}
}

// stand counts a part of a page where it stood.
func (p *pages) stand(c *cell, of *report.Part) {
	counted := (*c.parts.Load())[of.Name]
	if counted == nil {
		counted = c.part(of.Name)
	}
	rung, reason := of.Mark.Rung, of.Reason()
	if int(rung) >= len(counted.counts) || int(reason) >= len(counted.counts[rung]) {
		rung, reason = report.Missing, fault.None // there is none such; it stays one series
	}
	count := counted.counts[rung][reason].Load()
	if count == nil {
		made := p.parts.WithLabelValues(c.page, c.device, c.version, counted.name, rung.String(), reason.String())
		count = &made // the vector gives everybody the same
		counted.counts[rung][reason].Store(count)
	}
	(*count).Inc()
	if rung == report.Cached || rung == report.Stale { // as in Facet-Parts: what else there is has no age
		p.age(c, counted, rung, of.Mark.Age)
	}
}

// age takes down how old a part was that was remembered. Devices and versions share
// a series: there are as many buckets to each, and they share what is remembered.
func (p *pages) age(c *cell, of *part, rung report.Rung, age time.Duration) {
	observer := of.ages[rung].Load()
	if observer == nil {
		made := p.ages.WithLabelValues(c.page, of.name, rung.String())
		observer = &made // the vector gives everybody the same
		of.ages[rung].Store(observer)
	}
	(*observer).Observe(age.Seconds())
}

// part returns what counts a part that is seen for the first time, or once more
// beyond the limit.
func (c *cell) part(name string) *part {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := *c.parts.Load()
	if len(known) >= partLimit {
		name = other
	}
	if p := known[name]; p != nil {
		return p
	}
	more := maps.Clone(known)
	more[name] = &part{name: name}
	c.parts.Store(&more)
	return more[name]
}
