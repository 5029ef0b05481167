// Package config reads the configuration file: what the operator may say, in
// what units, within what bounds.
//
// The file is YAML, read strictly: defaults first, then what the file says,
// then the bounds. A name that the code does not know, a number without its
// unit, a value out of its range and a name set twice are errors, each with
// file, line, column and what is allowed; all of them are found in one run. Of
// YAML only plain values, blocks and lists in one document are accepted: no
// anchors, aliases, tags or merge keys, which keeps the cost of a file in
// proportion to its size. A file has at most 1 MiB, 20,000 tokens and names of
// 64 bytes; reading one at these bounds takes well under a second, a usual one
// half a millisecond.
//
// A [Config] is plain data. Turning it into listeners, clients and commands is
// for whoever read it. A [Reloader] exchanges it for what the file says later;
// [Diff] tells what that changes, and diff.go which of it needs a restart.
package config

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/facet-gateway/facet/core/cache/store"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/edge"
	"github.com/facet-gateway/facet/devices"
)

// Config is a whole configuration, with every default filled in. It is never
// changed after [Parse] returned it, so it may be read from several goroutines.
type Config struct {
	Listen    string // HOST:PORT of the public port; port 0 picks a free one
	Admin     string // HOST:PORT of the private port
	Devices   devices.Options
	Auth      Auth
	CORS      CORS
	Log       Log
	Server    Server
	Admission edge.Options       // of pages, by how many are in progress
	Cache     store.Options      // the cache that replicas share; off by default
	Zone      string             // where this gateway runs, such as "eu-west-1a"; "": it is not said
	Services  map[string]Service // one for every service that the code knows
	Pages     map[string]Page    // one for every page that the code knows

	Routes map[string]Route  // by their names; nil: none
	Static map[string]Static // by their paths; nil: none

	Live Live // of the clients that follow what keeps coming

	// Adapters names the version that answers each class that the code has an
	// adapter for.
	Adapters map[devices.Class]string

	Operators Operators
	Rollout   Rollout

	// Warnings are what is allowed but hardly meant, one line each.
	Warnings []string

	source source // no setting
}

// source is where the settings stand.
type source struct {
	file string
	root value
}

// Auth says how the gateway learns who asks.
type Auth struct {
	Mode string // "none", or "header": X-User-Id is believed, for demonstrations and behind a trusted proxy
}

// CORS says which web pages may read answers.
type CORS struct {
	Origins []string      // each SCHEME://HOST[:PORT] as a browser sends it, or one "*"; empty: none
	MaxAge  time.Duration // how long a browser may remember the answer to a preflight; 0s to 24h
}

// Log says what is logged.
type Log struct {
	Level    slog.Level
	Format   string // "json" or "text"
	Requests bool   // one line for each request
}

// Server bounds what one client can hold and how a stop goes.
type Server struct {
	ReadHeaderTimeout time.Duration
	ReadTimeout       time.Duration // for the whole request
	WriteTimeout      time.Duration // from the end of the request's header to the end of the answer
	IdleTimeout       time.Duration // between two requests of a connection
	MaxHeaderBytes    Size
	MaxHeaderLines    int
	DrainDelay        time.Duration // from unready to the shutdown, for load balancers to notice
	ShutdownTimeout   time.Duration // for the requests in progress
	GzipMin           Size          // answers smaller than this are sent as they are
}

// Service is one backend service.
type Service struct {
	Transport      string   // http, grpc, thrift, zmq, nats or amqp
	Instances      []string // URLs without a trailing slash, of the transport's scheme; at least one, or a Resolver
	Broker         Broker   // of those that have one
	Live           Published
	Resolver       Resolver // finds the instances
	Balance        Balance
	MaxBody        Size // of an answer
	MaxConnections int  // to each instance
	RetryBudget    RetryBudget
	Commands       map[string]command.Policy
}

// RetryBudget bounds the retries and hedges of a service's commands.
type RetryBudget struct {
	Percent int // of the runs of commands that may repeat; 0 to 100
	Floor   int // a second, beside; 0 to 1,000
}

// Page is one endpoint.
type Page struct {
	Budget time.Duration // for the whole page
}

// Load reads a file. Relative paths in it are taken from its folder. An error is
// [Errors], or one that wraps what the operating system said.
func Load(file string, known Known) (*Config, error) {
	f, err := os.Open(file) //nolint:gosec // which file is the operator's choice
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	c, err := Parse(file, data, known)
	if err != nil {
		return nil, err
	}
	c.below(filepath.Dir(file))
	return c, nil
}

// below takes relative paths from a folder.
func (c *Config) below(folder string) {
	below(folder, c.Operators.files()...)
	below(folder, c.Rollout.files()...)
	below(folder, &c.Cache.PasswordFile)
	for name, s := range c.Services {
		below(folder, s.files()...)
		c.Services[name] = s
	}
	for at, s := range c.Static {
		below(folder, &s.File)
		c.Static[at] = s
	}
}

func below(folder string, paths ...*string) {
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(folder, *p)
		}
	}
}

// Parse reads what a file called name holds. An error about the file is
// [Errors]; any other says that known contradicts itself.
func Parse(name string, data []byte, known Known) (*Config, error) {
	c, err := known.defaults()
	if err != nil {
		return nil, err
	}
	errs := &collector{file: name}
	root, ok := document(data, errs)
	if ok {
		c.decode(root, known)
	}
	c.source = source{name, root}
	if list := errs.sorted(); len(list) > 0 {
		return nil, list
	}
	c.Warnings = c.warnings()
	return c, nil
}

func (c *Config) decode(v value, known Known) {
	v.fields(
		set("listen", &c.Listen, address),
		set("admin", &c.Admin, address),
		field{"operators", c.Operators.decode},
		field{"rollout", func(v value) { c.Rollout.decode(v, known.Adapters) }},
		field{"devices", func(v value) { decodeDevices(v, &c.Devices, known.Adapters) }},
		field{"auth", c.Auth.decode},
		field{"cors", c.CORS.decode},
		field{"log", c.Log.decode},
		field{"server", c.Server.decode},
		field{"admission", func(v value) { decodeAdmission(v, &c.Admission) }},
		field{"cache", func(v value) { decodeShared(v, &c.Cache) }},
		set("zone", &c.Zone, zone),
		field{"services", func(v value) { named(v, "service", c.Services, decodeService) }},
		field{"pages", func(v value) { named(v, "page", c.Pages, decodePage) }},
		field{"routes", func(v value) { c.decodeRoutes(v, known) }},
		field{"static", func(v value) { c.decodeStatics(v, known) }},
		field{"live", c.Live.decode},
		field{"adapters", func(v value) { decodeAdapters(v, c.Adapters, known.Adapters) }},
	)
	c.checkPorts(v)
	c.checkHidden(v)
	c.checkRoutes(v)
	if services, ok := v.find("services"); ok {
		c.requireInstances(services, known)
	} else {
		v.path = "services"
		c.requireInstances(v, known)
	}
}

// checkPorts refuses addresses that both ports cannot have at once. One of them
// may be a default.
func (c *Config) checkPorts(v value) {
	if !overlapping(c.Admin, c.Listen) {
		return
	}
	if admin, ok := v.find("admin"); ok {
		admin.fail("is not free beside listen, %s; allowed: an address of its own", c.Listen)
	} else if listen, ok := v.find("listen"); ok {
		listen.fail("is not free beside admin, %s; allowed: an address of its own", c.Admin)
	}
}
