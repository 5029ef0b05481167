package report_test

import (
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// worse is the whole algebra: row joined with column.
var worse = [5][5]string{
	/*            cached     live       stale      default    missing */
	/* cached  */ {"cached", "live", "stale", "default", "missing"},
	/* live    */ {"live", "live", "stale", "default", "missing"},
	/* stale   */ {"stale", "stale", "stale", "default", "missing"},
	/* default */ {"default", "default", "default", "default", "missing"},
	/* missing */ {"missing", "missing", "missing", "missing", "missing"},
}

func TestJoinEveryCell(t *testing.T) {
	const left, right = fault.ReasonOpen, fault.ReasonTimeout // timeout comes first
	for _, a := range report.Rungs() {
		for _, b := range report.Rungs() {
			want := report.Mark{Age: 7 * time.Second}
			for _, r := range report.Rungs() {
				if r.String() == worse[a][b] {
					want.Rung = r
				}
			}
			want.Reason = right
			if a > b {
				want.Reason = left
			}
			x := report.Mark{Rung: a, Age: 3 * time.Second, Reason: left}
			y := report.Mark{Rung: b, Age: 7 * time.Second, Reason: right}
			if got := x.Join(y); got != want {
				t.Errorf("%v + %v = %v, want %v", x, y, got, want)
			}
		}
	}
}

func marks() []report.Mark {
	var all []report.Mark
	for _, rung := range report.Rungs() {
		for _, age := range []time.Duration{0, time.Second, time.Minute} {
			for _, reason := range []fault.Reason{fault.None, fault.ReasonTimeout, fault.ReasonOpen} {
				all = append(all, report.Mark{Rung: rung, Age: age, Reason: reason})
			}
		}
	}
	return all
}

func TestJoinIsASemilattice(t *testing.T) {
	all := marks()
	for _, a := range all {
		if a.Join(a) != a {
			t.Errorf("%v is not idempotent", a)
		}
		for _, b := range all {
			ab := a.Join(b)
			if ab != b.Join(a) {
				t.Errorf("%v + %v is not symmetric", a, b)
			}
			if ab.Rung < a.Rung || ab.Rung < b.Rung || ab.Age < a.Age || ab.Age < b.Age {
				t.Errorf("%v + %v = %v is better than one of them", a, b, ab)
			}
			for _, c := range all {
				if ab.Join(c) != a.Join(b.Join(c)) {
					t.Errorf("%v + %v + %v is not associative", a, b, c)
				}
			}
		}
	}
}

func TestReasonBelongsToTheWorse(t *testing.T) {
	live := report.Mark{Rung: report.Live}
	stale := report.Mark{Rung: report.Stale, Reason: fault.ReasonOpen}
	silent := report.Mark{Rung: report.Stale}
	odd := report.Mark{Rung: report.Live, Reason: fault.ReasonTimeout}
	for _, row := range []struct{ a, b, want report.Mark }{
		{live, stale, stale},
		{silent, stale, stale}, // one rung: a reason is better than none
		{odd, silent, silent},  // the reason of the better one does not explain the worse
		{odd, live, odd},
	} {
		if got := row.a.Join(row.b); got != row.want {
			t.Errorf("%v + %v = %v, want %v", row.a, row.b, got, row.want)
		}
	}
}

func TestRungNames(t *testing.T) {
	want := []string{"cached", "live", "stale", "default", "missing"}
	for i, rung := range report.Rungs() {
		if rung.String() != want[i] {
			t.Errorf("rung %d is %q, want %q", i, rung, want[i])
		}
	}
	if len(want) != len(report.Rungs()) || report.Rung(99).String() != "missing" {
		t.Error("the rungs are not these five")
	}
}
