package telemetry

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// cellKey is a page as a class of device has it from a version of an adapter, in the
// words of [report.Exchange]. A page or a device that has no series of its own is "".
type cellKey struct{ page, device, version string }

// cell counts the requests of one page by one class of device to one version.
type cell struct {
	page, device, version string               // the labels
	requests              []prometheus.Counter // by slot of the status
	seconds               prometheus.Observer
	bytes                 prometheus.Counter
	runaways              prometheus.Counter
	fallbacks             prometheus.Counter

	parts atomic.Pointer[map[string]*part] // by name; copied to add one
	mu    sync.Mutex                       // one adds to parts
}

// table is the cells that there are. It never changes.
type table struct {
	devices map[string]bool // that have series of their own
	pairs   int             // of such a device and a version that has series of its own, too
	cells   map[cellKey]*cell
}

// What has series of its own: classes of devices, which come from the configuration
// and which a reload may change again and again, and pairs of a class and a version
// that has answered it. Each pair has some 40 series for each page.
const (
	deviceLimit = 64
	pairLimit   = 256
)

// cell returns the cell that counts a request. The versions of a class have theirs
// when the first of its requests comes to them: most versions of a build answer nobody,
// or one class of several. It is not for clients to say which do.
func (p *pages) cell(key cellKey) *cell {
	t := p.table.Load()
	if c := t.cells[key]; c != nil {
		return c
	}
	if c := t.cells[p.known(t, key)]; c != nil {
		return c
	}
	p.add(func(t *table) { p.addPair(t, key.device, key.version) })
	t = p.table.Load()
	return t.cells[p.known(t, key)]
}

// known puts what has a series in the place of what has none.
func (p *pages) known(t *table, key cellKey) cellKey {
	if !slices.Contains(p.names, key.page) {
		key.page = ""
	}
	if _, there := p.versions[key.version]; !there {
		key.version = other
	}
	if !t.devices[key.device] {
		key.page, key.device = "", ""
	}
	if key.version != "" && t.cells[key] == nil && (key.device == "" || t.pairs >= pairLimit) {
		key.version = other
	}
	return key
}

// addDevices makes the cells of further classes, each for the version that answers it
// where nothing else is said: they are there, at zero, before the first request.
func (p *pages) addDevices(answering map[string]string) {
	p.add(func(t *table) {
		for _, class := range slices.Sorted(maps.Keys(answering)) {
			if t.devices[class] || len(t.devices) < deviceLimit {
				t.devices[class] = true
				p.addPair(t, class, answering[class])
			}
		}
	})
}

// addPair makes the cells of all pages for a device and a version, if there are none.
// A request that came to no class came to no page either.
func (p *pages) addPair(t *table, device, version string) {
	key := p.known(t, cellKey{"", device, version})
	if t.cells[key] != nil {
		return
	}
	t.cells[key] = p.newCell(key)
	if key.device == "" {
		return
	}
	t.pairs++
	for _, key.page = range p.names {
		t.cells[key] = p.newCell(key)
	}
}

// add replaces the table by one to which more has been added.
func (p *pages) add(more func(*table)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.table.Load()
	next := &table{devices: maps.Clone(t.devices), pairs: t.pairs, cells: maps.Clone(t.cells)}
	more(next)
	p.table.Store(next)
}

func (p *pages) newCell(key cellKey) *cell {
	c := &cell{page: key.page, device: key.device, version: p.versions[key.version]}
	for _, label := range []*string{&c.page, &c.device} {
		if *label == "" {
			*label = other
		}
	}
	c.seconds = p.seconds.WithLabelValues(c.page, c.device, c.version)
	c.bytes = p.bytes.WithLabelValues(c.page, c.device, c.version)
	c.runaways = p.runaways.WithLabelValues(c.page, c.device, c.version)
	c.fallbacks = p.fallbacks.WithLabelValues(c.page, c.device, c.version)
	for _, code := range p.codes {
		c.requests = append(c.requests, p.requests.WithLabelValues(c.page, c.device, c.version, code))
	}
	c.parts.Store(&map[string]*part{})
	return c
}
