package server

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/facet-gateway/facet/core/edge"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/passthrough"
	"github.com/facet-gateway/facet/core/report"
)

// StaticPage is what metrics and the log have as the page of a static answer.
const StaticPage = "static"

// beyond is what a request is for that is for no page.
type beyond struct {
	route  *passthrough.Route // nil: it is for a static answer
	static *Static            // nil: it is for a route
	fault  error              // why it was not
}

// beyond finds what a request is for that came to no page; nil: nothing is there. The
// paths of pages are compared letter by letter, so that only these need to be understood.
func (l *snapshot) beyond(r *http.Request) *beyond {
	if len(l.Routes) == 0 && len(l.Statics) == 0 {
		return nil
	}
	path, err := passthrough.Clean(r.URL)
	if err != nil {
		return &beyond{fault: err}
	}
	if slices.Contains(l.paths, path) || slices.Contains(l.feeds, path) {
		return nil // a page's path, which is to be spelled as it is, is nobody else's
	}
	found := &beyond{static: l.Statics[path]}
	if found.static == nil {
		if found.route = l.Routes.Find(path); found.route == nil {
			return nil
		}
	}
	return found
}

// picked reports whether somebody tries a version: it may have pages that no other has.
func (s *Server) picked(c echo.Context) bool {
	trial, ok := c.Response().Writer.(*witness)
	return ok && trial.version != nil
}

// exchangeBeyond is the way of a request that is for no page. Only a route has its body
// read, and who is refused does not: its connection ends.
func (s *Server) exchangeBeyond(live *snapshot, c echo.Context, found *beyond) {
	x := s.begin(live, c.Response().Writer, c.Request())
	x.aside()
	if found.route == nil || !found.route.TakesBody(x.r.Method) {
		x.dropBody()
	}
	x.conduct(func(x *exchange) error { return x.answerBeyond(found) })
}

// aside takes back what is said to every page: here no device decides anything.
func (x *exchange) aside() {
	h := x.w.Header()
	delete(h, "Accept-Ch")
	delete(h, "Vary")
	if x.live.cors.varies() {
		h["Vary"] = []string{"Origin"}
	}
}

func (x *exchange) answerBeyond(found *beyond) error {
	switch {
	case found.fault != nil:
		return found.fault
	case found.static != nil:
		x.name = StaticPage
		return x.answerStatic(found.static)
	}
	x.name = found.route.Name()
	return x.answerRoute(found)
}

// answerRoute has a request passed through, if its method may.
func (x *exchange) answerRoute(found *beyond) error {
	route := found.route
	methods := []string{strings.Join(append(route.Methods(), http.MethodOptions), ", ")}
	switch {
	case x.r.Method == http.MethodOptions:
		return x.allow(methods, route.RequestHeaders())
	case !route.Takes(x.r.Method):
		x.w.Header()["Allow"] = methods
		return fault.New(fault.MethodNotAllowed, "this path knows "+methods[0])
	}
	user, err := x.server.user(x.r.Header)
	if err != nil {
		return err
	}
	if err := x.admitted(); err != nil {
		return err
	}
	return x.passThrough(found, user)
}

// admitted refuses a request while as many pages are in progress as may be. It takes no
// place among them: how long it stays is for its client and its service to say, which
// would be held against pages; and its own command bounds how many there are.
func (x *exchange) admitted() error {
	limiter := x.server.Admission
	if limiter == nil || x.trial != nil {
		return nil
	}
	permit, err := limiter.Admit(limiter.Priority(x.r.Header), x.report.Began)
	if err == nil {
		permit.Done(edge.Silent, 0, x.report.Began)
	}
	return err
}

// passThrough has the route's service answer, in the time that the route has, or in less
// if the client asks for less.
func (x *exchange) passThrough(found *beyond, user string) error {
	x.report.Budget = found.route.Policy().Timeout
	var err error
	if x.allotted, err = allot(x.report.Budget, x.r.Header); err != nil {
		return err
	}
	ctx := context.WithValue(x.r.Context(), report.RequestKey{}, x.report)
	if x.allotted < x.report.Budget {
		timed, cancel := context.WithDeadlineCause(ctx, x.report.Began.Add(x.allotted), errBudget)
		defer cancel()
		ctx = timed
	}
	begun, err := found.route.Serve(ctx, counted{x}, x.r, user)
	x.cut = begun && err != nil
	return err
}

// counted is the writer of an exchange that takes down what is sent.
type counted struct{ *exchange }

// Header returns the header of the answer.
func (c counted) Header() http.Header { return c.w.Header() }

// WriteHeader sends it. What a service says varies with what the gateway says does, and
// what it does not say of caching is not guessed.
func (c counted) WriteHeader(status int) {
	h := c.w.Header()
	if c.live.cors.varies() && h["Vary"] != nil && !strings.EqualFold(strings.Join(h["Vary"], ","), "origin") {
		h["Vary"] = append(h["Vary"], "Origin")
	}
	if h["Cache-Control"] == nil && h["Expires"] == nil {
		h["Cache-Control"] = pageCaching
	}
	c.writeHeader(status)
}

// Write sends a piece of the body.
func (c counted) Write(piece []byte) (int, error) {
	n, err := c.w.Write(piece)
	c.bytes += n
	return n, err //nolint:wrapcheck // it stands for the writer
}

// Unwrap returns the writer, for [http.ResponseController].
func (c counted) Unwrap() http.ResponseWriter { return c.w }
