package telemetry

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/facet-gateway/facet/core/command"
)

// commands are the metrics of commands. They are read from the commands' own
// counters when somebody asks, so that counting costs nothing more.
type commands struct {
	controls []*command.Control

	runs, would, retries, hedges, hedgesWon, coalesced, renewed, answers, seconds *prometheus.Desc
	inUse, limit, open, forced, openings, refused, shadowed                       *prometheus.Desc
}

func newCommands(controls []*command.Control) *commands {
	return &commands{
		controls:  controls,
		runs:      describe("runs_total", "Runs of a command by how they ended.", "outcome"),
		would:     describe("would_total", "Runs that limits would have refused or ended, had they not only been observed.", "outcome"),
		retries:   describe("retries_total", "Attempts of a command beside the first of each run."),
		hedges:    describe("hedges_total", "Second attempts of a command beside a slow first one."),
		hedgesWon: describe("hedges_won_total", "Second attempts of a command that answered before the first."),
		coalesced: describe("coalesced_total", "Queries that waited for a call that was begun for another request."),
		renewed:   describe("renewed_total", "Remembered answers that were renewed while they were used."),
		answers:   describe("answers_total", "Answers of a command by the rung they stood on.", "rung"),
		seconds:   describe("duration_seconds", "Time that runs of a command took, but those that were canceled."),
		inUse:     describe("tickets_in_use", "Runs in progress, each of which holds a ticket of the bulkhead."),
		limit:     describe("tickets_limit", "Runs that may be in progress at once."),
		open:      describe("circuit_open", "1 while the circuit lets nothing pass but probes."),
		forced:    describe("circuit_forced", "1 while a person has forced the circuit open or closed."),
		openings:  describe("circuit_openings_total", "Times that the circuit has opened."),
		refused:   describe("circuit_events_refused_total", "Runs that the circuit's percentage could not take in time."),
		shadowed:  describe("shadow_runs_total", "Runs of a command for shadows by how they ended; no other metric counts them.", "outcome"),
	}
}

func describe(name, help string, label ...string) *prometheus.Desc {
	return prometheus.NewDesc("facet_command_"+name, help, append([]string{"service", "command"}, label...), nil)
}

// Describe names what Collect tells.
func (c *commands) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		c.runs, c.would, c.retries, c.hedges, c.hedgesWon, c.coalesced, c.renewed, c.answers, c.seconds,
		c.inUse, c.limit, c.open, c.forced, c.openings, c.refused, c.shadowed,
	} {
		to <- d
	}
}

// Collect reads the counters of every command.
func (c *commands) Collect(to chan<- prometheus.Metric) {
	for _, control := range c.controls {
		c.collect(control, to)
	}
}

func (c *commands) collect(control *command.Control, to chan<- prometheus.Metric) {
	stats, service := control.Stats(), serviceOf(control)
	tell := func(d *prometheus.Desc, kind prometheus.ValueType, value float64, label ...string) {
		to <- prometheus.MustNewConstMetric(d, kind, value, append([]string{service, stats.Name}, label...)...)
	}
	for outcome, n := range stats.Outcomes {
		tell(c.runs, prometheus.CounterValue, float64(n), outcome)
	}
	for outcome, n := range stats.Would {
		tell(c.would, prometheus.CounterValue, float64(n), outcome)
	}
	for outcome, n := range stats.Shadowed {
		tell(c.shadowed, prometheus.CounterValue, float64(n), outcome)
	}
	for rung, n := range stats.Rungs {
		tell(c.answers, prometheus.CounterValue, float64(n), rung)
	}
	tell(c.retries, prometheus.CounterValue, float64(stats.Retries))
	tell(c.hedges, prometheus.CounterValue, float64(stats.Hedges))
	tell(c.hedgesWon, prometheus.CounterValue, float64(stats.HedgesWon))
	tell(c.inUse, prometheus.GaugeValue, float64(stats.InFlight))
	tell(c.limit, prometheus.GaugeValue, float64(stats.MaxConcurrent))
	tell(c.coalesced, prometheus.CounterValue, float64(stats.Coalesced))
	tell(c.renewed, prometheus.CounterValue, float64(stats.Renewed))
	tell(c.open, prometheus.GaugeValue, oneIf(isOpen(&stats)))
	tell(c.forced, prometheus.GaugeValue, oneIf(isForced(&stats)))
	tell(c.openings, prometheus.CounterValue, float64(stats.Opened))
	tell(c.refused, prometheus.CounterValue, float64(stats.RefusedEvents))
	to <- c.histogram(control.Durations(), service, stats.Name)
}

func (c *commands) histogram(d command.Durations, labels ...string) prometheus.Metric {
	buckets := make(map[float64]uint64, len(d.Buckets))
	for _, b := range d.Buckets {
		buckets[b.UpTo.Seconds()] = b.Count
	}
	return prometheus.MustNewConstHistogram(c.seconds, d.Count, d.Sum.Seconds(), buckets, labels...)
}

// serviceOf returns the first half of a command's name, "service.command".
func serviceOf(control *command.Control) string {
	service, _, _ := strings.Cut(control.Name(), ".")
	return service
}

// isOpen reports whether the circuit lets nothing pass but probes, if even those.
func isOpen(s *command.Stats) bool {
	return s.Circuit == "open" || s.Circuit == command.ForcedOpen.String()
}

func isForced(s *command.Stats) bool {
	return s.Circuit == command.ForcedOpen.String() || s.Circuit == command.ForcedClosed.String()
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
