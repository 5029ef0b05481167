package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/server"
	"github.com/facet-gateway/facet/devices"
)

// edition is one of two configurations that differ in all that an answer shows.
type edition struct {
	live                         server.Live
	version, header, origin, sec string
	extra                        int // the status of a path that only one of them has
}

// editions returns both, for the pages of f's backend.
func (f *fixture) editions(t testing.TB) [2]edition {
	t.Helper()
	both := [2]edition{
		{version: "v1", header: "X-Device-Type", origin: "https://one.example", sec: "7", extra: http.StatusNotFound},
		{version: "v2", header: "X-Screen", origin: "https://two.example", sec: "9", extra: http.StatusOK},
	}
	for i := range both {
		e := &both[i]
		resolver, err := devices.NewResolver(devices.Options{Header: e.header})
		if err != nil {
			t.Fatal(err)
		}
		e.live = server.Live{
			Devices: resolver, Budgets: map[string]time.Duration{"item": 10 * time.Second, "extra": 10 * time.Second},
			CORS: server.CORS{Origins: []string{e.origin}, MaxAge: time.Duration(i+1) * time.Minute}, RetryAfter: time.Duration(7+2*i) * time.Second,
		}
		for _, class := range resolver.Classes() {
			endpoints := []adapter.Endpoint{adapter.Page("/item", f.backend.pages)}
			if e.extra == http.StatusOK {
				endpoints = append(endpoints, adapter.Page("/extra", f.backend.optional))
			}
			v, err := adapter.New(class, e.version, endpoints...)
			if err != nil {
				t.Fatal(err)
			}
			e.live.Versions = append(e.live.Versions, v)
		}
	}
	return both
}

// showing says which of the two an answer shows, and everything in it that is of
// the other one.
func showing(both [2]edition, r *http.Response, path string) (which int, mixed []string) {
	vary := r.Header.Get("Vary")
	if strings.Contains(vary, both[1].header) {
		which = 1
	}
	e := both[which]
	check := func(what, got, want string) {
		if got != want {
			mixed = append(mixed, fmt.Sprintf("%s %q, want %q", what, got, want))
		}
	}
	origin := ""
	if which == 0 { // whose origin every request sends
		origin = both[0].origin
	}
	check("origin", r.Header.Get("Access-Control-Allow-Origin"), origin)
	switch path {
	case "/extra?id=a":
		check("status", fmt.Sprint(r.StatusCode), fmt.Sprint(e.extra))
	case "/item?id=fault-open":
		check("retry", r.Header.Get("Retry-After"), e.sec)
		fallthrough
	default:
		check("adapter", r.Header.Get("Facet-Adapter"), "phone/"+e.version)
	}
	return which, mixed
}

// put puts an edition in force.
func (f *fixture) put(t testing.TB, l server.Live) {
	t.Helper()
	apply, err := f.Prepare(l)
	if err != nil {
		t.Fatal(err)
	}
	apply()
}

// TestLiveUnderLoad changes everything as fast as it can, under load, on a real
// port: each request is answered, and by one configuration alone.
func TestLiveUnderLoad(t *testing.T) {
	f := newFixture(t, func(o *server.Options) { o.Limits.ReadTimeout, o.Limits.WriteTimeout = time.Minute, time.Minute })
	both := f.editions(t)
	f.put(t, both[0].live)
	address, stop := serve(t, f)
	var over atomic.Bool
	var seen [2]atomic.Int64
	var clients sync.WaitGroup
	for c := range 4 {
		clients.Go(func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport, Timeout: time.Minute}
			for i := 0; !over.Load(); i++ {
				path := []string{"/item?id=a", "/item?id=fault-open", "/extra?id=a"}[(i+c)%3]
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
				if err != nil {
					t.Error(err)
					return
				}
				r.Header.Set("Origin", both[0].origin)
				answer, err := client.Do(r)
				if err != nil {
					t.Errorf("a request was lost: %v", err)
					return
				}
				_ = answer.Body.Close() // the next request may need a connection of its own
				which, mixed := showing(both, answer, path)
				if len(mixed) > 0 {
					t.Errorf("%s by edition %d: %v", path, which, mixed)
				}
				seen[which].Add(1)
			}
		})
	}
	deadline := time.Now().Add(30 * time.Second)
	reloads := 0
	for (seen[0].Load() < 300 || seen[1].Load() < 300 || reloads < 2000) && time.Now().Before(deadline) && !t.Failed() {
		reloads++
		f.put(t, both[reloads%2].live)
	}
	over.Store(true)
	clients.Wait()
	if a, b := seen[0].Load(), seen[1].Load(); a < 300 || b < 300 {
		t.Errorf("%d and %d answers of the two editions in %d changes: the test does not test", a, b, reloads)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

// TestRequestEndsAsItBegan changes the configuration while a page is being made.
func TestRequestEndsAsItBegan(t *testing.T) {
	f := newFixture(t, nil)
	both := f.editions(t)
	both[0].live.Budgets["item"] = 200 * time.Millisecond
	both[0].live.LogRequests = true
	f.put(t, both[0].live)
	const path = "/item?id=hang"
	answers := make(chan *http.Response)
	go func() { answers <- f.do("GET", path, "Origin: "+both[0].origin) }()
	waitUntil(t, func() bool { _, live := f.backend.count(); return live == 1 })
	f.put(t, both[1].live)
	r := <-answers
	if which, mixed := showing(both, r, path); which != 0 || len(mixed) > 0 || r.StatusCode != http.StatusGatewayTimeout {
		t.Errorf("%d by edition %d: %v", r.StatusCode, which, mixed)
	}
	if lines := f.log.lines(t); len(lines) != 1 {
		t.Errorf("log %v, want a line: the request began while lines were written", lines)
	}
	if which, mixed := showing(both, f.do("GET", "/extra?id=a", "Origin: "+both[0].origin), "/extra?id=a"); which != 1 || len(mixed) > 0 {
		t.Errorf("the next request by edition %d: %v", which, mixed)
	}
	if lines := f.log.lines(t); len(lines) != 1 {
		t.Errorf("log %v, want none of the second request", lines)
	}
}

// TestTrialFollowsTheConfiguration: a trial is of what is in force, too.
func TestTrialFollowsTheConfiguration(t *testing.T) {
	f := newFixture(t, nil)
	both := f.editions(t)
	for _, e := range both {
		f.put(t, e.live)
		if got := f.Try(nil, trialRequest("/item?id=a", e.header+": tv")); got.Version != "tv/"+e.version {
			t.Errorf("%s: version %q", e.version, got.Version)
		}
		if f.Live().Devices != e.live.Devices {
			t.Errorf("%s: Live is another one", e.version)
		}
	}
}

func TestPrepareRefusesAndChangesNothing(t *testing.T) {
	f := newFixture(t, nil)
	good := f.options.Live
	for want, change := range map[string]func(*server.Live){
		"Devices are required":            func(l *server.Live) { l.Devices = nil },
		"two versions answer the class":   func(l *server.Live) { l.Versions = append(l.Versions, l.Versions[0]) },
		"the page item has no budget":     func(l *server.Live) { l.Budgets = map[string]time.Duration{"item": 0, "extra": 1} },
		"no adapter answers the device c": func(l *server.Live) { l.Versions = l.Versions[:2] },
	} {
		l := good
		change(&l)
		if apply, err := f.Prepare(l); err == nil || apply != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if r := f.do("GET", "/item?id=a", "X-Device-Type: tablet"); r.StatusCode != http.StatusOK {
		t.Errorf("status %d after refused changes", r.StatusCode)
	}
}

// BenchmarkPrepare is what a change costs beside what is prepared elsewhere.
func BenchmarkPrepare(b *testing.B) {
	f := newFixture(b, nil)
	b.ReportAllocs()
	for b.Loop() {
		f.put(b, f.options.Live)
	}
}
