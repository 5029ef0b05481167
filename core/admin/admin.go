// Package admin is the private port: whether this program lives and is ready,
// what its commands have counted, and where its time and memory go.
//
//	GET /                  what there is
//	GET /healthz           200 while the program answers at all
//	GET /readyz            200 while new requests should come here, else 503
//	GET /commands          the counters of every command, by name
//	GET /commands/{name}   those of one, such as catalog.product
//	GET /openapi/{name}    a document for those who write clients, such as phone.json
//	GET /debug/pprof/      profiles of the Go runtime
//
// and what the program adds to it. What is listed is read-only, but a profile costs some percent of a processor while
// it is taken, and a dump tells of code and memory: the port belongs on loopback
// or in a network of operators. Answers are JSON, errors problem+json; both are
// never to be cached. Readiness asks one function and no backend.
package admin

import (
	"cmp"
	"log/slog"
	"maps"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
)

// Options is what the private port tells of. Its zero value is of a program
// that is never ready and has no commands.
type Options struct {
	Ready     func() bool        // whether new requests should come here; called from many goroutines
	Controls  []*command.Control // in any order; of two with one name the last is found
	Build     string             // of the program, for people
	Documents map[string][]byte  // JSON that is below /openapi/, by name, such as "phone/v1.json"
	Log       *slog.Logger       // of what goes wrong on a connection; nil: nowhere

	// More answers further paths, such as "/playground", and all below them, with
	// every method. What these handlers do and whom they guard against is theirs.
	More map[string]http.Handler
}

// Admin answers the requests of the private port. Safe for concurrent use.
type Admin struct {
	Options
	byName  map[string]*command.Control
	handler http.Handler
}

// New returns the private port; it does not listen yet. It keeps no hold of the
// slice of controls; nobody may change the documents.
func New(o Options) *Admin {
	if o.Ready == nil {
		o.Ready = func() bool { return false }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.Controls = slices.SortedFunc(slices.Values(o.Controls), func(a, b *command.Control) int { return cmp.Compare(a.Name(), b.Name()) })
	a := &Admin{Options: o, byName: make(map[string]*command.Control, len(o.Controls))}
	for _, c := range o.Controls {
		a.byName[c.Name()] = c
	}
	a.handler = a.routes()
	return a
}

// Handler returns the handler of the private port, for tests.
func (a *Admin) Handler() http.Handler { return a.handler }

// routes is the table of what the package comment lists.
func (a *Admin) routes() http.Handler {
	e := echo.New()
	e.HTTPErrorHandler = refuse
	for path, handler := range map[string]echo.HandlerFunc{
		"/":               a.index,
		"/healthz":        func(c echo.Context) error { return tell(c, http.StatusOK, map[string]bool{"alive": true}) },
		"/readyz":         a.readiness,
		"/commands":       a.commands,
		"/commands/:name": a.command,
		"/openapi/*":      a.document,
		"/debug/pprof/*":  profile,
	} {
		e.Match([]string{http.MethodGet, http.MethodHead}, path, handler)
	}
	for path, handler := range a.More {
		e.Any(path, echo.WrapHandler(handler))
		e.Any(path+"/*", echo.WrapHandler(handler))
	}
	return e
}

func (a *Admin) index(c echo.Context) error {
	paths := []string{"/healthz", "/readyz", "/commands", "/commands/{name}", "/debug/pprof/"}
	for _, name := range slices.Sorted(maps.Keys(a.Documents)) {
		paths = append(paths, "/openapi/"+name)
	}
	paths = append(paths, slices.Sorted(maps.Keys(a.More))...)
	return tell(c, http.StatusOK, struct {
		Program string   `json:"program"`
		Build   string   `json:"build"`
		Paths   []string `json:"paths"`
	}{"facet", a.Build, paths})
}

func (a *Admin) readiness(c echo.Context) error {
	ready, status := a.Ready(), http.StatusOK
	if !ready {
		status = http.StatusServiceUnavailable
	}
	return tell(c, status, map[string]bool{"ready": ready})
}

func (a *Admin) commands(c echo.Context) error {
	all := make([]command.Stats, len(a.Controls))
	for i, control := range a.Controls {
		all[i] = control.Stats()
	}
	return tell(c, http.StatusOK, all)
}

func (a *Admin) command(c echo.Context) error {
	control := a.byName[c.Param("name")]
	if control == nil {
		return fault.New(fault.NotFound, "there is no such command; /commands lists them")
	}
	return tell(c, http.StatusOK, control.Stats())
}

func (a *Admin) document(c echo.Context) error {
	document, found := a.Documents[c.Param("*")]
	if !found {
		return fault.New(fault.NotFound, "there is no such document; / lists them")
	}
	return send(c, http.StatusOK, "application/json", document)
}
