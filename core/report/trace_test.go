package report_test

import (
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/report"
)

const (
	traceID  = "0af7651916cd43dd8448eb211c80319c"
	parentID = "b7ad6b7169203331"
	valid    = "00-" + traceID + "-" + parentID + "-01"
)

func TestParseTraceparent(t *testing.T) {
	for name, row := range map[string]struct {
		header string
		ok     bool
		flags  byte
	}{
		"sampled":                      {valid, true, 1},
		"not sampled":                  {"00-" + traceID + "-" + parentID + "-00", true, 0},
		"random":                       {"00-" + traceID + "-" + parentID + "-03", true, 3},
		"unknown flags are dropped":    {"00-" + traceID + "-" + parentID + "-ff", true, 3},
		"future version":               {"cc-" + traceID + "-" + parentID + "-01", true, 1},
		"future version with more":     {"cc-" + traceID + "-" + parentID + "-01-what-may-come", true, 1},
		"future version, no dash":      {"cc-" + traceID + "-" + parentID + "-01.what", false, 0},
		"version 00 with more":         {valid + "-what", false, 0},
		"version 00, trailing dash":    {valid + "-", false, 0},
		"version ff":                   {"ff-" + traceID + "-" + parentID + "-01", false, 0},
		"version FF":                   {"FF-" + traceID + "-" + parentID + "-01", false, 0},
		"version is no hex":            {"0g-" + traceID + "-" + parentID + "-01", false, 0},
		"version of one digit":         {valid[1:], false, 0},
		"upper case trace id":          {"00-" + strings.ToUpper(traceID) + "-" + parentID + "-01", false, 0},
		"upper case parent id":         {"00-" + traceID + "-" + strings.ToUpper(parentID) + "-01", false, 0},
		"upper case flags":             {"00-" + traceID + "-" + parentID + "-0A", false, 0},
		"zero trace id":                {"00-" + strings.Repeat("0", 32) + "-" + parentID + "-01", false, 0},
		"zero parent id":               {"00-" + traceID + "-" + strings.Repeat("0", 16) + "-01", false, 0},
		"short trace id":               {"00-" + traceID[1:] + "-" + parentID + "-01", false, 0},
		"long trace id":                {"00-" + traceID + "0-" + parentID + "-01", false, 0},
		"shifted dash, length correct": {"00-" + traceID + parentID[:1] + "-" + parentID[1:] + "-01", false, 0},
		"no hex in trace id":           {"00-" + traceID[:31] + "z-" + parentID + "-01", false, 0},
		"no hex in parent id":          {"00-" + traceID + "-" + parentID[:15] + ".-01", false, 0},
		"no hex in flags":              {"00-" + traceID + "-" + parentID + "-0x", false, 0},
		"underscores":                  {strings.ReplaceAll(valid, "-", "_"), false, 0},
		"space before":                 {" " + valid, false, 0},
		"space after":                  {valid + " ", false, 0},
		"empty":                        {"", false, 0},
		"version alone":                {"00", false, 0},
		"huge":                         {strings.Repeat("0", 1<<16), false, 0},
	} {
		got, ok := report.ParseTraceparent(row.header)
		if ok != row.ok || got.Flags != row.flags {
			t.Errorf("%s: got %v %x, want %v %x", name, ok, got.Flags, row.ok, row.flags)
		}
		if ok && got.String() != traceID || !ok && got != (report.Trace{}) {
			t.Errorf("%s: id %s", name, got)
		}
	}
}

func TestTraceparentHasItsOwnParent(t *testing.T) {
	in, _ := report.ParseTraceparent(valid)
	seen := map[string]bool{parentID: true}
	for range 1000 {
		out := string(in.AppendTraceparent([]byte("x")))[1:]
		back, ok := report.ParseTraceparent(out)
		if !ok || back != in || !strings.HasPrefix(out, "00-") {
			t.Fatalf("%s reads back as %v %t", out, back, ok)
		}
		parent := out[36:52]
		if seen[parent] {
			t.Fatalf("parent %s twice", parent)
		}
		seen[parent] = true
	}
}

func TestNewTrace(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		made := report.NewTrace()
		if made.Flags&1 != 0 || seen[made.String()] || made.ID == [16]byte{} {
			t.Fatalf("trace %s, flags %x", made, made.Flags)
		}
		seen[made.String()] = true
	}
}

// FuzzParseTraceparent: whatever is accepted can be passed on, and is only what the recommendation allows.
func FuzzParseTraceparent(f *testing.F) {
	for _, seed := range []string{
		valid, "cc" + valid[2:] + "-x", "ff" + valid[2:], strings.ToUpper(valid), "", "00", valid[:54], valid + "-",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		got, ok := report.ParseTraceparent(header)
		if !ok {
			if got != (report.Trace{}) {
				t.Fatalf("refused, and yet %v", got)
			}
			return
		}
		if !strings.Contains(header, got.String()) || strings.ContainsAny(header[:55], "ABCDEF") || header[:2] == "ff" {
			t.Fatalf("%q was accepted as %s", header, got)
		}
		if again, ok := report.ParseTraceparent(string(got.AppendTraceparent(nil))); !ok || again != got {
			t.Fatalf("%q cannot be passed on", header)
		}
	})
}
