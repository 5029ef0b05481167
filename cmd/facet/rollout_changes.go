package main

import (
	"context"
	"fmt"
	nethttp "net/http"
	"strconv"
	"strings"
	"unicode"

	"github.com/facet-gateway/facet/core/admin"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/devices"
)

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

// validReason refuses what would be more than a line where it is shown.
func validReason(text string) error {
	if len(text) > longestReason || strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fault.InvalidField("reason", fmt.Sprintf("must be one line of at most %d bytes", longestReason))
	}
	return nil
}

func (g *gateway) moveRollout(ctx context.Context, who admin.Actor, m move) (any, error) {
	if err := validReason(m.Reason); err != nil {
		return nil, err
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
	if err := validReason(q.Reason); err != nil {
		return nil, err
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
