package main

import (
	"slices"
	"strings"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/config"
	"github.com/facet-gateway/facet/core/remote"
	"github.com/facet-gateway/facet/devices"
)

// reach makes the versions that live elsewhere: rollouts may name them as those of the
// build, and operators force their circuits. It connects to nothing yet.
func (g *gateway) reach() error {
	g.remotes = make(map[string]*remote.Remote, len(g.config.Rollout.Remotes))
	g.controls = slices.Clone(g.controls)
	var versions []*adapter.Version
	for name, o := range sorted(g.config.Rollout.Remotes) {
		class, version, _ := strings.Cut(name, "/")
		r, err := remote.New(remote.Options{
			Class: devices.Class(class), Name: version, Paths: g.build.paths(devices.Class(class)), Policy: o.Policy(),
			Instances: o.Instances, MaxBody: int64(o.MaxBody), MaxConns: o.MaxConnections,
		})
		if err != nil {
			return refused{g.config.Locate(err, "rollout", "remotes", name)}
		}
		g.remotes[name] = r
		g.controls = append(g.controls, r.Control())
		versions = append(versions, r.Version())
	}
	var err error
	g.versions, err = g.build.versions.With(versions...)
	return failed(err)
}

// reachBy puts the policies of a configuration in force, which has the same remote
// versions: what else it says of them needs a restart.
func (g *gateway) reachBy(c *config.Config) {
	for name, r := range g.remotes {
		o := c.Rollout.Remotes[name]
		if err := r.Control().Configure(o.Policy()); err != nil {
			g.log.Error("a policy that was found good is refused: a defect", "error", err.Error())
		}
	}
}

// paths are those of all pages of a class, each once: a remote version has to have
// every one, since nobody can see which it has.
func (b *build) paths(class devices.Class) []string {
	var all []string
	for _, v := range b.versions.All() {
		if v.Class != class {
			continue
		}
		for _, path := range v.Paths() {
			if !slices.Contains(all, path) {
				all = append(all, path)
			}
		}
	}
	return all
}
