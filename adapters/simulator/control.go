package simulator

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/facet-gateway/facet/core/fault"
)

const maxFaultBytes = 4 << 10 // of a fault's text

// controlHandler serves the control's socket; the package comment lists it.
func (s *Simulator) controlHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /services", func(w http.ResponseWriter, _ *http.Request) { tell(w, s.urls()) })
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) { tell(w, s.Faults()) })
	mux.HandleFunc("PUT /faults/{service}", s.putFault)
	mux.HandleFunc("DELETE /faults/{service}", func(w http.ResponseWriter, r *http.Request) {
		s.change(w, r.PathValue("service"), Fault{})
	})
	mux.HandleFunc("DELETE /faults", func(w http.ResponseWriter, _ *http.Request) {
		s.ClearFaults()
		tell(w, s.Faults())
	})
	mux.HandleFunc("PUT /stock/{product}", s.putStock)
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) { tell(w, s.allStats()) })
	mux.HandleFunc("DELETE /stats", func(w http.ResponseWriter, _ *http.Request) {
		s.ResetStats()
		tell(w, s.allStats())
	})
	for path, methods := range map[string]string{
		"/services": "GET, HEAD", "/faults": "GET, HEAD, DELETE", "/faults/{service}": "PUT, DELETE", "/stats": "GET, HEAD, DELETE",
		"/stock/{product}": "PUT",
	} {
		refusal := knowsOnly(methods)
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { refusal.write(w) })
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { nothing.write(w) })
	return mux
}

func (s *Simulator) putFault(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxFaultBytes))
	if err != nil {
		refuse(w, http.StatusBadRequest, fault.InvalidField("body", "it cannot be read, or is longer than 4 kB"))
		return
	}
	name := r.PathValue("service")
	if _, err := s.find(name); err != nil {
		refuse(w, http.StatusNotFound, err)
		return
	}
	f, err := parseBody(body)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	s.change(w, name, f)
}

// change sets a fault that was read well, and tells it back.
func (s *Simulator) change(w http.ResponseWriter, name string, f Fault) {
	if err := s.SetFault(name, f); err != nil {
		refuse(w, http.StatusNotFound, err)
		return
	}
	tell(w, map[string]Fault{name: f})
}

func (s *Simulator) urls() map[string]string {
	all := make(map[string]string, len(s.services))
	for _, one := range s.services {
		all[one.name] = one.url()
	}
	return all
}

func (s *Simulator) allStats() map[string]Stats {
	all := make(map[string]Stats, len(s.services))
	for _, one := range s.services {
		all[one.name] = one.counts.stats()
	}
	return all
}

func tell(w http.ResponseWriter, v any) { encode(v).write(w) }

// refuse answers with the field at fault.
func refuse(w http.ResponseWriter, status int, err error) {
	said := problem{Error: fault.Invalid.String()}
	if status == http.StatusNotFound {
		said.Error = fault.NotFound.String()
	}
	var e *fault.Error
	if errors.As(err, &e) {
		said.Field, said.Detail = e.Field, e.Detail
	}
	body, err := json.Marshal(said)
	if err != nil {
		body = nothing.body
	}
	newAnswer(status, body).write(w)
}
