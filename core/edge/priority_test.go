package edge_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/edge"
)

func header(lines ...string) http.Header {
	h := http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	return h
}

func TestPriority(t *testing.T) {
	l := newLimiter(t, func(o *edge.Options) { o.Prefetch.Header = "x-app: ahead of need" })
	for _, tc := range []struct {
		want  edge.Priority
		lines []string
	}{
		{edge.Person, nil},
		{edge.Ahead, []string{"Sec-Purpose: prefetch"}},
		{edge.Ahead, []string{"Sec-Purpose: prefetch;prerender"}},
		{edge.Ahead, []string{"Sec-Purpose:  prefetch ; anonymous-client-ip "}},
		{edge.Ahead, []string{"Sec-Purpose: other, prefetch"}},
		{edge.Ahead, []string{"Sec-Purpose: other", "Sec-Purpose: prefetch"}},
		{edge.Person, []string{"Sec-Purpose: Prefetch"}},
		{edge.Person, []string{"Sec-Purpose: prefetching"}},
		{edge.Person, []string{"Sec-Purpose: prefetch now"}},
		{edge.Person, []string{"Sec-Purpose: prerender;prefetch"}},
		{edge.Person, []string{`Sec-Purpose: "a, prefetch, b"`}},
		{edge.Person, []string{"Sec-Purpose: "}},
		{edge.Person, []string{"Purpose: prefetch"}},

		{edge.Ahead, []string{"Priority: u=6"}},
		{edge.Ahead, []string{"Priority: u=7, i"}},
		{edge.Ahead, []string{"Priority: i, u=7;x=1"}},
		{edge.Ahead, []string{"Priority: i=?0,\tu=6"}},
		{edge.Ahead, []string{"Priority: u=1, u=6"}},
		{edge.Ahead, []string{"Priority: i", "Priority: u=6"}},
		{edge.Person, []string{"Priority: u=6, u=1"}},
		{edge.Person, []string{"Priority: u=5"}},
		{edge.Person, []string{"Priority: u=0"}},
		{edge.Person, []string{"Priority: i"}},
		{edge.Person, []string{"Priority: u=8"}},
		{edge.Person, []string{"Priority: u=66"}},
		{edge.Person, []string{"Priority: u=-6"}},
		{edge.Person, []string{"Priority: u"}},
		{edge.Person, []string{"Priority: u="}},
		{edge.Person, []string{"Priority: u =6"}},
		{edge.Person, []string{"Priority: u=6,"}},
		{edge.Person, []string{"Priority: u=6,,i"}},
		{edge.Person, []string{"Priority: U=6"}},
		{edge.Person, []string{`Priority: x="a, u=7, b"`}},
		{edge.Person, []string{"Priority: u=7, x=(1 2)"}},
		{edge.Person, []string{"Priority: "}},

		{edge.Ahead, []string{"X-App: ahead of need"}},
		{edge.Ahead, []string{"X-App: other", "X-App: ahead of need"}},
		{edge.Person, []string{"X-App: ahead"}},

		// A header can only lower.
		{edge.Ahead, []string{"Sec-Purpose: prefetch", "Priority: u=0"}},
		{edge.Ahead, []string{"X-App: ahead of need", "Priority: u=0, i"}},
		{edge.Ahead, []string{"Sec-Purpose: prefetch", "Priority: garbage,,"}},
	} {
		if got := l.Priority(header(tc.lines...)); got != tc.want {
			t.Errorf("%q: %v, want %v", tc.lines, got, tc.want)
		}
	}
}

func TestUrgencyIsConfigurable(t *testing.T) {
	for urgency, want := range map[int]edge.Priority{3: edge.Ahead, 4: edge.Person, 8: edge.Person} {
		l := newLimiter(t, func(o *edge.Options) { o.Prefetch.Urgency = urgency })
		if got := l.Priority(header("Priority: u=3")); got != want {
			t.Errorf("from %d on: %v", urgency, got)
		}
	}
	l := newLimiter(t, func(o *edge.Options) { o.Prefetch.Urgency = 8 })
	if got := l.Priority(header("Priority: u=7")); got != edge.Person {
		t.Errorf("never, and yet %v", got)
	}
	if got := l.Priority(header("Priority: u=8")); got != edge.Person {
		t.Errorf("an urgency that does not exist: %v", got)
	}
}

// FuzzPriority: no header panics, none raises what another one has lowered.
func FuzzPriority(f *testing.F) {
	for _, text := range []string{"prefetch;prerender", "u=7, i", `"`, "u=6,,", ",;=", "u=\x80"} {
		f.Add(text, text)
	}
	l := newLimiter(f, nil)
	f.Fuzz(func(t *testing.T, purpose, priority string) {
		lowered := l.Priority(http.Header{"Sec-Purpose": {purpose}})
		both := l.Priority(http.Header{"Sec-Purpose": {purpose}, "Priority": {priority}})
		if both < lowered {
			t.Errorf("%q raised what %q lowered", priority, purpose)
		}
		if garbage := l.Priority(http.Header{"Priority": {priority, ","}}); garbage != edge.Person {
			t.Errorf("%q: a broken header lowers", priority)
		}
	})
}

// BenchmarkHostileHeader is 16 KiB that say nothing.
func BenchmarkHostileHeader(b *testing.B) {
	l := newLimiter(b, nil)
	h := header("Sec-Purpose: "+strings.Repeat("prefetch x,", 745), "Priority: "+strings.Repeat("u=1,", 2048)+"u=1")
	b.ReportAllocs()
	for b.Loop() {
		if l.Priority(h) != edge.Person {
			b.Fatal("lowered")
		}
	}
}
