package telemetry

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/facet-gateway/facet/core/fault"
)

// problem is an error as a reader gets it, after RFC 9457.
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Code   string `json:"code"`
	Field  string `json:"field,omitempty"`
}

func refuse(w http.ResponseWriter, err error) {
	code := fault.CodeOf(err)
	p := problem{Type: "urn:facet:problem:" + code.String(), Title: code.Title(), Status: code.Status(), Code: code.String()}
	var f *fault.Error
	if errors.As(err, &f) {
		p.Detail, p.Field = f.Detail, f.Field
	}
	h := w.Header()
	forbidCaching(h)
	h.Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // who asked has gone
}

// reads refuses all other methods.
func reads(w http.ResponseWriter, r *http.Request, methods ...string) bool {
	if slices.Contains(methods, r.Method) {
		return true
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	refuse(w, fault.New(fault.MethodNotAllowed, "this path is read only"))
	return false
}

// exactly refuses what is below the path.
func exactly(path string, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path {
			refuse(w, fault.New(fault.NotFound, "there is no such path"))
			return
		}
		handler.ServeHTTP(w, r)
	})
}

func forbidCaching(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
}
