package server

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/facet-gateway/facet/devices"
)

// Header values that many answers share. Nobody changes them; a slice made for
// each answer is what this spares.
//
//nolint:gochecknoglobals // constants, but for the language
var (
	pageCaching    = []string{"private, no-cache"}
	problemCaching = []string{"no-store"}
	problemType    = []string{"application/problem+json"}
	nosniff        = []string{"nosniff"}
	gzipEncoding   = []string{"gzip"}
	closing        = []string{"close"}
	allowed        = []string{"GET, HEAD, OPTIONS"} // the methods of every page
)

// fixedHeaders are on every answer of one configuration.
type fixedHeaders struct {
	vary     []string // everything in a request that can decide what is answered
	acceptCH []string // the hints that would help next time
}

func newFixedHeaders(d *devices.Resolver, c corsPolicy) fixedHeaders {
	vary := []string{d.Vary(), "Accept", "Accept-Encoding"}
	if c.varies() {
		vary = append(vary, "Origin")
	}
	return fixedHeaders{vary: []string{strings.Join(vary, ", ")}, acceptCH: []string{d.AcceptCH()}}
}

func (f fixedHeaders) set(h http.Header) {
	h["Vary"] = f.vary
	h["Accept-Ch"] = f.acceptCH
	h["X-Content-Type-Options"] = nosniff
}

// wholeSeconds returns the value of Retry-After.
func wholeSeconds(d time.Duration) []string {
	if d <= 0 {
		d = 5 * time.Second
	}
	return []string{strconv.FormatInt(int64((d-1)/time.Second)+1, 10)}
}
