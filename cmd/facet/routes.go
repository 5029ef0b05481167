package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/config"
	"github.com/facet-gateway/facet/core/passthrough"
	"github.com/facet-gateway/facet/core/server"
)

// pass makes what routes go by: connections to each service, and a command for each
// route that the configuration has at the start. It connects to nothing yet.
func (g *gateway) pass() error {
	g.upstreams = make(map[string]*passthrough.Upstream, len(g.config.Services))
	g.guards = make(map[string]*command.Guard, len(g.config.Routes))
	for name, s := range g.config.Services {
		if over, ok := g.clients[name].(*http.Client); ok {
			g.upstreams[name] = passthrough.NewUpstream(name, nextOf(over), s.MaxConnections)
		}
	}
	g.controls = slices.Clone(g.controls)
	for name, r := range sorted(g.config.Routes) {
		guard := command.NewGuard("route." + strings.ReplaceAll(name, "-", "_"))
		if err := guard.Configure(r.Policy()); err != nil {
			return refused{g.config.Locate(err, "routes", name)}
		}
		g.guards[name] = guard
		g.controls = append(g.controls, guard.Control)
	}
	return nil
}

// nextOf chooses among the instances that calls of the service's pages go to.
func nextOf(client *http.Client) passthrough.Next {
	return func() (passthrough.Instance, error) {
		m, err := client.Pick(nil)
		if err != nil {
			return passthrough.Instance{}, err //nolint:wrapcheck // the route names the service
		}
		base := &url.URL{Scheme: "http", Host: m.Instance.Address, Path: m.Instance.Path}
		return passthrough.Instance{Base: base, Done: m.Done}, nil
	}
}

// routes are those of a configuration. One that was not there at the start has no
// command: circuits are made once.
func (g *gateway) routes(c *config.Config) (passthrough.Routes, error) {
	var all []*passthrough.Route
	var fresh []config.Change
	for name, r := range sorted(c.Routes) {
		if g.guards[name] == nil {
			fresh = append(fresh, config.Change{Path: "routes." + name})
			continue
		}
		route, err := passthrough.New(passthrough.Options{
			Name: name, Rules: rulesOf(&r), Upstream: g.upstreams[r.Service], Command: g.guards[name],
		})
		if err != nil {
			return nil, refused{c.Locate(err, "routes", name)}
		}
		all = append(all, route)
	}
	if len(fresh) > 0 {
		return nil, &config.RestartError{Changes: fresh}
	}
	routes, err := passthrough.NewRoutes(all...)
	if err != nil {
		return nil, refused{err}
	}
	return routes, nil
}

func rulesOf(r *config.Route) passthrough.Rules {
	return passthrough.Rules{
		Prefix: r.Prefix, Rewrite: r.Rewrite, Methods: r.Methods, RequestHeaders: r.RequestHeaders, ResponseHeaders: r.ResponseHeaders,
		MaxBody: int64(r.MaxBody), MaxAnswer: int64(r.MaxAnswer),
	}
}

// passBy puts the policies of a configuration's routes in force.
func (g *gateway) passBy(c *config.Config) {
	for name, r := range c.Routes {
		if err := g.guards[name].Configure(r.Policy()); err != nil {
			g.log.Error("a policy that was found good is refused: a defect", "error", err.Error())
		}
	}
}

// routeNames are what metrics tell of beside pages: of the start, since no later
// configuration has more.
func (g *gateway) routeNames() []string {
	return append(slices.Sorted(maps.Keys(g.guards)), server.StaticPage)
}

// statics are the static answers of a configuration, whose files are read now.
func statics(c *config.Config) (map[string]*server.Static, error) {
	all := make(map[string]*server.Static, len(c.Static))
	for path, s := range sorted(c.Static) {
		answer, err := static(&s)
		if err != nil {
			return nil, refused{c.Locate(err, "static", path)}
		}
		all[path] = answer
	}
	return all, nil
}

func static(s *config.Static) (*server.Static, error) {
	body, kind := []byte(s.Body), s.ContentType
	if s.File != "" {
		var err error
		if body, err = readStatic(s.File); err != nil {
			return nil, err
		}
		if kind == "" {
			kind = server.TypeOf(s.File)
		}
		if kind == "" {
			return nil, fmt.Errorf("the name of %s does not tell its type: it needs a content_type", s.File)
		}
	}
	return server.NewStatic(body, kind, s.CacheControl) //nolint:wrapcheck // which says what is wrong
}

// readStatic reads a file, one byte over what is allowed at most. Something else than a
// file could have it wait without end.
func readStatic(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New(name + " is not a regular file")
	}
	f, err := os.Open(name) //nolint:gosec // which file is the operator's choice
	if err != nil {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	body, err := io.ReadAll(io.LimitReader(f, server.MaxStatic+1))
	if err != nil {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	return body, nil
}
