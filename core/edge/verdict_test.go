package edge_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/facet-gateway/facet/core/edge"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

func TestVerdictOfErrors(t *testing.T) {
	lost := map[fault.Reason]bool{fault.ReasonTimeout: true, fault.ReasonFull: true, fault.ReasonBudget: true}
	for _, r := range fault.Reasons() {
		want := edge.Silent
		if lost[r] {
			want = edge.Lost
		}
		if got := edge.VerdictOf(fmt.Errorf("page: %w", fault.Because(r, nil)), nil); got != want {
			t.Errorf("%v: %v, want %v", r, got, want)
		}
	}
	for _, err := range []error{context.Canceled, errors.New("a defect"), fault.New(fault.NotFound, ""), fault.InvalidField("id", "bad")} {
		if got := edge.VerdictOf(err, nil); got != edge.Silent {
			t.Errorf("%v: %v", err, got)
		}
	}
}

func TestVerdictOfParts(t *testing.T) {
	part := func(rung report.Rung, reason fault.Reason) report.Part {
		return report.Part{Name: "reviews", Mark: report.Mark{Rung: rung, Reason: reason}}
	}
	live := part(report.Live, fault.None)
	for name, tc := range map[string]struct {
		parts []report.Part
		want  edge.Verdict
	}{
		"no parts":        {nil, edge.Whole},
		"live and cached": {[]report.Part{live, part(report.Cached, fault.None)}, edge.Whole},
		"anonymous":       {[]report.Part{live, part(report.Missing, fault.ReasonAnonymous)}, edge.Whole},
		"no such thing":   {[]report.Part{part(report.Missing, fault.ReasonNotFound), live}, edge.Whole},
		"a stand-in":      {[]report.Part{part(report.Default, fault.None), live}, edge.Whole},
		"stale":           {[]report.Part{live, part(report.Stale, fault.ReasonTimeout)}, edge.Silent},
		"open":            {[]report.Part{part(report.Missing, fault.ReasonOpen), live}, edge.Silent},
		"full":            {[]report.Part{live, part(report.Default, fault.ReasonFull)}, edge.Silent},
		"broken":          {[]report.Part{live, part(report.Missing, fault.ReasonError)}, edge.Silent},
	} {
		if got := edge.VerdictOf(nil, tc.parts); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}
