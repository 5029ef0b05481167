// Package playground is a page for people on the private port: pick an endpoint,
// a device and a version, break services, and see the answer as the device would
// get it, with its headers explained and a waterfall of its calls.
//
//	GET    /playground                    the page; its files are below /playground/page/
//	GET    /playground/choices            what can be picked
//	POST   /playground/try                runs a request; tells the answer and its record
//	GET    /playground/faults             the fault of each service
//	PUT    /playground/faults/{service}   sets one: {"fault": "latency=200ms,hang"}
//	DELETE /playground/faults/{service}   heals one; DELETE /playground/faults heals all
//	GET    /playground/assignments        which versions units have: ?class=phone&units=200, or &unit=u-7
//	GET    /playground/traffic            how the traffic does
//	PUT    /playground/traffic            sends some: {"class": "tv", "path": "/home", "rate": 20, "seconds": 30}
//	DELETE /playground/traffic            stops it
//
// It runs requests as anybody and breaks simulated services, so it is for
// demonstrations and never for the public port. It guards against nobody itself:
// what other web pages could have a person's browser ask, the private port refuses
// (admin.Options.Trials). It needs no token: nothing of the gateway can be changed
// here, the simulated services take faults from anybody at their own control, too, and
// traffic is what anybody could send to the public port, but bounded. Answers are
// JSON, errors problem+json that names the field; nothing is to be cached.
//
// The page also shows and drives rollouts. It does so by the private port's own
// resources, /rollouts and /quarantine, with the token of an operator.
package playground

import (
	"errors"
	"net/http"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/server"
)

// Path is where the handler of a [Playground] belongs.
const Path = "/playground"

// Options is what a playground needs. Server, Versions and Faults are required.
type Options struct {
	Server   *server.Server
	Versions *adapter.Set      // those that can be tried, whatever the configuration chose
	Faults   Faults            // the services that can be broken
	Users    []string          // worth trying; anybody can be named
	Examples map[string]string // of a parameter, by its name
	Agents   []Agent           // worth trying
	Traffic  Traffic           // nil: none can be sent
}

// Agent is a device that says what it is in its User-Agent only.
type Agent struct {
	Label     string `json:"label"`
	UserAgent string `json:"user_agent"`
}

// Faults breaks services. Safe for concurrent use.
//
// A fault is a text: "none", or fields with commas between them. The page writes
// latency=200ms, error=0.3 and one of hang, reset, garbage, down and the like; it
// keeps fields that it does not know.
type Faults interface {
	// Faults returns the fault of each service.
	Faults() map[string]string
	// SetFault breaks a service from the next request on. It fails with a code of
	// package fault and the field at fault, which is "service" if there is none
	// of this name.
	SetFault(service, text string) error
}

// Playground answers the requests below [Path]. Safe for concurrent use.
type Playground struct {
	Options
	mux *http.ServeMux
}

// New returns a playground.
func New(o Options) (*Playground, error) {
	if o.Server == nil || o.Versions == nil || o.Faults == nil {
		return nil, errors.New("playground: Server, Versions and Faults are required")
	}
	o.Users, o.Agents = append([]string{}, o.Users...), append([]Agent{}, o.Agents...) // lists in JSON, even without elements
	p := &Playground{Options: o, mux: http.NewServeMux()}
	p.routes()
	return p, nil
}

// ServeHTTP answers a request that the private port has let pass.
func (p *Playground) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

// action is one thing that can be asked for: what is told, or why it cannot be.
type action func(*http.Request) (any, error)

// routes is the table of what the package comment lists.
func (p *Playground) routes() {
	p.mux.HandleFunc("GET "+Path, func(w http.ResponseWriter, _ *http.Request) { sendFile(w, indexFile) })
	p.mux.HandleFunc("GET "+Path+"/page/{file}", func(w http.ResponseWriter, r *http.Request) { sendFile(w, r.PathValue("file")) })
	for pattern, act := range map[string]action{
		"GET " + Path + "/choices":             p.choices,
		"POST " + Path + "/try":                p.try,
		"GET " + Path + "/faults":              p.faults,
		"DELETE " + Path + "/faults":           p.healAll,
		"PUT " + Path + "/faults/{service}":    p.putFault,
		"DELETE " + Path + "/faults/{service}": p.heal,
		"GET " + Path + "/assignments":         p.assignments,
		"GET " + Path + "/traffic":             p.traffic,
		"PUT " + Path + "/traffic":             p.sendTraffic,
		"DELETE " + Path + "/traffic":          p.stopTraffic,
	} {
		p.mux.HandleFunc(pattern, act.ServeHTTP)
	}
	for path, methods := range map[string]string{
		Path: readers, Path + "/page/{file}": readers, Path + "/choices": readers, Path + "/try": "POST",
		Path + "/faults": readers + ", DELETE", Path + "/faults/{service}": "PUT, DELETE", Path + "/assignments": readers,
		Path + "/traffic": readers + ", PUT, DELETE",
	} {
		p.mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Allow", methods)
			refuse(w, fault.New(fault.MethodNotAllowed, "this path knows "+methods))
		})
	}
	p.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, fault.New(fault.NotFound, "there is no such path"))
	})
}

const readers = "GET, HEAD"

// ServeHTTP runs the action and tells what it returns.
func (act action) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	told, err := act(r)
	if err != nil {
		refuse(w, err)
		return
	}
	tell(w, told)
}
