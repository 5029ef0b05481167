package simulator_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/adapters/simulator"
)

// Whatever is asked, a service says 200, 400, 404 or 405, in JSON.
func FuzzRequest(f *testing.F) {
	s, c := start(f, simulator.Options{})
	names := s.Services()
	for _, tt := range shapes {
		u, err := url.Parse(tt.path)
		if err != nil {
			f.Fatal(err)
		}
		for i, name := range names {
			if name == tt.service {
				f.Add(uint8(i), u.Path, u.RawQuery)
			}
		}
	}
	f.Add(uint8(2), "/products", "ids=%zz&ids=a,b")
	f.Add(uint8(8), "/options", "product=p-9&weight=9223372036854775808&postcode=+++")
	f.Fuzz(func(t *testing.T, service uint8, path, rawQuery string) {
		target, err := url.Parse(s.URL(names[int(service)%len(names)]))
		if err != nil {
			t.Fatal(err)
		}
		target.Path, target.RawQuery = "/"+strings.TrimPrefix(path, "/"), rawQuery
		r, err := send(t.Context(), c, http.MethodGet, target.String(), nil)
		if err != nil {
			return // the client does not send it
		}
		switch r.status {
		case http.StatusOK, http.StatusNotFound, http.StatusMethodNotAllowed:
		case http.StatusBadRequest:
			if r.header.Get("Content-Type") != "application/json" {
				return // it was not HTTP to the server
			}
		default:
			t.Fatalf("got %d", r.status)
		}
		if !json.Valid(r.body) {
			t.Errorf("got %d %.200q", r.status, r.body)
		}
	})
}
