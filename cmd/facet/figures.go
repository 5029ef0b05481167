package main

import (
	"slices"

	"github.com/facet-gateway/facet/core/edge"
	"github.com/facet-gateway/facet/core/telemetry"
)

// figures are the metrics of admission, of reloads, of rollouts and, as far as there
// are such, of the shared cache and of exposures, and of what is live.
func (g *gateway) figures() []telemetry.Figure {
	return slices.Concat(
		g.admissionFigures(), g.reloadFigures(), g.rolloutFigures(), g.shadowFigures(), g.cacheFigures(), g.exposureFigures(),
		g.instanceFigures(), g.liveFigures(),
	)
}

func (g *gateway) admissionFigures() []telemetry.Figure {
	var priorities []string
	for _, p := range edge.Priorities() {
		priorities = append(priorities, p.String())
	}
	stats := func() edge.Stats { return g.admission.Stats() }
	return []telemetry.Figure{
		{
			Name: "facet_admission_limit", Help: "Pages that may be in progress before this priority is refused.",
			Label: "priority", Values: priorities,
			Read: func(priority string) float64 {
				if priority == edge.Person.String() {
					return float64(stats().Limit)
				}
				return float64(stats().PrefetchLimit)
			},
		},
		{
			Name: "facet_admission_in_progress", Help: "Pages in progress.",
			Read: func(string) float64 { return float64(stats().InProgress) },
		},
		{
			Name: "facet_admission_admitted_total", Help: "Pages that were admitted, by their priority.", Counter: true,
			Label: "priority", Values: priorities, Read: func(priority string) float64 { return float64(stats().Admitted[priority]) },
		},
		{
			Name: "facet_admission_refused_total", Help: "Pages that were refused, by their priority.", Counter: true,
			Label: "priority", Values: priorities, Read: func(priority string) float64 { return float64(stats().Refused[priority]) },
		},
	}
}

func (g *gateway) reloadFigures() []telemetry.Figure {
	return []telemetry.Figure{{
		Name: "facet_reloads_total", Help: "Reloads of the configuration, by what came of them.", Counter: true,
		Label: "result", Values: []string{"success", "failure"},
		Read: func(result string) float64 {
			_, status := g.reloader.InForce()
			if result == "success" {
				return float64(status.Reloads)
			}
			return float64(status.Failures)
		},
	}}
}

func (g *gateway) cacheFigures() []telemetry.Figure {
	if g.shared == nil {
		return nil
	}
	return []telemetry.Figure{
		{
			Name: "facet_shared_cache_lookups_total", Help: "Keys looked up in the shared cache, by what came of them.", Counter: true,
			Label: "result", Values: []string{"hit", "miss", "fault", "skipped", "rubbish", "outdated"},
			Read: func(result string) float64 {
				s := g.shared.Stats()
				return float64(map[string]uint64{
					"hit": s.Hits, "miss": s.Misses, "fault": s.Faults, "skipped": s.Skipped, "rubbish": s.Rubbish, "outdated": s.Outdated,
				}[result])
			},
		},
		{
			Name: "facet_shared_cache_changes_total", Help: "Changes sent to the shared cache, by what came of them.", Counter: true,
			Label: "result", Values: []string{"written", "fault", "dropped"},
			Read: func(result string) float64 {
				s := g.shared.Stats()
				return float64(map[string]uint64{"written": s.Written, "fault": s.WriteFaults, "dropped": s.Dropped}[result])
			},
		},
		{
			Name: "facet_shared_cache_invalidations_total", Help: "Invalidations heard or made.", Counter: true,
			Read: func(string) float64 { return float64(g.shared.Stats().Invalidations) },
		},
		{
			Name: "facet_shared_cache_connected", Help: "1 while the shared cache is there.",
			Read: func(string) float64 { return truth(g.shared.Stats().Connected) },
		},
	}
}
