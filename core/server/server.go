// Package server is the public port: one request from its header to its answer
// (see request.go), errors as problem+json, and the life of the listener. It is
// the place where echo is, with thin handlers on an http.Server of its own
// whose every limit is set.
package server

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/edge"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// Options is what a server needs: what is in force at first, and what stays.
type Options struct {
	Live
	Fixed
}

// Fixed is what stays as long as the server does. Auth, Limits and Log are required.
type Fixed struct {
	Auth   string // AuthNone or AuthHeader
	Limits Limits
	Log    *slog.Logger

	Admission *edge.Limiter // of pages in progress; nil: all are admitted

	// Build is all versions that rollouts can name; nil: none. Rollouts is what says
	// so; nil: those of Live answer everybody.
	Build    *adapter.Set
	Rollouts *Rollouts

	// Observe is told of every request when it has been answered, on the goroutine
	// that served it; nil: nobody is.
	Observe func(report.Exchange)
}

// How the server learns who asks.
const (
	AuthNone   = "none"   // it does not: everybody is anonymous
	AuthHeader = "header" // X-User-Id is believed: for demonstrations and behind a trusted proxy
)

// Limits bounds what one client can hold. Every field is > 0 but DrainDelay and
// GzipMin, which may be 0.
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
}

// Server answers the requests of the public port. Safe for concurrent use.
type Server struct {
	Fixed
	live    atomic.Pointer[snapshot]
	workers stream.Workers
	life    life
	room    *room // of those who follow what keeps coming
}

// New returns a server. It returns an error when [Server.Prepare] would.
func New(o Options) (*Server, error) {
	if o.Devices == nil || o.Log == nil {
		return nil, errors.New("server: Devices and Log are required")
	}
	s := &Server{Fixed: o.Fixed, room: newRoom()}
	apply, err := s.Prepare(o.Live)
	if err != nil {
		return nil, err
	}
	apply()
	return s, nil
}

// unrouted answers what no handler has: a path that is no page's, or a wrong method.
func (s *Server) unrouted(live *snapshot, err error, c echo.Context) {
	if found := live.beyond(c.Request()); found != nil && !s.picked(c) {
		s.exchangeBeyond(live, c, found)
		return
	}
	s.exchange(live, c, func(x *exchange) error {
		var refused *echo.HTTPError
		if errors.As(err, &refused) && refused.Code == http.StatusMethodNotAllowed {
			if slices.Contains(live.feeds, x.r.URL.Path) {
				return x.notLive()
			}
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
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.answer) }

// answer has the configuration that is in force now answer the request.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	s.live.Load().handler.ServeHTTP(w, r)
}
