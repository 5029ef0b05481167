package passthrough

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// Rules is what of a route can change while it is in use.
type Rules struct {
	Prefix          string   // of the paths that it takes, from slash to slash
	Rewrite         string   // what stands there to the service, likewise
	Methods         []string // some of [Methods]; at least one
	RequestHeaders  []string // that reach the service, beside those that say who asks
	ResponseHeaders []string // that reach the client
	MaxBody         int64    // of a request, in bytes; ≥ 0
	MaxAnswer       int64    // of an answer, in bytes; > 0
}

// Methods returns all methods that a route can have. OPTIONS is not for the service:
// the gateway says itself what web pages may do.
func Methods() []string {
	return []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}
}

// safe reports whether a request of a method changes nothing (RFC 9110, 9.2.1). Its
// body, if it has one, means nothing, and is not read.
func safe(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// DefaultRequestHeaders are what of a request a service mostly needs: nothing that
// says who asks.
func DefaultRequestHeaders() []string {
	return []string{
		"Accept", "Accept-Encoding", "Accept-Language", "Content-Encoding", "Content-Type", "Idempotency-Key",
		"If-Match", "If-Modified-Since", "If-None-Match", "If-Range", "If-Unmodified-Since", "Range",
	}
}

// DefaultResponseHeaders are what of an answer a client mostly needs: no cookie.
func DefaultResponseHeaders() []string {
	return []string{
		"Accept-Ranges", "Age", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Content-Range",
		"Content-Type", "Etag", "Expires", "Last-Modified", "Location", "Retry-After", "Vary",
	}
}

var validHeader = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

// ValidHeader reports whether a header may be passed on, either way. Those may not that
// are of one connection (RFC 9110, 7.6.1), that frame a message, or that the gateway
// sets itself: who could set them could pass for somebody else.
func ValidHeader(name string) bool {
	if !validHeader.MatchString(name) {
		return false
	}
	name = http.CanonicalHeaderKey(name)
	return !slices.Contains(reserved(), name) && !slices.ContainsFunc([]string{"Facet-", "Access-Control-", "X-Forwarded-", "Proxy-"},
		func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

func reserved() []string {
	return []string{
		"Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", // of one connection
		"Content-Length", "Date", "Expect", "Host", "Http2-Settings", "Max-Forwards", "Via", // of one message
		"Accept-Ch", "Forwarded", "Server-Timing", "Traceparent", "Tracestate", // the gateway's own
		"X-Content-Type-Options", "X-Device-Id", "X-Device-Type", "X-Real-Ip", "X-Request-Id", "X-Request-Timeout-Ms", "X-User-Id",
	}
}

var validPrefix = regexp.MustCompile(`^/([A-Za-z0-9_~!$&'()*+,=:@-][A-Za-z0-9._~!$&'()*+,=:@-]*/)*$`)

// ValidPrefix reports whether a text can be the prefix of a route, or stand in its
// place: segments between slashes, none of which begins with a dot or has to be encoded.
func ValidPrefix(text string) bool { return len(text) <= 1024 && validPrefix.MatchString(text) }

// pass copies the headers that a list names, but for those that the message itself
// says are of its connection.
func pass(to, from http.Header, names []string) {
	dropped := from["Connection"]
	for _, name := range names {
		name = http.CanonicalHeaderKey(name)
		if values := from[name]; len(values) > 0 && !named(dropped, name) {
			to[name] = slices.Clone(values)
		}
	}
}

// named reports whether the lines of Connection name a header.
func named(lines []string, name string) bool {
	for _, line := range lines {
		for option := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(option), name) {
				return true
			}
		}
	}
	return false
}
