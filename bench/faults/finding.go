package main

import (
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"
)

// finding is one figure of a row: what it was in each healthy and in each faulty
// run, and what it may be.
type finding struct {
	row, what       string
	healthy, faulty []float64 // by round; healthy may be none
	bar             string
	verdict         verdict
}

type verdict uint8

const (
	told verdict = iota // there is no bar, or it cannot be judged here
	met
	notMet
)

func (v verdict) String() string { return [...]string{"–", "met", "MISSED"}[v] }

func judged(good bool) verdict {
	if good {
		return met
	}
	return notMet
}

// atMost holds every faulty run to a bound; room, if there is any, is what the run of
// the same round has beside it.
func atMost(what string, healthy, faulty []float64, bound float64, room []float64) finding {
	good, most := len(faulty) > 0, 0.0
	for i, value := range faulty {
		var more float64
		if i < len(room) {
			more = room[i]
		}
		most = max(most, more)
		good = good && value <= bound+more
	}
	bar := "≤ " + number(bound)
	if most > 0 {
		bar += fmt.Sprintf(" + late, up to %.0f", most)
	}
	return finding{what: what, healthy: healthy, faulty: faulty, bar: bar, verdict: judged(good)}
}

// medianAtMost holds the median of the faulty runs to a bound: each by itself is at
// the mercy of what else the machine did.
func medianAtMost(what string, values []float64, bound float64) finding {
	good := len(values) > 0 && median(values) <= bound
	return finding{what: what, faulty: values, bar: fmt.Sprintf("median ≤ %.2f", bound), verdict: judged(good)}
}

// atLeast holds every faulty run to a bound from below.
func atLeast(what string, healthy, faulty []float64, bound float64) finding {
	good := len(faulty) > 0 && slices.Min(faulty) >= bound
	return finding{what: what, healthy: healthy, faulty: faulty, bar: "≥ " + number(bound), verdict: judged(good)}
}

// add adds a figure of one run.
func (f *finding) add(faulty bool, value float64) {
	if faulty {
		f.faulty = append(f.faulty, value)
		return
	}
	f.healthy = append(f.healthy, value)
}

// unchanged holds the median of the faulty runs to the healthy ones': within 10 %, or
// within twice the spread of the healthy ones. One run has no spread, and is told.
func unchanged(what string, healthy, faulty []float64) finding {
	f := finding{what: what, healthy: healthy, faulty: faulty, bar: "within 10 % or twice the spread"}
	if len(healthy) < 2 || len(faulty) < 2 {
		return f
	}
	spread := slices.Max(healthy) - slices.Min(healthy)
	f.verdict = judged(median(faulty) <= median(healthy)+max(median(healthy)/10, 2*spread))
	return f
}

func count(all []finding, v verdict) (n int) {
	for _, f := range all {
		if f.verdict == v {
			n++
		}
	}
	return n
}

func missed(all []finding) bool {
	return slices.ContainsFunc(all, func(f finding) bool { return f.verdict == notMet })
}

func (f *finding) line() string {
	return fmt.Sprintf("%-6s  %s: healthy %s, faulty %s; %s", f.verdict, f.what, spread(f.healthy), spread(f.faulty), f.bar)
}

func writeTable(out io.Writer, o options, late time.Duration, all []finding) {
	fmt.Fprintf(out, "\n%d cores, %s, %s. Median (least–most) over the rounds. 99 %% of this program's goroutines were at most %v late.\n\n",
		runtime.NumCPU(), runtime.Version(), o.form(), late.Round(time.Millisecond/10))
	fmt.Fprint(out, "| fault | figure | healthy | faulty | bar | |\n|---|---|---|---|---|---|\n")
	for _, f := range all {
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %s |\n", f.row, f.what, spread(f.healthy), spread(f.faulty), f.bar, f.verdict)
	}
}

func (o options) form() string {
	form := "the full form"
	if o.short {
		form = "the short form"
	}
	if o.race {
		form += " with the race detector"
	}
	return form
}

// spread is a median with the least and the most beside it.
func spread(values []float64) string {
	if len(values) == 0 {
		return "–"
	}
	least, most := slices.Min(values), slices.Max(values)
	if least == most {
		return number(least)
	}
	return fmt.Sprintf("%s (%s–%s)", number(median(values)), number(least), number(most))
}

// number has two digits after the point, or none where they say nothing.
func number(value float64) string {
	if math.IsInf(value, 1) {
		return "never"
	}
	if value == math.Trunc(value) {
		return fmt.Sprintf("%.0f", value)
	}
	return strings.TrimSuffix(fmt.Sprintf("%.2f", value), ".00")
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
