package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	nethttp "net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/admin"
	"github.com/facet-gateway/facet/core/cache"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/config"
	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/edge"
	"github.com/facet-gateway/facet/core/operator"
	"github.com/facet-gateway/facet/core/passthrough"
	"github.com/facet-gateway/facet/core/remote"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/exposure"
	"github.com/facet-gateway/facet/core/rollout/fleet"
	"github.com/facet-gateway/facet/core/server"
	"github.com/facet-gateway/facet/core/shadow"
	"github.com/facet-gateway/facet/core/telemetry"
	"github.com/facet-gateway/facet/devices"
)

// gateway is a configuration come to life: clients, commands and two ports.
type gateway struct {
	build     *build
	versions  *adapter.Set   // of the build, and the remote ones
	config    *config.Config // of the start, for what a reload does not change
	log       *slog.Logger
	level     *slog.LevelVar // of the log; nil: it stays
	file      string         // that a reload reads; "": there is none
	reloader  *config.Reloader
	clients   map[string]client // of the services
	controls  []*command.Control
	retries   map[string]*command.Budget // of each service
	shared    *cache.Shared              // nil: no cache is shared with other replicas
	admission *edge.Limiter
	followers map[string]*discovery.Follower // of the services whose instances are found
	finding   sync.WaitGroup                 // what keeps the instances of all services
	fleet     *fleet.Fleet                   // of the rollouts
	forcing   *rollout.Forcing               // nil: nobody can force a version

	shadows   *shadow.Runner            // of candidates beside control
	exposures *exposure.Recorder        // nil: nobody is told
	remotes   map[string]*remote.Remote // by their names in the configuration

	upstreams map[string]*passthrough.Upstream // of routes, to each service
	guards    map[string]*command.Guard        // the commands of routes, by their names in the configuration

	rolloutFile   string // ""; they are not in a file
	closeRollouts func() // the store; nil: there is nothing to close

	server    *server.Server
	documents atomic.Pointer[map[string][]byte] // of what the devices' pages are, by name
	telemetry *telemetry.Telemetry
	admin     *admin.Admin

	operators operator.Roster // who may change something now
	auditFile *auditFile      // nil: the log has who changed what
}

// newGateway wires a gateway; it does not listen yet, and connects to nothing.
// Close it in the end. There can be one of a build.
func newGateway(b *build, c *config.Config, log *slog.Logger) (*gateway, error) {
	g := &gateway{
		build: b, config: c, log: log, controls: b.services.Controls(),
		clients: make(map[string]client, len(c.Services)), retries: make(map[string]*command.Budget, len(c.Services)),
	}
	g.reloader = config.NewReloader(c, g.load, g.prepare)
	for _, step := range []func() error{g.connect, g.share, g.readOperators, g.reach, g.pass, g.roll, g.open} {
		if err := step(); err != nil {
			g.close()
			return nil, err
		}
	}
	return g, nil
}

// open makes the two ports, and puts the configuration in force.
func (g *gateway) open() error {
	live, err := g.live(g.config)
	if err != nil {
		return err
	}
	if g.admission, err = edge.New(g.config.Admission); err != nil {
		return refused{err}
	}
	g.telemetry, err = telemetry.New(telemetry.Options{
		Controls: g.controls, Pages: append(g.build.pages(), g.build.feeds()...), Routes: g.routeNames(),
		Versions: labels(g.versions), Devices: answering(&live),
		Version: buildVersion(), Figures: g.figures(),
	})
	if err != nil {
		return failed(err)
	}
	g.server, err = server.New(server.Options{
		Live: live,
		Fixed: server.Fixed{
			Auth: g.config.Auth.Mode, Limits: limits(g.config), Log: g.log,
			Admission: g.admission, Observe: g.telemetry.Observe, Build: g.versions, Rollouts: g.assigning(),
		},
	})
	if err != nil {
		return refused{err}
	}
	apply, err := g.prepare(g.config)
	if err != nil {
		return err
	}
	apply()
	g.admin = g.newAdmin(nil)
	return nil
}

// answering returns the version that answers each class of devices where no rollout
// says otherwise.
func answering(l *server.Live) map[string]string {
	all := make(map[string]string)
	for _, class := range l.Devices.Classes() {
		profile, _ := l.Devices.Lookup(class)
		for _, v := range l.Versions {
			if v.Class == profile.Adapter() {
				all[string(class)] = v.String()
			}
		}
	}
	return all
}

// newAdmin returns the private port, with handlers that change nothing of the
// gateway beside its own.
func (g *gateway) newAdmin(trials map[string]nethttp.Handler) *admin.Admin {
	return admin.New(admin.Options{
		Ready: g.server.Ready, Controls: g.controls, Build: buildName(), Log: g.log,
		Operators: &g.operators, Hosts: g.hosts(), Audit: g.audit(), More: g.telemetry.Handlers(), Trials: trials,
		Documents: func() map[string][]byte { return *g.documents.Load() },
		States:    g.states(),
		Changes:   g.changes(),
	})
}

// states are what the private port tells of the parts that are not its own.
func (g *gateway) states() map[string]func() any {
	all := map[string]func() any{
		"/config":    g.inForce,
		"/admission": func() any { return g.admission.Stats() },
		"/instances": g.instances,
		"/live":      g.following,
	}
	maps.Copy(all, g.rolloutStates())
	if g.shared != nil {
		all["/cache"] = func() any { return g.shared.Stats() }
	}
	return all
}

// live is what of a configuration the public port can change while it serves.
func (g *gateway) live(c *config.Config) (server.Live, error) {
	resolver, err := devices.NewResolver(c.Devices)
	if err != nil {
		return server.Live{}, refused{fmt.Errorf("devices: %w", err)}
	}
	routes, err := g.routes(c)
	if err != nil {
		return server.Live{}, err
	}
	answers, err := statics(c)
	if err != nil {
		return server.Live{}, err
	}
	return server.Live{
		Devices:     resolver,
		Versions:    chosen(g.build.versions, c.Adapters),
		Budgets:     budgets(c.Pages),
		CORS:        server.CORS{Origins: c.CORS.Origins, Headers: prefetchHeader(c.Admission), MaxAge: c.CORS.MaxAge},
		RetryAfter:  longestSleep(c),
		LogRequests: c.Log.Requests,
		Routes:      routes,
		Statics:     answers,
		Clients:     server.Clients{Max: c.Live.MaxClients, MaxPerUser: c.Live.MaxPerUser, Heartbeat: c.Live.Heartbeat},
	}, nil
}

// prefetchHeader is what web pages have to be allowed to send, if the configuration
// has a header that says what is prefetched.
func prefetchHeader(o edge.Options) []string {
	if name := o.Prefetch.HeaderName(); name != "" {
		return []string{name}
	}
	return nil
}

// chosen returns the version that the configuration names for each class.
func chosen(set *adapter.Set, names map[devices.Class]string) []*adapter.Version {
	var versions []*adapter.Version
	for _, v := range set.All() {
		if names[v.Class] == v.Name {
			versions = append(versions, v)
		}
	}
	return versions
}

func budgets(pages map[string]config.Page) map[string]time.Duration {
	all := make(map[string]time.Duration, len(pages))
	for name, p := range pages {
		all[name] = p.Budget
	}
	return all
}

func limits(c *config.Config) server.Limits {
	s := c.Server
	return server.Limits{
		ReadHeaderTimeout: s.ReadHeaderTimeout,
		ReadTimeout:       s.ReadTimeout,
		WriteTimeout:      s.WriteTimeout,
		IdleTimeout:       s.IdleTimeout,
		MaxHeaderBytes:    int(s.MaxHeaderBytes),
		MaxHeaderLines:    s.MaxHeaderLines,
		DrainDelay:        s.DrainDelay,
		ShutdownTimeout:   s.ShutdownTimeout,
		GzipMin:           int(s.GzipMin),
	}
}

// longestSleep is after how long a circuit that is open now has let a probe
// through, whichever it is: before that, asking again may be in vain.
func longestSleep(c *config.Config) time.Duration {
	var longest time.Duration
	for _, r := range c.Routes {
		longest = max(longest, r.Circuit.Sleep)
	}
	for _, s := range c.Services {
		for _, policy := range s.Commands {
			longest = max(longest, policy.Circuit.Sleep)
		}
	}
	return longest
}

// close ends what is subscribed to and the calls that belong to no request, then the clients' connections
// and the file of the audit.
func (g *gateway) close() {
	g.build.services.Close()
	for _, c := range g.controls {
		c.Close()
	}
	if g.shared != nil {
		g.shared.Close()
	}
	g.closeRolling()
	if g.auditFile != nil {
		g.auditFile.close()
	}
	for _, c := range g.clients {
		c.Close()
	}
	for _, r := range g.remotes {
		r.Close()
	}
	for _, u := range g.upstreams {
		u.Close()
	}
}

// announcement tells the URLs of the public and the private port, once both
// can be connected to.
type announcement func(public, private string)

// run listens and serves until ctx ends and the requests in progress have.
func (g *gateway) run(ctx context.Context, announce announcement) error {
	if g.auditFile != nil {
		if err := g.auditFile.open(); err != nil {
			return err
		}
	}
	if err := g.openRollouts(); err != nil {
		return err
	}
	var config net.ListenConfig
	public, err := config.Listen(ctx, "tcp", g.config.Listen)
	if err != nil {
		return fmt.Errorf("the public port: %w", err)
	}
	private, err := config.Listen(ctx, "tcp", g.config.Admin)
	if err != nil {
		_ = public.Close() // the first error is the one to tell
		return fmt.Errorf("the private port: %w", err)
	}
	if g.shared != nil {
		g.shared.Connect()
	}
	announce("http://"+public.Addr().String(), "http://"+private.Addr().String())
	defer g.tellOfStop(ctx)()
	return g.serve(ctx, public, private)
}

// tellOfStop logs the end of ctx when it comes, from which nothing is reloaded any
// more. The function that it returns ends
// that, and waits for a line that is being written.
func (g *gateway) tellOfStop(ctx context.Context) (end func()) {
	told := make(chan struct{})
	tell := func() {
		defer close(told)
		g.reloader.Close()
		g.log.Info("stopping; a second signal ends at once")
	}
	stop := context.AfterFunc(ctx, tell)
	return func() {
		switch {
		case !stop():
			<-told
		case ctx.Err() != nil: // Done is closed before what waits for it by AfterFunc is started
			tell()
		}
	}
}

// serve follows the rollouts, and serves both ports. The private port ends after the
// public one, so that it can tell of the drain; if one of the three ends by itself,
// all do.
func (g *gateway) serve(ctx context.Context, public, private net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	longer, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	ended := make(chan error, 2) //nolint:mnd // of the two that run beside
	beside := func(run func() error) {
		defer cancel()
		ended <- run()
	}
	go beside(func() error { return g.fleet.Run(longer) })
	awaitFound := g.keepFinding(longer)
	g.awaitRollouts(ctx)
	awaitFound(ctx)
	go beside(func() error { return g.admin.Serve(longer, private) })
	err := g.server.Serve(ctx, public)
	end()
	g.finding.Wait()
	return errors.Join(err, <-ended, <-ended)
}
