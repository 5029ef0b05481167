package passthrough

import (
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/facet-gateway/facet/core/balance"
)

// Upstream is the connections to one service. Safe for concurrent use.
type Upstream struct {
	service string
	next    Next
	kept    *http.Transport // for what may be sent again
	once    *http.Transport // for what may not: a connection for each request
}

// Next chooses the instance of a request. It fails when there is none.
type Next func() (Instance, error)

// Instance is where a request goes.
type Instance struct {
	Base *url.URL // http://HOST:PORT, with a path if it has one
	// Done is told, once, what the request says of the instance, and how long it took until
	// its answer began or did not.
	Done func(balance.Outcome, time.Duration)
}

// The bounds of a connection to a service.
const (
	dialTimeout = 2 * time.Second
	idleTimeout = 30 * time.Second
	maxHeader   = 64 << 10
	buffer      = 32 << 10 // bytes, of each answer in progress
)

// NewUpstream returns the connections to a service, of which there are none yet: at
// most maxConns to each instance for what changes nothing, and as many for the rest.
// Close them in the end.
func NewUpstream(service string, next Next, maxConns int) *Upstream {
	return &Upstream{service: service, next: next, kept: transport(maxConns, false), once: transport(maxConns, true)}
}

// transport speaks HTTP/1.1 to the address of the instance, whatever the environment
// says of proxies, and leaves bodies as they are.
func transport(maxConns int, once bool) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		Protocols:              protocols,
		DisableCompression:     true,
		DisableKeepAlives:      once,
		MaxConnsPerHost:        maxConns,
		MaxIdleConnsPerHost:    maxConns,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
	}
}

// roundTrip sends a request. net/http sends one again whose kept connection broke, if
// it has a safe method, or no body and a key of idempotency. What is not safe goes by a
// connection of its own, and always with a body that cannot be begun again: it is sent
// once, and cannot meet a connection that the service has just given up.
func (u *Upstream) roundTrip(r *http.Request) (*http.Response, error) {
	if safe(r.Method) {
		return u.kept.RoundTrip(r)
	}
	return u.once.RoundTrip(r)
}

// Close closes the connections that are not in use, and the others when they are no
// more.
func (u *Upstream) Close() {
	u.kept.CloseIdleConnections()
	u.once.CloseIdleConnections()
}
