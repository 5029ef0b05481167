package report_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

func TestParsePartsReadsWhatIsWritten(t *testing.T) {
	t.Parallel()
	want := []report.Part{
		{Name: "reviews", Mark: report.Mark{Rung: report.Stale, Age: 95 * time.Second, Reason: fault.ReasonTimeout}},
		{Name: "product_2", Mark: report.Mark{Rung: report.Cached, Age: 3 * time.Second}},
		{Name: "recommendations", Mark: report.Mark{Rung: report.Default, Reason: fault.ReasonOpen}},
		{Name: "orders", Mark: report.Mark{Rung: report.Missing, Reason: fault.ReasonAnonymous}},
		{Name: "rows", Mark: report.Mark{Rung: report.Live}, Holes: report.Holes{Count: 3, Reason: fault.ReasonNotFound}},
	}
	header := (&report.Report{Parts: want}).PartsHeader()
	got, ok := report.ParseParts(header)
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("%s: %v\n%s", header, ok, diff)
	}
}

func TestParseParts(t *testing.T) {
	t.Parallel()
	for header, names := range map[string]string{
		"":                                       "",
		"  ":                                     "",
		"a=live":                                 "a",
		"a=stale;age=3 ,\tb=missing":             "a b",
		"a=stale; age=3;x;y=\"z\"":               "a", // parameters that are not ours
		"a=missing;reason=overload":              "a",
		"a":                                      "?",
		"=live":                                  "?",
		"a=":                                     "?",
		"a=new":                                  "?",
		"A=live":                                 "?",
		"1a=live":                                "?",
		"a=live,":                                "?",
		"a=live,,b=live":                         "?",
		"a=stale;age=-1":                         "?",
		"a=stale;age=+1":                         "?",
		"a=stale;age=1.5":                        "?",
		"a=stale;age=":                           "?",
		"a=stale;age":                            "?",
		"a=stale;age=946080001":                  "?",
		"a=stale;age=99999999999999":             "?",
		"a=live;holes=x":                         "?",
		"a=missing;reason=":                      "?",
		"a=missing;reason=none":                  "?",
		"a=missing;reason=\"open\"":              "?",
		"a=live\r\nSet-Cookie: x=y":              "?",
		strings.Repeat("a", 64) + "=live":        strings.Repeat("a", 64),
		strings.Repeat("a", 65) + "=live":        "?",
		strings.Repeat("a=live,", 99) + "a=live": strings.TrimSuffix(strings.Repeat("a ", 100), " "),
		strings.Repeat("a=live,", 100) + "a=live": "?",
	} {
		parts, ok := report.ParseParts(header)
		var got []string
		for _, p := range parts {
			got = append(got, p.Name)
		}
		if !ok {
			got = []string{"?"}
		}
		if text := strings.Join(got, " "); text != names {
			t.Errorf("%.80q: %s, want %s", header, text, names)
		}
	}
}

// FuzzParseParts: what is read is written so that it is read again as the same.
func FuzzParseParts(f *testing.F) {
	f.Add("reviews=stale;age=95, recommendations=default;reason=open, orders=missing;reason=timeout")
	f.Add("rows=cached;age=1;holes=3;reason=not_found")
	f.Add("a=live;holes=0;reason=open,a=missing")
	f.Fuzz(func(t *testing.T, header string) {
		first, ok := report.ParseParts(header)
		if !ok {
			return
		}
		text := (&report.Report{Parts: first}).PartsHeader()
		again, ok := report.ParseParts(text)
		if !ok || (&report.Report{Parts: again}).PartsHeader() != text {
			t.Fatalf("%q became %q, and is not read again as the same", header, text)
		}
		if strings.ContainsAny(text, "\r\n\x00") {
			t.Fatalf("%q ends the line", text)
		}
	})
}
