package server

import (
	"bytes"
	"cmp"
	"net/http"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/devices"
)

// Trial is what became of one request, with all that the gateway knows of it
// and a client is not told.
type Trial struct {
	Status   int // 499: the request ended before its answer
	Header   http.Header
	Body     []byte         // as sent, compressed if the request allowed it
	Device   devices.Device // the zero value if the request came to none
	Version  string         // such as "phone/v1"; "" likewise
	Parts    []report.Part  // in declared order
	Calls    []report.Call  // in the order in which they began; none if there are runaways
	Began    time.Time      // of the request, from which calls are told
	Budget   time.Duration  // of the page; 0: no page was run
	Took     time.Duration  // until the answer was written
	Runaways int            // goroutines of the page that outlived it
	Chosen   Choice
}

// Choice is how a trial came to its version. The zero value is that of a request that
// came to none.
type Choice struct {
	Assigned        // Version is the one that was to answer; without Picked, as the public port assigns
	Picked   bool   // by who tried
	Control  string // the version that answers who is in no rollout, such as "v1"
	Unit     string // who was assigned; "": nobody was, since no rollout runs
	Revision uint64 // of the rollouts
	FellBack bool   // Version made no page, so that another one did
	Because  error  // of that
}

// Try answers a request as the public port would, but tells all of it, and by
// the version, if there is one: any of the build, where the device is one that
// its class answers. A device of another class is a 400 of the field "version".
// Without a version it goes the way of the rollouts, falls back to control as any
// request, and is told why. What is tried counts and is logged as any request, but no
// guard of a rollout judges by it. Safe for concurrent use.
//
// It is for the private port: nothing on the public one comes here.
func (s *Server) Try(version *adapter.Version, r *http.Request) Trial {
	w := &witness{header: make(http.Header), version: version}
	s.answer(w, r)
	took := time.Since(w.exchange.report.Began)
	return w.trial(took)
}

// witness is the other end of a trial: it takes the answer, and carries what is
// particular about the request to its exchange and back.
type witness struct {
	header   http.Header
	body     bytes.Buffer
	version  *adapter.Version // that is to answer; nil: the one of the device's class
	exchange *exchange
}

// Header returns the header of the answer, to be filled.
func (w *witness) Header() http.Header { return w.header }

// WriteHeader has nothing to do: the exchange knows its status.
func (w *witness) WriteHeader(int) {}

// Write takes a piece of the body.
func (w *witness) Write(body []byte) (int, error) { return w.body.Write(body) }

// attend makes the exchange of a trial known to its witness.
func (x *exchange) attend(w http.ResponseWriter) {
	if trial, ok := w.(*witness); ok {
		trial.exchange, x.trial = x, trial
	}
}

// picked reports whether who tries has named the version.
func (x *exchange) picked() bool { return x.trial != nil && x.trial.version != nil }

// choice tells how the version was found.
func (x *exchange) choice() Choice {
	if x.version == nil {
		return Choice{}
	}
	c := Choice{
		Assigned: Assigned{Assignment: x.assigned}, Picked: x.picked(), Control: x.control.Name, Unit: x.unit, Revision: x.revision(),
		FellBack: x.failed != nil, Because: x.because,
	}
	c.Version = cmp.Or(x.failed, x.version).Name
	if x.plan != nil && c.Why == rollout.Default {
		c.Apart = x.plan.Apart(x.version.Class, x.unit, x.r.Header)
	}
	return c
}

func (w *witness) trial(took time.Duration) Trial {
	x := w.exchange
	t := Trial{
		Status: x.status, Header: w.header, Body: w.body.Bytes(), Device: x.device, Parts: x.report.Parts,
		Began: x.report.Began, Budget: x.report.Budget, Took: took, Runaways: x.runaways, Chosen: x.choice(),
	}
	if x.version != nil {
		t.Version = x.version.String()
	}
	for _, c := range x.calls() {
		t.Calls = append(t.Calls, *c)
	}
	return t
}
