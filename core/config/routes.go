package config

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/passthrough"
)

// Route is a prefix of paths whose requests go to a service as they are, and the policy
// of the command that they go by. The fields are in the ranges that a command's are, and
// that package passthrough has.
type Route struct {
	Prefix          string
	Service         string
	Rewrite         string // what stands in the place of Prefix
	Methods         []string
	RequestHeaders  []string
	ResponseHeaders []string
	MaxBody         Size // of a request
	MaxAnswer       Size
	Timeout         time.Duration
	MaxConcurrent   int
	Mode            command.Mode
	Circuit         command.Circuit
}

const (
	defaultRouteTimeout = 2 * time.Second
	maxRoutes           = 100 // each keeps the two goroutines of its circuit for ever
	maxListed           = 100 // headers
)

func defaultRoute() Route {
	p := command.DefaultPolicy()
	return Route{
		Methods: []string{http.MethodGet, http.MethodHead}, RequestHeaders: passthrough.DefaultRequestHeaders(),
		ResponseHeaders: passthrough.DefaultResponseHeaders(), MaxBody: 1 << 20, MaxAnswer: 16 << 20,
		Timeout: defaultRouteTimeout, MaxConcurrent: p.MaxConcurrent, Mode: p.Mode, Circuit: p.Circuit,
	}
}

// Policy is that of the command.
func (r *Route) Policy() command.Policy {
	p := command.DefaultPolicy()
	p.Timeout, p.MaxConcurrent, p.Mode, p.Circuit = r.Timeout, r.MaxConcurrent, r.Mode, r.Circuit
	return p
}

var validRoute = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// decodeRoutes reads the routes. Their names stand beside those of pages in metrics.
func (c *Config) decodeRoutes(v value, known Known) {
	prefixes := make(map[string]string)
	v.entries(func(name string, v value) {
		switch {
		case !validRoute.MatchString(name):
			v.failKey("is not the name of a route; allowed: a letter, then up to 31 of a-z, 0-9 and -, such as cart-api")
		case slices.Contains(known.Pages, name) || name == "static":
			v.failKey("is the name of a page; allowed: another name, such as cart-api")
		case len(c.Routes) == maxRoutes:
			v.failKey("one too many; allowed: at most %d", maxRoutes)
		default:
			r := defaultRoute()
			r.decode(v, known, prefixes)
			if c.Routes == nil {
				c.Routes = make(map[string]Route)
			}
			c.Routes[name] = r
		}
	})
}

func (r *Route) decode(v value, known Known, prefixes map[string]string) {
	t := trial{}
	services := slices.Sorted(maps.Keys(known.Services))
	v.fields(
		set("prefix", &r.Prefix, routePrefix),
		set("service", &r.Service, oneOfService(services)),
		set("rewrite", &r.Rewrite, pathPrefix),
		set("methods", &r.Methods, methods),
		set("request_headers", &r.RequestHeaders, distinct(passedHeader, maxListed)),
		set("response_headers", &r.ResponseHeaders, distinct(passedHeader, maxListed)),
		set("max_body", &r.MaxBody, within(size, 0, 1<<30)),
		set("max_answer", &r.MaxAnswer, within(size, 1, 1<<40)),
		try(t, "timeout", &r.Timeout, duration),
		try(t, "max_concurrent", &r.MaxConcurrent, count),
		try(t, "mode", &r.Mode, mode),
		field{"circuit", func(v value) { decodeCircuit(v, t, &r.Circuit) }},
	)
	t.settle(v, func() (key, problem string) { return policyProblem(r.Policy()) })
	r.complete(v, services, prefixes)
}

// complete adds what follows from the rest, and refuses what is missing or there before.
func (r *Route) complete(v value, services []string, prefixes map[string]string) {
	if r.Rewrite == "" {
		r.Rewrite = r.Prefix
	}
	if !v.isBlock() {
		return
	}
	if _, ok := v.find("service"); !ok {
		v.missing("service", names(services))
	}
	prefix, ok := v.find("prefix")
	if !ok {
		v.missing("prefix", "the beginning of paths, such as /api/carts/")
		return
	}
	if first, twice := prefixes[r.Prefix]; twice && r.Prefix != "" {
		prefix.fail("%q is the prefix of %s; allowed: one of its own, longer or shorter", r.Prefix, first)
	}
	prefixes[r.Prefix] = v.path
}

// oneOfService reads the name of a service that the code knows.
func oneOfService(services []string) reader[string] {
	return func(v value) (string, bool) {
		if len(services) == 0 {
			v.fail("this build has no service")
			return "", false
		}
		return oneOf(services...)(v)
	}
}

const prefixRule = "segments between slashes, with a slash at both ends and nothing that has to be encoded, such as /api/carts/"

func pathPrefix(v value) (string, bool) {
	text, ok := scalar(v, "/api/carts/")
	if ok && !passthrough.ValidPrefix(text) {
		v.fail("%q is not the prefix of a path; allowed: %s", shorten(text), prefixRule)
		return "", false
	}
	return text, ok
}

// routePrefix is that of a route: one of all paths would hide every page.
func routePrefix(v value) (string, bool) {
	text, ok := pathPrefix(v)
	if ok && text == "/" {
		v.fail("%q would hide every page; allowed: %s", text, prefixRule)
		return "", false
	}
	return text, ok
}

func methods(v value) ([]string, bool) {
	list, ok := distinct(oneOf(passthrough.Methods()...), len(passthrough.Methods()))(v)
	if ok && len(list) == 0 {
		v.fail("is empty; allowed: at least one of %s", names(passthrough.Methods()))
		return nil, false
	}
	return list, ok
}

// passedHeader reads a header that a route may pass on, as net/http spells it.
func passedHeader(v value) (string, bool) {
	text, ok := scalar(v, "Content-Type")
	if ok && !passthrough.ValidHeader(text) {
		v.fail("%q cannot be passed on; allowed: a header that is not of one connection, frames no message, and is not the gateway's own, "+
			"such as Content-Type", shorten(text))
		return "", false
	}
	return http.CanonicalHeaderKey(text), ok
}

// uploads reports whether requests of a method have a body.
func uploads(method string) bool { return method != http.MethodGet && method != http.MethodHead }

// cutRoutes returns a warning for each route whose requests the public port ends before
// their time is over.
func (c *Config) cutRoutes() []string {
	var list []string
	for name, r := range c.Routes {
		limit, field := c.Server.WriteTimeout, "write_timeout"
		if c.Server.ReadTimeout < limit && slices.ContainsFunc(r.Methods, uploads) {
			limit, field = c.Server.ReadTimeout, "read_timeout"
		}
		if r.Timeout >= limit {
			list = append(list, fmt.Sprintf("routes.%s.timeout: %s is not shorter than server.%s, %s: slow exchanges are cut off",
				name, show(r.Timeout), field, show(limit)))
		}
	}
	slices.Sort(list)
	return list
}
