// Package server is the public port: one request from its header to its answer
// (see request.go), errors as problem+json, and the life of the listener. It is
// the place where echo is, with thin handlers on an http.Server of its own
// whose every limit is set.
package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

// Options is what a server needs. All but CORS is required.
type Options struct {
	Devices     *devices.Resolver
	Versions    []*adapter.Version       // at most one a class
	Budgets     map[string]time.Duration // of each page, by its name, such as "productdetails"; > 0
	Auth        string                   // AuthNone or AuthHeader
	CORS        CORS
	Limits      Limits
	Log         *slog.Logger
	LogRequests bool // one line a request
}

// How the server learns who asks.
const (
	AuthNone   = "none"   // it does not: everybody is anonymous
	AuthHeader = "header" // X-User-Id is believed: for demonstrations and behind a trusted proxy
)

// Limits bounds what one client can hold. Every field is > 0 but DrainDelay,
// GzipMin and RetryAfter, which may be 0.
type Limits struct {
	ReadHeaderTimeout time.Duration
	ReadTimeout       time.Duration
	WriteTimeout      time.Duration
	IdleTimeout       time.Duration
	MaxHeaderBytes    int // net/http admits 4 KiB more
	MaxHeaderLines    int
	DrainDelay        time.Duration // from unready to the shutdown
	ShutdownTimeout   time.Duration // for the requests in progress
	GzipMin           int           // bytes; a smaller answer is sent as it is
	RetryAfter        time.Duration // told with 503 and 429, in whole seconds, rounded up; 0: 5 s, the default sleep of a circuit
}

// Server answers the requests of the public port. Safe for concurrent use.
type Server struct {
	Options
	handler    http.Handler
	classes    map[devices.Class]*adapter.Version
	fixed      fixedHeaders
	retryAfter []string
	cors       corsPolicy
	workers    stream.Workers
	life       life
}

// New returns a server. It returns an error when two versions are of one class,
// a class has no adapter, or a page has no budget.
func New(o Options) (*Server, error) {
	if o.Devices == nil || o.Log == nil {
		return nil, errors.New("server: Devices and Log are required")
	}
	s := &Server{Options: o, classes: make(map[devices.Class]*adapter.Version), cors: newCORS(o.CORS, o.Devices.Header())}
	s.fixed, s.retryAfter = newFixedHeaders(o.Devices, s.cors), wholeSeconds(o.Limits.RetryAfter)
	if err := s.enlist(o.Versions); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	s.handler = s.routes()
	return s, nil
}

// enlist finds the version that answers each class that a device can be of.
func (s *Server) enlist(versions []*adapter.Version) error {
	of := make(map[devices.Class]*adapter.Version, len(versions))
	for _, v := range versions {
		if of[v.Class] != nil {
			return fmt.Errorf("two versions answer the class %s: %s and %s", v.Class, of[v.Class], v)
		}
		of[v.Class] = v
		for _, path := range v.Paths() {
			if e, _ := v.Endpoint(path); s.Budgets[e.Name()] <= 0 {
				return fmt.Errorf("the page %s has no budget", e.Name())
			}
		}
	}
	for _, class := range s.Devices.Classes() {
		profile, _ := s.Devices.Lookup(class)
		if s.classes[class] = of[profile.Adapter()]; s.classes[class] == nil {
			return fmt.Errorf("no adapter answers the device class %s", class)
		}
	}
	return nil
}

// routes gives every path of every version its handlers.
func (s *Server) routes() http.Handler {
	e := echo.New()
	e.HTTPErrorHandler = s.unrouted
	known := map[string]bool{}
	for _, v := range s.Versions {
		for _, path := range v.Paths() {
			if known[path] {
				continue
			}
			known[path] = true
			e.Match([]string{http.MethodGet, http.MethodHead}, path, func(c echo.Context) error {
				s.exchange(c, func(x *exchange) error { return x.page(path) })
				return nil
			})
			e.OPTIONS(path, func(c echo.Context) error {
				s.exchange(c, (*exchange).options)
				return nil
			})
		}
	}
	return e
}

// unrouted answers what no handler has: an unknown path, or a wrong method.
func (s *Server) unrouted(err error, c echo.Context) {
	s.exchange(c, func(x *exchange) error {
		var refused *echo.HTTPError
		if errors.As(err, &refused) && refused.Code == http.StatusMethodNotAllowed {
			x.w.Header()["Allow"] = allowed
			return fault.New(fault.MethodNotAllowed, "this path knows GET, HEAD and OPTIONS")
		}
		if x.trial != nil && x.trial.version != nil {
			return x.page(c.Request().URL.Path) // which no version but this one may have
		}
		return fault.New(fault.NotFound, "there is no such path")
	})
}

// Handler returns the handler of the public port, for tests.
func (s *Server) Handler() http.Handler { return s.handler }
