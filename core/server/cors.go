package server

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CORS says which web pages may read answers, after the Fetch standard
// (https://fetch.spec.whatwg.org/#http-cors-protocol). Applications on
// televisions are web pages, and their device header triggers a preflight.
type CORS struct {
	Origins []string      // as a browser sends them, or one "*"; empty: none
	Headers []string      // that a page may send, beside those that the server knows
	MaxAge  time.Duration // how long a browser may remember a preflight
}

// corsPolicy is CORS made ready. Credentials are never allowed: nothing here is
// authenticated by a cookie.
type corsPolicy struct {
	origins []string
	any     bool
	headers []string
	maxAge  []string
}

// What a page of another origin may use.
//
//nolint:gochecknoglobals // constants, but for the language
var (
	corsExposed = []string{"ETag, Facet-Adapter, Facet-Parts, Retry-After, Server-Timing, X-Request-Id"}
	corsAny     = []string{"*"}
)

func newCORS(c CORS, deviceHeader string, more []string) corsPolicy {
	return corsPolicy{
		origins: c.Origins,
		any:     slices.Contains(c.Origins, "*"),
		headers: []string{strings.Join(append([]string{
			deviceHeader, userHeader, "Facet-Timing", "If-None-Match", "Priority", "Traceparent", "X-Request-Id", "X-Request-Timeout-Ms",
		}, append(slices.Clone(c.Headers), more...)...), ", ")},
		maxAge: []string{strconv.Itoa(int(c.MaxAge / time.Second))},
	}
}

// headersAnd are those that a page may send where it may send some more.
func (c corsPolicy) headersAnd(more []string) []string {
	if len(more) == 0 {
		return c.headers
	}
	return []string{strings.Join(append(slices.Clone(c.headers), more...), ", ")}
}

// varies reports whether the answer depends on the origin.
func (c corsPolicy) varies() bool { return len(c.origins) > 0 && !c.any }

// allow says that the page of an allowed origin may read the answer.
func (c corsPolicy) allow(h, request http.Header) bool {
	origin := request["Origin"]
	switch {
	case len(origin) != 1:
		return false
	case c.any:
		h["Access-Control-Allow-Origin"] = corsAny
	case slices.Contains(c.origins, origin[0]):
		h["Access-Control-Allow-Origin"] = origin
	default:
		return false
	}
	h["Access-Control-Expose-Headers"] = corsExposed
	return true
}

// options answers OPTIONS of a page.
func (x *exchange) options() error { return x.allow(allowed, nil) }

// allow answers OPTIONS: what the path knows and, to a preflight of an allowed
// origin, what a page there may send: some headers more than to a page.
func (x *exchange) allow(allowed, more []string) error {
	h, cors := x.w.Header(), &x.live.cors
	h["Allow"] = allowed
	preflight := x.r.Header.Get("Access-Control-Request-Method") != ""
	if preflight && cors.allow(h, x.r.Header) {
		h["Access-Control-Allow-Methods"] = allowed
		h["Access-Control-Allow-Headers"] = cors.headersAnd(more)
		h["Access-Control-Max-Age"] = cors.maxAge
		delete(h, "Access-Control-Expose-Headers")
	}
	x.writeHeader(http.StatusNoContent)
	return nil
}
