package config

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Plain is the transport of a service where the file names none.
const Plain = "http"

// transports are the ways to call a service, with the scheme of its instances' URLs.
var transports = map[string]struct {
	scheme   string
	secure   string // the scheme of those that are reached over TLS; "": none are
	messages bool   // of many calls on one connection
	broker   bool   // instances are the brokers that lead to the service, not the service
}{
	Plain:    {scheme: "http"},
	"grpc":   {scheme: "grpc"},
	"thrift": {scheme: "thrift"},
	"zmq":    {scheme: "tcp", messages: true},
	"nats":   {scheme: "nats", secure: "tls", messages: true, broker: true},
	"amqp":   {scheme: "amqp", secure: "amqps", messages: true, broker: true},
}

// live is the transport of which changes come by sockets of their own.
const live = "zmq"

// Broker is how a gateway is known to the brokers of a service that is reached over one.
type Broker struct {
	User         string // "": as nobody, or as AMQP's guest, whose password is guest
	PasswordFile string
}

// transportOf is what a service's block says; what is wrong with it is told elsewhere.
func transportOf(service value) string {
	v, ok := service.find("transport")
	if !ok {
		return Plain
	}
	if text, ok := scalar(v, Plain); ok && transports[text].scheme != "" {
		return text
	}
	return Plain
}

func transport(v value) (string, bool) {
	return oneOf(slices.Sorted(maps.Keys(transports))...)(v)
}

// checkTransport refuses what the service's transport, or its own code, cannot do.
func checkTransport(service value, s *Service, allowed []string) {
	if len(allowed) == 0 {
		allowed = []string{Plain}
	}
	name := transportOf(service)
	if v, ok := service.find("transport"); ok && !slices.Contains(allowed, name) {
		v.fail("the service is not reached over %s; allowed: %s", name, strings.Join(allowed, ", "))
	}
	to := transports[name]
	for _, one := range []struct {
		bad  bool
		why  string
		keys []string
	}{
		{to.broker, "is not for a service behind a broker; allowed: instances", []string{"resolver"}},
		{to.broker, "is not for a service behind a broker, which chooses itself; allowed: nothing", []string{"balance"}},
		{!to.broker, "is for a service behind a broker; allowed: transport nats or amqp", []string{"broker"}},
		{name != live, "is for a service whose changes come by sockets of their own; allowed: transport " + live, []string{"live"}},
		{name != Plain && s.Balance.Check.Path != "", "is asked for over http; allowed: transport http", []string{"balance", "check", "path"}},
		{name != "grpc" && s.Balance.Check.GRPC, "is asked over grpc; allowed: transport grpc", []string{"balance", "check", "grpc"}},
		{name != Plain && s.Resolver.Path != "", "is a path of HTTP; allowed: transport http", []string{"resolver", "path"}},
		{s.Broker.PasswordFile != "" && s.Broker.User == "", "is of nobody; allowed: with user", []string{"broker", "password_file"}},
		{
			name == "amqp" && s.Broker.User != "" && s.Broker.PasswordFile == "",
			"has no password over amqp; allowed: with password_file", []string{"broker", "user"},
		},
		{to.messages && s.MaxBody > maxMessage, "is out of range over " + name + "; allowed: 1B to 64MiB", []string{"max_body"}},
		{
			to.messages && s.MaxConnections > maxInFlight,
			"is out of range over " + name + ", where it bounds the calls in flight; allowed: 1 to 65536", []string{"max_connections"},
		},
	} {
		if one.bad {
			refuse(service, one.why, one.keys...)
		}
	}
}

// refuse adds an error for a field, if the file has it.
func refuse(at value, why string, keys ...string) {
	for _, key := range keys {
		next, ok := at.find(key)
		if !ok {
			return
		}
		at = next
	}
	at.failKey("%s", why)
}

// What one connection carries for many calls at once has closer bounds.
const (
	maxMessage  = 64 << 20 // bytes
	maxInFlight = 1 << 16
)

// checkRoutes refuses routes to services that are not reached over HTTP: what passes
// through is passed on as it is.
func (c *Config) checkRoutes(v value) {
	routes, ok := v.find("routes")
	if !ok {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(c.Routes)) {
		route, _ := routes.find(name)
		to := c.Services[c.Routes[name].Service].Transport
		if at, found := route.find("service"); found && to != "" && to != Plain {
			at.fail("%s is reached over %s; allowed: a service that is reached over http", c.Routes[name].Service, to)
		}
	}
}

func (b *Broker) decode(v value) {
	v.fields(set("user", &b.User, userName), set("password_file", &b.PasswordFile, path))
}

// instanceURL reads the address of an instance, of one transport, and returns it without
// a trailing slash.
func instanceURL(transport string) reader[string] {
	scheme := transports[transport].scheme
	rule := scheme + "://HOST:PORT"
	if transport == Plain {
		rule = urlRule
	}
	if transport == "amqp" {
		rule += ", with a virtual host as its path if it has one"
	}
	if secure := transports[transport].secure; secure != "" {
		rule += ", or " + secure + " for TLS"
	}
	return func(v value) (string, bool) {
		text, ok := scalar(v, scheme+"://127.0.0.1:9001")
		if !ok {
			return "", false
		}
		if strings.Contains(text, "@") { // not repeated: it may hold a password
			v.fail("holds a user name or an @; allowed: %s", rule)
			return "", false
		}
		if problem := urlProblem(text, []string{scheme, transports[transport].secure}, transport == Plain || transport == "amqp"); problem != "" {
			v.fail("%q %s; allowed: %s", shorten(text), problem, rule)
			return "", false
		}
		return strings.TrimRight(text, "/"), true
	}
}

const urlRule = "http://HOST:PORT, with a path if it has one"

func urlProblem(text string, schemes []string, mayHavePath bool) string {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "is not a URL"
	case u.Scheme == "" || !slices.Contains(schemes, u.Scheme):
		return "does not start with " + schemes[0] + "://"
	case strings.ContainsAny(text, "?#"):
		return "holds a query or a fragment"
	case strings.ContainsAny(text, " \t\r\n"):
		return "holds a space"
	case !isHost(u.Hostname()):
		return "has no valid host"
	case !isPort(u.Port()) || u.Port() == "0":
		return "has no valid port"
	case !mayHavePath && strings.TrimRight(u.Path, "/") != "":
		return "holds a path"
	}
	return ""
}
