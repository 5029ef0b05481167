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
	"github.com/facet-gateway/facet/core/admin"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/etcd"
	"github.com/facet-gateway/facet/core/rollout/exposure"
	"github.com/facet-gateway/facet/core/rollout/file"
	"github.com/facet-gateway/facet/core/rollout/fleet"
	"github.com/facet-gateway/facet/core/server"
	"github.com/facet-gateway/facet/core/shadow"
	"github.com/facet-gateway/facet/devices"
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
		return refused{err}
	}
	if g.forcing, err = forcing(c.ForceKey); err != nil {
		return refused{fmt.Errorf("rollout.force_key: %w", err)}
	}
	told := c.Exposure
	told.Replica = replicaID()
	if g.exposures, err = exposure.New(told, g.log); err != nil {
		return refused{fmt.Errorf("rollout.exposure: %w", err)}
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

// catalogue is what rollouts may name.
func (g *gateway) catalogue() rollout.Catalogue { return rollout.Catalogue(g.versions.Names()) }

func (g *gateway) validRollouts(s *rollout.State) error { return s.Validate(g.catalogue()) }

// keepRollouts finds the store that the configuration names: etcd, else a file, else
// memory.
func (g *gateway) keepRollouts() error {
	c := &g.config.Rollout
	switch {
	case len(c.Etcd.Endpoints) > 0:
		store, err := etcd.New(c.Etcd, g.validRollouts)
		if err != nil {
			return fmt.Errorf("rollout.etcd: %w", err)
		}
		g.closeRollouts = store.Close
		g.fleet.Join(store)
	case c.File != "":
		g.rolloutFile = c.File
		if err := file.Check(c.File, g.validRollouts); err != nil {
			return fmt.Errorf("rollout.file: %w", err)
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
	store, err := file.Open(g.rolloutFile, g.validRollouts)
	if err != nil {
		return refused{fmt.Errorf("rollout.file: %w", err)}
	}
	g.closeRollouts = store.Close
	g.fleet.Join(store)
	return nil
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
		Overran: func(v *adapter.Version, onTrial bool) { g.fleet.Overran(v.Class, v.Name, onTrial) },
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

// document is the document in force, as it is told and put back.
type document struct {
	rollout.Document
	revision uint64
}

// ETag is the revision.
func (d document) ETag() string { return strconv.FormatUint(d.revision, 10) }

func documentOf(s *rollout.State) document { return document{s.Document, s.Revision} }

// rolloutStates are what the private port tells of rollouts.
func (g *gateway) rolloutStates() map[string]func() any {
	return map[string]func() any{
		"/rollouts":         func() any { return documentOf(g.fleet.State()) },
		"/rollouts/history": func() any { return g.fleet.State().History },
		"/rollouts/status":  func() any { return g.fleet.Status() },
		"/rollouts/shadows": func() any { return g.shadows.Stats() },
	}
}

// maxDocument is how many bytes a document of rollouts may have.
const maxDocument = 4 << 20

// rolloutChanges are what operators change of rollouts.
func (g *gateway) rolloutChanges() []admin.Change {
	const one = "/rollouts/{class}/{rollout}"
	return []admin.Change{
		admin.NewChange(nethttp.MethodPut, "/rollouts", g.putRollouts).UpTo(maxDocument),
		admin.NewChange(nethttp.MethodPut, one, g.startRollout).UpTo(maxDocument),
		admin.NewChange(nethttp.MethodPost, one+"/{action}", g.moveRollout),
		admin.NewChange(nethttp.MethodPut, "/quarantine/{class}/{version}", g.confineVersion),
		admin.NewChange(nethttp.MethodDelete, "/quarantine/{class}/{version}", g.releaseVersion),
	}
}

// putRollouts puts a whole document in the place of the one that who asks has read.
func (g *gateway) putRollouts(ctx context.Context, who admin.Actor, d rollout.Document) (any, error) {
	tag, given, err := who.IfMatch()
	if err != nil {
		return nil, err
	}
	if !given {
		return nil, &fault.Error{
			Code: fault.PreconditionNeeded, Field: "If-Match", Detail: "say which revision you have read: the ETag of GET /rollouts",
		}
	}
	revision, err := strconv.ParseUint(tag, 10, 64)
	if err != nil {
		return nil, fault.InvalidField("If-Match", `must be a revision, such as "17"`)
	}
	return g.rolled(g.fleet.Replace(ctx, d, revision, who.Name))
}

// startRollout begins the rollout that the body describes.
func (g *gateway) startRollout(ctx context.Context, who admin.Actor, r rollout.Rollout) (any, error) {
	if r.Name = who.Param("rollout"); r.Status != "" {
		return nil, fault.InvalidField("status", "is not for who starts a rollout to say")
	}
	return g.rolled(g.fleet.Apply(ctx, rollout.Start(devices.Class(who.Param("class")), r), who.Name))
}

// move is the body of what is done with a rollout that there is.
type move struct {
	Share  *rollout.Percent `json:"share,omitempty"`  // of step and restart; without it, that of the plan
	Reason string           `json:"reason,omitempty"` // of pause and abort
}

const longestReason = 500 // bytes

func (g *gateway) moveRollout(ctx context.Context, who admin.Actor, m move) (any, error) {
	if len(m.Reason) > longestReason {
		return nil, fault.InvalidField("reason", fmt.Sprintf("must be at most %d bytes", longestReason))
	}
	class, name := devices.Class(who.Param("class")), who.Param("rollout")
	change, err := m.change(who.Param("action"), class, name)
	if err != nil {
		return nil, err
	}
	return g.rolled(g.fleet.Apply(ctx, change, who.Name))
}

func (m move) change(action string, class devices.Class, name string) (rollout.Change, error) {
	switch action {
	case "step":
		if m.Share != nil {
			return rollout.Grow(class, name, *m.Share), nil
		}
		return rollout.Advance(class, name), nil
	case "restart":
		var share rollout.Percent
		if m.Share != nil {
			share = *m.Share
		}
		return rollout.Restart(class, name, share), nil
	case "pause":
		return rollout.Pause(class, name, m.Reason), nil
	case "resume":
		return rollout.Resume(class, name), nil
	case "abort":
		return rollout.Abort(class, name, m.Reason), nil
	case "promote":
		return rollout.Promote(class, name), nil
	}
	return rollout.Change{}, &fault.Error{
		Code: fault.NotFound, Field: "action", Detail: "there are step, pause, resume, abort, promote and restart",
	}
}

// quarantining is the body of what takes a version out by hand.
type quarantining struct {
	Reason string `json:"reason"`
}

func (g *gateway) confineVersion(ctx context.Context, who admin.Actor, q quarantining) (any, error) {
	if len(q.Reason) > longestReason {
		return nil, fault.InvalidField("reason", fmt.Sprintf("must be at most %d bytes", longestReason))
	}
	change := rollout.Confine(devices.Class(who.Param("class")), who.Param("version"), rollout.Quarantine{By: who.Name, Reason: q.Reason})
	return g.rolled(g.fleet.Apply(ctx, change, who.Name))
}

func (g *gateway) releaseVersion(ctx context.Context, who admin.Actor, _ struct{}) (any, error) {
	return g.rolled(g.fleet.Apply(ctx, rollout.Release(devices.Class(who.Param("class")), who.Param("version")), who.Name))
}

// rolled tells the document that a change made.
func (g *gateway) rolled(s *rollout.State, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return documentOf(s), nil
}
