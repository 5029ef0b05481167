package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
)

// writeTable writes the figures as Markdown. results are the gateway's, the twin's and
// the gateway's again.
func writeTable(out io.Writer, o options, pages int, results []*result) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d rounds of %v, %d connections, %d different pages, GOGC=%d. %s.\n\n",
		o.workload.title(), o.rounds, o.duration, o.connections, pages, o.gogc, machine())
	b.WriteString("| program | CPU µs/page | pages/s | p50 ms | p99 ms | peak memory MiB | calls/page | not a page |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|\n")
	for _, r := range results {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %.0f | %.2f | 0 |\n", r.name,
			r.column("%.1f", func(s sample) float64 { return s.cpu }),
			r.column("%.0f", func(s sample) float64 { return s.rate }),
			r.column("%.1f", func(s sample) float64 { return s.p50 }),
			r.column("%.1f", func(s sample) float64 { return s.p99 }),
			float64(r.peak)/(1<<20), median(r.values(func(s sample) float64 { return s.made })))
	}
	b.WriteString("\nMedian (least–most) over the rounds. CPU per page, round by round:\n\n")
	gateway, twin, again := results[0], results[1], results[2]
	fmt.Fprintf(&b, "- gateway / twin: %s\n", spreadOf("%.3f", ratios(gateway, twin)))
	fmt.Fprintf(&b, "- gateway / gateway again (two equal runs): %s\n", spreadOf("%.3f", ratios(gateway, again)))
	_, err := io.WriteString(out, b.String())
	return err
}

func (r *result) column(format string, of func(sample) float64) string {
	return spreadOf(format, r.values(of))
}

func (r *result) values(of func(sample) float64) []float64 {
	values := make([]float64, len(r.samples))
	for i, s := range r.samples {
		values[i] = of(s)
	}
	return values
}

func spreadOf(format string, values []float64) string {
	return fmt.Sprintf(format+" ("+format+"–"+format+")", median(values), slices.Min(values), slices.Max(values))
}

// ratios pairs the CPU per page of two programs round by round.
func ratios(a, b *result) []float64 {
	all := make([]float64, len(a.samples))
	for i := range all {
		all[i] = a.samples[i].cpu / b.samples[i].cpu
	}
	return all
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// machine says what the figures were measured on.
func machine() string {
	kernel, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		kernel = []byte("of unknown version")
	}
	return fmt.Sprintf("%s, %d cores, Linux %s, %s", processor(), runtime.NumCPU(), strings.TrimSpace(string(kernel)), runtime.Version())
}

func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				return strings.TrimSpace(value)
			}
		}
	}
	return runtime.GOARCH
}
