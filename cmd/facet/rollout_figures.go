package main

import (
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/fleet"
	"github.com/facet-gateway/facet/core/shadow"
	"github.com/facet-gateway/facet/core/telemetry"
)

// rolloutFigures are of the rollouts. None tells them apart: their names come from
// documents, which people change again and again. How each one does is at
// /rollouts/status.
func (g *gateway) rolloutFigures() []telemetry.Figure {
	health := func(figure func(*fleet.Health) float64) func(string) float64 {
		return func(string) float64 {
			h := g.fleet.Health()
			return figure(&h)
		}
	}
	statuses := []rollout.Status{rollout.Running, rollout.Paused, rollout.Aborted, rollout.Promoted}
	return []telemetry.Figure{
		{
			Name: "facet_rollout_revision", Help: "Revision of the rollouts that this replica answers by.",
			Read: health(func(h *fleet.Health) float64 { return float64(h.Revision) }),
		},
		{
			Name: "facet_rollout_store_available", Help: "1 while the store of rollouts is there.",
			Read: health(func(h *fleet.Health) float64 { return truth(h.Available) }),
		},
		{
			Name: "facet_rollout_replicas", Help: "Replicas that live, as far as this one knows.",
			Read: health(func(h *fleet.Health) float64 { return float64(h.Replicas) }),
		},
		{
			Name: "facet_rollouts", Help: "Rollouts by their status; those that have ended count until they are taken out of the document.",
			Label: "status", Values: texts(statuses),
			Read: func(status string) float64 { return float64(g.fleet.Health().Rollouts[rollout.Status(status)]) },
		},
		{
			Name: "facet_rollouts_waiting", Help: "Rollouts whose next step is due, but whose guard has too few requests.",
			Read: health(func(h *fleet.Health) float64 { return float64(h.Waiting) }),
		},
		{
			Name: "facet_versions_quarantined", Help: "Versions that answer nobody because of what they did.",
			Read: health(func(h *fleet.Health) float64 { return float64(h.Quarantined) }),
		},
	}
}

// shadowFigures are of candidates beside control, by version: those of the build.
func (g *gateway) shadowFigures() []telemetry.Figure {
	var versions []string
	for _, v := range g.versions.All() {
		versions = append(versions, v.String())
	}
	of := func(name, help string, count func(*shadow.Counts) uint64) telemetry.Figure {
		return telemetry.Figure{
			Name: name, Help: help, Counter: true, Label: "version", Values: versions,
			Read: func(version string) float64 {
				c := g.shadows.Totals()[version]
				return float64(count(&c))
			},
		}
	}
	return []telemetry.Figure{
		of("facet_shadow_compared_total", "Pages of a candidate that were compared with control's.",
			func(c *shadow.Counts) uint64 { return c.Compared }),
		of("facet_shadow_different_total", "Those of them that were different.",
			func(c *shadow.Counts) uint64 { return c.Different }),
		of("facet_shadow_panicked_total", "Pages that a candidate did not make beside control because it panicked.",
			func(c *shadow.Counts) uint64 { return c.Panicked }),
		of("facet_shadow_skipped_total", "Pages of the sample that were not compared, for want of room or of equal answers from the backends.",
			func(c *shadow.Counts) uint64 { return c.Hindered + c.Dropped + c.Refused }),
	}
}

// exposureFigures are of who is told who saw what; none if nobody is.
func (g *gateway) exposureFigures() []telemetry.Figure {
	if g.exposures == nil {
		return nil
	}
	all := []telemetry.Figure{
		{
			Name: "facet_exposures_total", Help: "Exposures of units to versions, by what came of them; one without room in the queue is dropped.",
			Counter: true, Label: "result", Values: []string{"told", "repeated", "dropped"},
			Read: func(result string) float64 {
				s := g.exposures.Stats()
				return float64(map[string]uint64{"told": s.Told, "repeated": s.Repeated, "dropped": s.Dropped}[result])
			},
		},
		{
			Name: "facet_exposure_deliveries_total", Help: "Exposures that were told, by who took them, or that one of those did not.",
			Counter: true, Label: "result", Values: []string{"logged", "published", "failed"},
			Read: func(result string) float64 {
				s := g.exposures.Stats()
				return float64(map[string]uint64{"logged": s.Logged, "published": s.Published, "failed": s.Failed}[result])
			},
		},
		{
			Name: "facet_exposures_queued", Help: "Exposures that wait to be told.",
			Read: func(string) float64 { return float64(g.exposures.Stats().Queued) },
		},
	}
	if len(g.config.Rollout.Exposure.NATS) > 0 {
		all = append(all, telemetry.Figure{
			Name: "facet_exposures_connected", Help: "1 while the gateway is connected to NATS.",
			Read: func(string) float64 { return truth(g.exposures.Stats().Connected) },
		})
	}
	return all
}

// truth is how metrics say yes and no.
func truth(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func texts[T ~string](all []T) []string {
	texts := make([]string, len(all))
	for i, one := range all {
		texts[i] = string(one)
	}
	return texts
}
