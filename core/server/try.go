package server

import (
	"bytes"
	"net/http"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/report"
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
}

// Try answers a request as the public port would, but tells all of it, and by
// the version, if there is one: any of the build, where the device is one that
// its class answers. A device of another class is a 400 of the field "version".
// What is tried counts and is logged as any request. Safe for concurrent use.
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

func (w *witness) trial(took time.Duration) Trial {
	x := w.exchange
	t := Trial{
		Status: x.status, Header: w.header, Body: w.body.Bytes(), Device: x.device, Parts: x.report.Parts,
		Began: x.report.Began, Budget: x.report.Budget, Took: took, Runaways: x.runaways,
	}
	if x.version != nil {
		t.Version = x.version.String()
	}
	for _, c := range x.calls() {
		t.Calls = append(t.Calls, *c)
	}
	return t
}
