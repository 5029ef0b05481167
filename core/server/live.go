package server

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/passthrough"
	"github.com/facet-gateway/facet/devices"
)

// Live is what can change while the server serves: see [Server.Prepare]. All but
// CORS, RetryAfter, Routes and Statics is required. Nobody changes what it refers to once a server
// has it.
type Live struct {
	Devices     *devices.Resolver
	Versions    []*adapter.Version       // control, at most one a class: who answers where no rollout says otherwise
	Budgets     map[string]time.Duration // of each page, by its name, such as "productdetails"; > 0
	CORS        CORS
	RetryAfter  time.Duration // told with 503 and 429, in whole seconds, rounded up; 0: 5 s, the default sleep of a circuit
	LogRequests bool          // one line a request

	// Beside pages: what a service or the gateway itself answers. No path of them is a
	// page's.
	Routes  passthrough.Routes
	Statics map[string]*Static // by their paths

	Clients Clients // who follow what keeps coming; not needed where no version has such
}

// snapshot is a Live made ready, and never changes. A request takes the one in
// force when it begins, which costs one atomic load, and knows no other until its
// log line is written: it is wholly of one configuration.
type snapshot struct {
	Live
	handler    http.Handler
	classes    map[devices.Class]*adapter.Version
	paths      []string
	feeds      []string // the paths of what keeps coming
	fixed      fixedHeaders
	retryAfter []string
	cors       corsPolicy
}

// Prepare checks what is to be in force and makes it ready: what it returns puts
// it in force, which cannot fail. Requests that begin from then on are answered by
// it; those in progress end as they began. It returns an error, and changes
// nothing, when two versions are of one class, a class has no adapter, or a page
// has no budget. Safe for concurrent use; the last one applied is in force.
func (s *Server) Prepare(l Live) (apply func(), err error) {
	if l.Devices == nil {
		return nil, errors.New("server: Devices are required")
	}
	next := &snapshot{
		Live:       l,
		classes:    make(map[devices.Class]*adapter.Version),
		cors:       newCORS(l.CORS, l.Devices.Header(), s.Rollouts.headers()),
		retryAfter: wholeSeconds(l.RetryAfter),
	}
	next.fixed = newFixedHeaders(l.Devices, next.cors)
	if err := next.enlist(s.Build); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	next.handler = s.routes(next)
	return func() { s.live.Store(next) }, nil
}

// Live returns what is in force now. Nobody changes it.
func (s *Server) Live() Live { return s.live.Load().Live }

// enlist finds the version that answers each class that a device can be of.
func (l *snapshot) enlist(build *adapter.Set) error {
	of := make(map[devices.Class]*adapter.Version, len(l.Versions))
	for _, v := range l.Versions {
		if of[v.Class] != nil {
			return fmt.Errorf("two versions answer the class %s: %s and %s", v.Class, of[v.Class], v)
		}
		of[v.Class] = v
	}
	for _, class := range l.Devices.Classes() {
		profile, _ := l.Devices.Lookup(class)
		if l.classes[class] = of[profile.Adapter()]; l.classes[class] == nil {
			return fmt.Errorf("no adapter answers the device class %s", class)
		}
	}
	return l.list(build)
}

// list finds the paths of all versions that can be asked for one.
func (l *snapshot) list(build *adapter.Set) error {
	all := l.Versions
	if build != nil {
		all = append(build.All(), all...)
	}
	for _, v := range all {
		for _, path := range v.Paths() {
			if e, _ := v.Endpoint(path); l.Budgets[e.Name()] <= 0 {
				return fmt.Errorf("the page %s has no budget", e.Name())
			}
			if !slices.Contains(l.paths, path) {
				l.paths = append(l.paths, path)
			}
		}
	}
	return l.listFeeds(all)
}

// listFeeds finds the paths of what keeps coming.
func (l *snapshot) listFeeds(all []*adapter.Version) error {
	for _, v := range all {
		for _, path := range v.FeedPaths() {
			if slices.Contains(l.paths, path) {
				return fmt.Errorf("%s is a page of one version, and live in another", path)
			}
			if !slices.Contains(l.feeds, path) {
				l.feeds = append(l.feeds, path)
			}
		}
	}
	if len(l.feeds) > 0 {
		return l.Clients.check()
	}
	return nil
}

// routes gives every path of every version its handlers. Which version answers a
// request is not known before it comes: one may not have the page.
func (s *Server) routes(live *snapshot) http.Handler {
	e := echo.New()
	e.HTTPErrorHandler = func(err error, c echo.Context) { s.unrouted(live, err, c) }
	for _, path := range live.paths {
		e.Match([]string{http.MethodGet, http.MethodHead}, path, func(c echo.Context) error {
			s.exchange(live, c, func(x *exchange) error { return x.page(path) })
			return nil
		})
		e.OPTIONS(path, func(c echo.Context) error {
			s.exchange(live, c, (*exchange).options)
			return nil
		})
	}
	for _, path := range live.feeds {
		e.Match([]string{http.MethodGet, http.MethodHead}, path, func(c echo.Context) error {
			s.exchangeLive(live, c, path)
			return nil
		})
		e.OPTIONS(path, func(c echo.Context) error {
			s.exchange(live, c, func(x *exchange) error { return x.allow(liveAllowed, liveHeaders) })
			return nil
		})
	}
	return e
}
