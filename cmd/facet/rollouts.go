package main

import (
	"context"
	"fmt"
	"io"
	nethttp "net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/etcd"
	"github.com/facet-gateway/facet/core/rollout/exposure"
	"github.com/facet-gateway/facet/core/rollout/file"
	"github.com/facet-gateway/facet/core/rollout/fleet"
	"github.com/facet-gateway/facet/core/server"
	"github.com/facet-gateway/facet/core/shadow"
)

// roll makes this replica's part of the rollouts. It connects to nothing yet, and
// makes no file.
func (g *gateway) roll() (err error) {
	c := &g.config.Rollout
	g.fleet = fleet.New(fleet.Options{
		Known: g.catalogue(), Headers: c.Headers, Replica: replicaID(), Log: g.log,
		Defects: fleet.DefectLimits{Panics: c.Quarantine.Panics, Overruns: c.Quarantine.Overruns, Window: c.Quarantine.Window},
	})
	if err := g.keepRollouts(); err != nil {
		return err
	}
	if g.forcing, err = forcing(c.ForceKey); err != nil {
		return refused{g.config.Locate(err, "rollout", "force_key")}
	}
	told := c.Exposure
	told.Replica = replicaID()
	if g.exposures, err = exposure.New(told, g.log); err != nil {
		return refused{g.config.Locate(err, "rollout", "exposure")}
	}
	g.shadows = shadow.NewRunner(shadow.Options{})
	return nil
}

// closeTimeout is how long the end waits for candidates that still make pages, and
// then for exposures that are queued.
const closeTimeout = 5 * time.Second

// closeRolling ends what rollouts have running.
func (g *gateway) closeRolling() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if g.shadows != nil {
		if err := g.shadows.Close(ctx); err != nil {
			g.log.Error("the end does not wait any longer", "error", err.Error())
		}
	}
	if err := g.exposures.Close(ctx); err != nil {
		g.log.Warn("some exposures were not told", "error", err.Error())
	}
	if g.closeRollouts != nil {
		g.closeRollouts()
	}
}

// catalogue is the versions of this build.
func (g *gateway) catalogue() rollout.Catalogue { return rollout.Catalogue(g.versions.Names()) }

// keepRollouts finds the store that the configuration names: etcd, else a file, else
// memory.
func (g *gateway) keepRollouts() error {
	c := &g.config.Rollout
	switch {
	case len(c.Etcd.Endpoints) > 0:
		store, err := etcd.New(c.Etcd)
		if err != nil {
			return refused{g.config.Locate(err, "rollout", "etcd")}
		}
		g.closeRollouts = store.Close
		g.fleet.Join(store)
	case c.File != "":
		g.rolloutFile = c.File
		if err := file.Check(c.File); err != nil {
			return refused{g.config.Locate(err, "rollout", "file")}
		}
	default:
		g.fleet.Join(&rollout.Memory{})
	}
	return nil
}

// openRollouts opens the file of rollouts, if it is a file: from now on it is this
// process's.
func (g *gateway) openRollouts() error {
	if g.rolloutFile == "" {
		return nil
	}
	store, err := file.Open(g.rolloutFile)
	if err != nil {
		return refused{g.config.Locate(err, "rollout", "file")}
	}
	g.closeRollouts = store.Close
	g.fleet.Join(store)
	return nil
}

// firstLook is how long a start waits for the rollouts at most: without them units would
// have control. Whoever connects meanwhile waits for a moment.
const firstLook = 2 * time.Second

func (g *gateway) awaitRollouts(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, firstLook)
	defer cancel()
	g.fleet.Await(ctx)
}

// replicaID names this process among the replicas.
func replicaID() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return host + "-" + strconv.Itoa(os.Getpid())
}

const maxKeyFile = 4 << 10 // bytes

// forcing reads the key that testers' tokens are signed with; nil: there is none.
func forcing(name string) (*rollout.Forcing, error) {
	if name == "" {
		return nil, nil //nolint:nilnil // it is what reads no token
	}
	f, err := os.Open(name) //nolint:gosec // which file is the operator's choice
	if err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	if info, err := f.Stat(); err != nil || info.Mode().Perm()&othersRead != 0 {
		return nil, fmt.Errorf("others can read %s, and so force versions; allowed: chmod 600", name)
	}
	key, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	return rollout.NewForcing([]byte(strings.TrimSpace(string(key))))
}

// assigning is what the public port needs to know of rollouts.
func (g *gateway) assigning() *server.Rollouts {
	return &server.Rollouts{
		Plan: g.fleet.Plan, Forcing: g.forcing, UnitHeader: g.config.Rollout.UnitHeader, Shadows: g.shadows, Seen: g.seen,
		Overran: func(v *adapter.Version, replaceable bool) { g.fleet.Overran(v.Class, v.Name, replaceable) },
	}
}

// seen counts a request, and tells who saw what.
func (g *gateway) seen(s *rollout.Seen) {
	g.fleet.Seen(s)
	if s.Status >= nethttp.StatusBadRequest {
		return // nobody saw a page
	}
	e := exposure.Event{
		Class: s.Class, Assigned: s.Assignment, Revision: s.Revision, Unit: s.Unit,
		Request: s.Report.RequestID, Trace: s.Report.Trace, At: s.Report.Began,
	}
	e.Assigned.Version = s.Answered
	if s.FellBack {
		e.Fault = fault.ReasonPanic
	}
	g.exposures.Seen(e)
}
