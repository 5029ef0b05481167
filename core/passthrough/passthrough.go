// Package passthrough is routes that go through the gateway to a service as they are:
// what changes something, a cart or an order, and what no page is made of. A [Route]
// is one, behind a command with a time limit, a bulkhead and a circuit.
//
// # What is sent
//
// The method, the path (see [Clean]) with the route's prefix replaced, the query, the
// headers that the route lists, and the body, as it comes. Beside them X-Request-Id,
// traceparent, X-Request-Timeout-Ms with the milliseconds that are left, and X-User-Id
// if there is a user: the service believes all of these, so nobody else may reach it.
// Nothing else of the client's header gets there, and of the answer's header only what
// the route lists gets to the client.
//
// # At most once
//
// A request is sent once. What is not GET or HEAD goes by a connection of its own, so
// that none is lost on a kept connection which the service has just closed, and none
// repeated to make up for that; a GET or HEAD whose kept connection breaks without an
// answer is sent once more (RFC 9110, 9.2.2). There are no other attempts.
//
// # What comes back
//
//	any answer from 200 to 599         the same to the client; 5xx, 408 and 429 count against the service
//	none, or a connection that breaks  unavailable, 503
//	what is no HTTP, or too large      bad_answer, 502
//	nothing in time                    timeout, 504
//
// Once the header of the answer was sent, what goes wrong breaks the connection off, so
// that the client cannot take a part for the whole. The first bytes of the body have
// come by then: an answer of up to 32 KiB with a length is whole before it is begun.
//
// The time limit is for all of it. What the client takes to send its body and to take
// the answer is measured, and a limit of which it had the half is its own fault: it
// counts neither for nor against the service.
//
// # Why not httputil.ReverseProxy
//
// Its hooks pass on every header but some, and this passes on none but some; it sends
// what it has not read yet after the handler returned, while here nothing of an
// exchange outlives it; and it cannot tell a slow client from a slow service, which
// decides whether a circuit opens. What is hard in it, HTTP itself, is net/http's
// Transport here, too.
package passthrough

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/facet-gateway/facet/core/command"
)

// Options is what a [Route] is made from. All of it is required.
type Options struct {
	Name string // as metrics and the log have it, such as "cart-api"
	Rules
	Upstream *Upstream
	Command  *command.Guard
}

// Route is a prefix of paths, and where requests for them go. It never changes: a reload
// makes another one of the same command and connections. Safe for concurrent use.
type Route struct {
	name     string
	rules    Rules
	upstream *Upstream
	command  *command.Guard
}

// New returns a route. The error names the rule that is not in its range.
func New(o Options) (*Route, error) {
	if o.Upstream == nil || o.Command == nil || o.Name == "" {
		return nil, errors.New("passthrough: a route needs a name, a service and a command")
	}
	if problem := o.problem(); problem != "" {
		return nil, fmt.Errorf("passthrough: the route %s: %s", o.Name, problem)
	}
	return &Route{name: o.Name, rules: o.Rules, upstream: o.Upstream, command: o.Command}, nil
}

func (r *Rules) problem() string {
	for _, prefix := range []string{r.Prefix, r.Rewrite} {
		if !ValidPrefix(prefix) {
			return fmt.Sprintf("%q is no prefix of a path", prefix)
		}
	}
	for _, method := range r.Methods {
		if !slices.Contains(Methods(), method) {
			return fmt.Sprintf("the method %q cannot be passed through", method)
		}
	}
	for _, name := range slices.Concat(r.RequestHeaders, r.ResponseHeaders) {
		if !ValidHeader(name) {
			return fmt.Sprintf("the header %q cannot be passed through", name)
		}
	}
	if len(r.Methods) == 0 || r.MaxBody < 0 || r.MaxAnswer <= 0 {
		return "it needs a method, and limits"
	}
	return ""
}

// Name returns the name of the route.
func (r *Route) Name() string { return r.name }

// Prefix returns the prefix of the paths that the route takes.
func (r *Route) Prefix() string { return r.rules.Prefix }

// Policy returns the policy of the route's command that is in force.
func (r *Route) Policy() command.Policy { return r.command.Policy() }

// Methods returns the methods of the route, sorted.
func (r *Route) Methods() []string { return slices.Sorted(slices.Values(r.rules.Methods)) }

// RequestHeaders returns the headers of a request that reach the service.
func (r *Route) RequestHeaders() []string { return r.rules.RequestHeaders }

// Takes reports whether the route passes a method on.
func (r *Route) Takes(method string) bool { return slices.Contains(r.rules.Methods, method) }

// TakesBody reports whether the route passes the body of a request with a method on.
func (r *Route) TakesBody(method string) bool { return r.Takes(method) && !safe(method) }

// Routes finds the route of a path. It never changes.
type Routes []*Route

// NewRoutes returns routes to find. Of two that have a path the longer prefix takes it;
// it is an error if two have the same.
func NewRoutes(all ...*Route) (Routes, error) {
	routes := slices.Clone(all)
	slices.SortFunc(routes, func(a, b *Route) int {
		if d := len(b.rules.Prefix) - len(a.rules.Prefix); d != 0 {
			return d
		}
		return strings.Compare(a.rules.Prefix, b.rules.Prefix)
	})
	for i := 1; i < len(routes); i++ {
		if a, b := routes[i-1], routes[i]; a.rules.Prefix == b.rules.Prefix {
			return nil, fmt.Errorf("passthrough: the routes %s and %s have one prefix, %s", a.name, b.name, a.rules.Prefix)
		}
	}
	return routes, nil
}

// Find returns the route that takes a path, which [Clean] has returned; nil: none does.
func (all Routes) Find(path string) *Route {
	for _, r := range all {
		if strings.HasPrefix(path, r.rules.Prefix) {
			return r
		}
	}
	return nil
}
