// Package admin is the private port: whether this program lives and is ready,
// what its commands have counted, where its time and memory go, and what a person
// changes while it runs.
//
//	GET    /                    what there is
//	GET    /healthz             200 while the program answers at all
//	GET    /readyz              200 while new requests should come here, else 503
//	GET    /commands            the counters of every command, by name
//	GET    /commands/{name}     those of one, such as catalog.product
//	GET    /circuits            the circuit of every command
//	GET    /circuits/{command}  that of one
//	PUT    /circuits/{command}  forces it: {"state": "open" or "closed", "for": "5m"}
//	DELETE /circuits/{command}  releases it
//	GET    /audit               who changed what: the last 200, and what was refused
//	GET    /openapi/{name}      a document for those who write clients, such as phone.json
//	GET    /debug/pprof/        profiles of the Go runtime
//
// and what the program adds to it. Reading is free, but a profile costs some
// percent of a processor while it is taken, and a dump tells of code and memory:
// the port belongs on loopback or in a network of operators.
//
// The port is guarded (guard.go). Its Host is an address, localhost or a name in
// Options.Hosts, and an Origin is that of the Host: else 403. Any method but GET,
// HEAD and OPTIONS needs the bearer token of an operator, on every path and also
// on those that are not there: else 401. The exception is Options.Trials.
//
// To let operators change something else, add a [Change] to Options.Changes:
//
//	admin.NewChange("POST", "/reload", func(ctx context.Context, who admin.Actor, _ struct{}) (any, error) { … })
//
// It gets a token that was checked, a body that was decoded strictly and bounded,
// and time until it is done; what it returns is answered as JSON, an error as a
// problem; and the audit says who asked for it, with what, from where, and what
// came of it. A handler in Options.More has the guard and the audit, and reads its
// own body.
//
// Answers are JSON, errors problem+json; both are never to be cached. Readiness
// asks one function and no backend.
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
	"github.com/facet-gateway/facet/core/operator"
)

// Options is what the private port tells of. Its zero value is of a program
// that is never ready and has no commands.
type Options struct {
	Ready    func() bool        // whether new requests should come here; called from many goroutines
	Controls []*command.Control // in any order; of two with one name the last is found
	Build    string             // of the program, for people
	Log      *slog.Logger       // of what goes wrong on a connection; nil: nowhere

	// Documents returns the JSON that is below /openapi/ now, by name, such as
	// "phone/v1.json"; nil: there is none. Called from many goroutines, as States are.
	Documents func() map[string][]byte

	// States are what else is told, as JSON, by path, such as "/config". They are
	// not to hold secrets.
	States map[string]func() any

	Operators *operator.Roster // who may change something; nil: nobody
	Hosts     []string         // names of this port, without a port number, beside addresses and localhost
	Audit     *slog.Logger     // of who changed what, whatever its level; nil: Log

	// Changes are what operators can change, beside circuits. No two have one path
	// and method, and no path is one of More or Trials.
	Changes []Change

	// More answers further paths, such as "/metrics", and all below them, with every
	// method. What is not read needs a token, and is audited.
	More map[string]http.Handler

	// Trials are like More, but no method needs a token or is audited. They must
	// change nothing of this program, so that nothing is lost by whoever asks: they
	// are for a demonstration.
	Trials map[string]http.Handler
}

// Admin answers the requests of the private port. Safe for concurrent use.
type Admin struct {
	Options
	byName  map[string]*command.Control
	handler http.Handler

	audit    *audit
	trials   map[string]bool // routes of Trials
	changing chan struct{}   // a place for each change in progress
}

// New returns the private port; it does not listen yet. It keeps no hold of the
// slice of controls; nobody may change a map of documents.
func New(o Options) *Admin {
	if o.Ready == nil {
		o.Ready = func() bool { return false }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Audit == nil {
		o.Audit = o.Log
	}
	if o.Documents == nil {
		o.Documents = func() map[string][]byte { return nil }
	}
	o.Controls = slices.SortedFunc(slices.Values(o.Controls), func(a, b *command.Control) int { return cmp.Compare(a.Name(), b.Name()) })
	a := &Admin{
		Options: o, byName: make(map[string]*command.Control, len(o.Controls)),
		audit: newAudit(o.Audit), trials: map[string]bool{}, changing: make(chan struct{}, maxChanges),
	}
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
	e.Use(a.guard)
	for path, handler := range map[string]echo.HandlerFunc{
		"/":                  a.index,
		"/healthz":           func(c echo.Context) error { return tell(c, http.StatusOK, map[string]bool{"alive": true}) },
		"/readyz":            a.readiness,
		"/commands":          a.commands,
		"/commands/:name":    a.command,
		"/circuits":          a.circuits,
		"/circuits/:command": a.circuit,
		"/audit":             a.auditTrail,
		"/openapi/*":         a.document,
		"/debug/pprof/*":     profile,
	} {
		e.Match([]string{http.MethodGet, http.MethodHead}, path, handler)
	}
	for path, state := range a.States {
		e.Match([]string{http.MethodGet, http.MethodHead}, path, func(c echo.Context) error { return tell(c, http.StatusOK, state()) })
	}
	for _, ch := range slices.Concat(a.circuitChanges(), a.Changes) {
		e.Add(ch.method, ch.route(), a.change(ch))
	}
	for path, handler := range a.More {
		mount(e, path, handler)
	}
	for path, handler := range a.Trials {
		for _, route := range mount(e, path, handler) {
			a.trials[route] = true
		}
	}
	return e
}

// mount lets a handler answer a path and all below it, and returns the routes.
func mount(e *echo.Echo, path string, handler http.Handler) []string {
	routes := []string{path, path + "/*"}
	for _, route := range routes {
		e.Any(route, echo.WrapHandler(handler))
	}
	return routes
}

func (a *Admin) index(c echo.Context) error {
	paths := []string{
		"/healthz", "/readyz", "/commands", "/commands/{name}", "/circuits", "/circuits/{command}", "/audit", "/debug/pprof/",
	}
	paths = append(paths, slices.Sorted(maps.Keys(a.States))...)
	for _, ch := range a.Changes {
		if !slices.Contains(paths, ch.path) {
			paths = append(paths, ch.path)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(a.Documents())) {
		paths = append(paths, "/openapi/"+name)
	}
	paths = append(paths, slices.Sorted(maps.Keys(a.More))...)
	paths = append(paths, slices.Sorted(maps.Keys(a.Trials))...)
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
	document, found := a.Documents()[c.Param("*")]
	if !found {
		return fault.New(fault.NotFound, "there is no such document; / lists them")
	}
	return send(c, http.StatusOK, "application/json", document)
}
