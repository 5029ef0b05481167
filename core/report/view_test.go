package report_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// member is one member of a dictionary of tokens (RFC 9651, section 3.2), with
// parameters that are integers or tokens.
type member struct {
	value  string
	params map[string]string
}

var (
	keyForm     = regexp.MustCompile(`^[a-z*][a-z0-9_.*-]*$`)
	tokenForm   = regexp.MustCompile("^[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*$")
	integerForm = regexp.MustCompile(`^-?[0-9]{1,15}$`)
)

// dictionary reads strictly what PartsHeader may write.
func dictionary(text string) (map[string]member, []string, error) {
	all := map[string]member{}
	var order []string
	if text == "" {
		return all, nil, nil
	}
	for item := range strings.SplitSeq(text, ", ") {
		fields := strings.Split(item, ";")
		key, value, ok := strings.Cut(fields[0], "=")
		if !ok || !keyForm.MatchString(key) || !tokenForm.MatchString(value) {
			return nil, nil, fmt.Errorf("member %q", item)
		}
		if _, twice := all[key]; twice {
			return nil, nil, fmt.Errorf("%q twice", key)
		}
		m := member{value, map[string]string{}}
		for _, field := range fields[1:] {
			name, v, ok := strings.Cut(field, "=")
			if !ok || !keyForm.MatchString(name) || !integerForm.MatchString(v) && !tokenForm.MatchString(v) {
				return nil, nil, fmt.Errorf("parameter %q", field)
			}
			m.params[name] = v
		}
		all[key], order = m, append(order, key)
	}
	return all, order, nil
}

func TestPartsHeaderAsDesigned(t *testing.T) {
	r := report.Report{Parts: []report.Part{
		{Name: "catalog", Mark: report.Mark{Rung: report.Live}},
		{Name: "reviews", Mark: report.Mark{Rung: report.Stale, Age: 95 * time.Second}},
		{Name: "recommendations", Mark: report.Mark{Rung: report.Default, Reason: fault.ReasonOpen}},
		{Name: "orders", Mark: report.Mark{Rung: report.Missing, Reason: fault.ReasonTimeout}},
		{Name: "price", Mark: report.Mark{Rung: report.Cached, Age: 1999 * time.Millisecond}},
	}}
	const want = "reviews=stale;age=95, recommendations=default;reason=open, orders=missing;reason=timeout, price=cached;age=1"
	if got := r.PartsHeader(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := (&report.Report{Parts: r.Parts[:1]}).PartsHeader(); got != "" {
		t.Errorf("all live: %q", got)
	}
}

// TestPartsHeaderReadsBack writes a part of every rung, reason and age, and reads it back.
func TestPartsHeaderReadsBack(t *testing.T) {
	var r report.Report
	for _, rung := range report.Rungs() {
		for _, reason := range append(fault.Reasons(), fault.None) {
			mark := report.Mark{Rung: rung, Reason: reason, Age: time.Duration(len(r.Parts)) * 700 * time.Millisecond}
			r.Parts = append(r.Parts, report.Part{Name: fmt.Sprintf("p_%d", len(r.Parts)), Mark: mark})
		}
	}
	members, order, err := dictionary(r.PartsHeader())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Parts {
		m, there := members[p.Name]
		if p.Mark.Rung == report.Live {
			if there {
				t.Errorf("%s is live and named", p.Name)
			}
			continue
		}
		if !there || order[0] != p.Name {
			t.Fatalf("%s: there %t, order %v", p.Name, there, order)
		}
		order = order[1:]
		want := member{p.Mark.Rung.String(), map[string]string{}}
		if p.Mark.Rung == report.Cached || p.Mark.Rung == report.Stale {
			want.params["age"] = strconv.Itoa(int(p.Mark.Age.Seconds()))
		}
		if p.Mark.Reason != fault.None {
			want.params["reason"] = p.Mark.Reason.String()
		}
		if fmt.Sprint(m) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", p.Name, m, want)
		}
	}
	if len(order) != 0 {
		t.Errorf("members that are no parts: %v", order)
	}
}

func TestServerTiming(t *testing.T) {
	r := report.New("", report.Trace{})
	r.Parts = []report.Part{{Name: "catalog", Took: 12345678}, {Name: "total"}}
	got := r.ServerTiming()
	form := regexp.MustCompile(`^catalog;dur=12\.345, total;dur=0, page-total;dur=[0-9]+(\.[0-9]+)?$`)
	if !form.MatchString(got) {
		t.Errorf("got %s", got)
	}
}
