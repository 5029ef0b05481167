package server_test

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/edge"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/server"
	"github.com/facet-gateway/facet/core/shadow"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

// released is a fixture with a second version for phones, and rollouts.
type released struct {
	*fixture
	plan     atomic.Pointer[rollout.Plan]
	mu       sync.Mutex
	seen     []rollout.Seen
	overruns []string
	release  chan struct{} // what the id "loop" waits for
}

// candidatePages is the second version: it knows the ids that the first does, and
// what its own code does at others.
func (r *released) candidatePages(_ *adapter.Request, q query) stream.Assembly[page] {
	switch q.ID {
	case "new-panic":
		panic("a defect of the candidate")
	case "new-late-panic":
		<-time.After(itemBudget * 9 / 10) // its own work, which it does not finish
		panic("a defect of the candidate, late")
	case "loop":
		<-r.release // as an endless loop would, but that a test can end
	}
	return stream.Assemble(
		stream.Required("title", r.backend.call(q.ID), func(p *page, v string) { p.Title = v + ", candidate" }),
		stream.Optional("extra", r.extra(q.ID), func(*page, string) {
			if q.ID == "loop-late" {
				<-r.release
			}
			if q.ID == "new-panic-setter" {
				panic("a defect of a setter")
			}
		}),
	)
}

// extra is there at once, or after the title.
func (r *released) extra(id string) stream.Stream[string] {
	if id != "loop-late" {
		return stream.Of("x")
	}
	return stream.Then(r.backend.call(id), func(string) stream.Stream[string] {
		return stream.Source(nil, func(ctx context.Context) (string, report.Mark, error) {
			timer := time.NewTimer(itemBudget / 5) // its work
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
			return "x", report.Mark{Rung: report.Live}, nil
		})
	})
}

const itemBudget = 100 * time.Millisecond // of the fixture

func newReleased(t testing.TB, layer rollout.Layer, change func(*server.Options)) *released {
	t.Helper()
	r := &released{release: make(chan struct{})}
	r.decide(rollout.State{Document: rollout.Document{Classes: map[devices.Class]*rollout.Layer{devices.Phone: &layer}}})
	r.fixture = newFixture(t, func(o *server.Options) {
		v2, err := adapter.NewOn(devices.Phone, "v2", "v1", adapter.Override("/item", r.candidatePages), adapter.Page("/fresh", r.candidatePages))
		if err != nil {
			t.Fatal(err)
		}
		if o.Build, err = adapter.NewSet(append(o.Versions, v2)...); err != nil {
			t.Fatal(err)
		}
		o.Budgets["fresh"] = 100 * time.Millisecond
		o.Rollouts = &server.Rollouts{
			Plan: r.plan.Load, UnitHeader: "X-Device-Id",
			Seen: func(s *rollout.Seen) {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.seen = append(r.seen, *s)
			},
			Overran: func(v *adapter.Version, replaceable bool) {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.overruns = append(r.overruns, v.String()+" "+strconv.FormatBool(replaceable))
			},
		}
		if change != nil {
			change(o)
		}
	})
	return r
}

func (r *released) decide(s rollout.State) {
	r.plan.Store(rollout.NewPlan(&s, rollout.Catalogue{devices.Phone: {"v1", "v2", "v9"}}, rollout.DefaultHeaders()))
}

func (r *released) last() rollout.Seen {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.seen) == 0 {
		return rollout.Seen{}
	}
	return r.seen[len(r.seen)-1]
}

func half() rollout.Layer { return share(50) }

func share(percent rollout.Percent) rollout.Layer {
	return rollout.Layer{Rollouts: []rollout.Rollout{{
		Name: "grid", Candidate: "v2", Slice: rollout.Slice{To: 100}, Share: percent, Status: rollout.Running,
	}}}
}

const onPhone = "X-Device-Type: phone"

func TestUnitsKeepTheirVersion(t *testing.T) {
	r := newReleased(t, half(), nil)
	versions := map[string]int{}
	for n := range 200 {
		user := "X-User-Id: u-" + strconv.Itoa(n)
		first := r.do("GET", "/item?id=a", onPhone, user)
		again := r.do("GET", "/item?id=a", onPhone, user, "X-Device-Id: other-"+strconv.Itoa(n))
		got := first.Header.Get("Facet-Adapter")
		if again.Header.Get("Facet-Adapter") != got {
			t.Fatalf("the user %d has two versions", n)
		}
		if s := r.last(); s.Unit != "u-"+strconv.Itoa(n) || s.Rollout != "grid" || "phone/"+s.Version != got && s.Arm != rollout.Control {
			t.Fatalf("it is told as %+v, the adapter is %s", s, got)
		}
		if wants := strings.HasSuffix(body(t, first), `candidate"}`); wants != (got == "phone/v2") {
			t.Fatalf("the page is not of %s", got)
		}
		versions[got]++
	}
	if versions["phone/v1"] < 60 || versions["phone/v2"] < 60 {
		t.Errorf("of 200 users they have %v", versions)
	}
	if got := r.do("GET", "/item?id=a", "X-Device-Type: tv", "X-User-Id: u-1").Header.Get("Facet-Adapter"); got != "tv/v1" {
		t.Errorf("a television gets %s", got)
	}
}

func TestDevicesAndBrowsersAreUnits(t *testing.T) {
	r := newReleased(t, half(), nil)
	device := r.do("GET", "/item?id=a", onPhone, "X-Device-Id: d-1")
	if len(device.Cookies()) != 0 || r.last().Unit != "d-1" {
		t.Errorf("a device that names itself gets %v, and is the unit %s", device.Cookies(), r.last().Unit)
	}
	for _, wrong := range [][]string{
		nil, {"X-Device-Id: d 1"}, {"X-Device-Id: " + strings.Repeat("d", 65)}, {"X-Device-Id: a", "X-Device-Id: b"},
	} {
		first := r.do("GET", "/item?id=a", append(wrong, onPhone)...)
		cookies := first.Cookies()
		if len(cookies) != 1 {
			t.Fatalf("%v: the cookies are %v", wrong, cookies)
		}
		c := cookies[0]
		if c.Name != "__Host-facet-unit" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode ||
			c.Path != "/" || c.Domain != "" || c.MaxAge <= 0 {
			t.Errorf("the cookie is %s", first.Header.Get("Set-Cookie"))
		}
		for range 3 {
			again := r.do("GET", "/item?id=a", onPhone, "Cookie: a=b; "+c.Name+"="+c.Value)
			if len(again.Cookies()) != 0 || r.last().Unit != c.Value || again.Header.Get("Facet-Adapter") != first.Header.Get("Facet-Adapter") {
				t.Errorf("again it is the unit %s of %s", r.last().Unit, again.Header.Get("Facet-Adapter"))
			}
		}
		if r.do("GET", "/item?id=a", onPhone, "Cookie: "+c.Name+"=a b").Cookies() == nil {
			t.Error("a cookie that is none of ours is kept")
		}
	}
}

// TestNobodyIsMarkedWithoutARollout: no cookie, and no more in Vary.
func TestNobodyIsMarkedWithoutARollout(t *testing.T) {
	plain := newFixture(t, nil).do("GET", "/item?id=a", onPhone)
	for name, layer := range map[string]rollout.Layer{"none": {}, "one that has ended": func() rollout.Layer {
		l := half()
		l.Rollouts[0].Status = rollout.Aborted
		return l
	}()} {
		got := newReleased(t, layer, nil).do("GET", "/item?id=a", onPhone)
		if len(got.Cookies()) != 0 || strings.Join(got.Header["Vary"], ", ") != strings.Join(plain.Header["Vary"], ", ") {
			t.Errorf("%s: cookies %v, Vary %v", name, got.Cookies(), got.Header["Vary"])
		}
	}
	r := newReleased(t, half(), nil)
	if got := r.do("GET", "/item?id=a", "X-Device-Type: tv"); len(got.Cookies()) != 0 {
		t.Errorf("a class without a rollout gets %v", got.Cookies())
	}
}

func TestVaryNamesWhatDecided(t *testing.T) {
	l := half()
	l.Rollouts[0].Rules.Countries = []string{"NL"}
	r := newReleased(t, l, nil)
	vary := strings.Join(r.do("GET", "/item?id=a", onPhone).Header["Vary"], ", ")
	for _, name := range []string{"X-Device-Type", "X-User-Id", "X-Device-Id", "Cookie", "X-Country"} {
		if !strings.Contains(vary, name) {
			t.Errorf("Vary is %s, without %s", vary, name)
		}
	}
}

func TestTestersForceAVersion(t *testing.T) {
	forcing, err := rollout.NewForcing([]byte("0123456789abcdef0123456789abcdef"))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	token := func(class devices.Class, version string) string {
		text, err := forcing.Token(rollout.Pass{Class: class, Version: version, Who: "alice", Until: now.Add(time.Hour)}, now)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	r := newReleased(t, rollout.Layer{}, func(o *server.Options) { o.Rollouts.Forcing = forcing })
	good := token(devices.Phone, "v2")
	cases := []struct{ name, header, want string }{
		{"a header", "Facet-Force: " + good, "phone/v2"},
		{"a cookie", "Cookie: __Host-facet-force=" + good, "phone/v2"},
		{"none", "X: y", "phone/v1"},
		{"the name alone", "Facet-Force: phone/v2", "phone/v1"},
		{"a broken one", "Facet-Force: " + good + "x", "phone/v1"},
		{"another class's", "Facet-Force: " + token(devices.TV, "v2"), "phone/v1"},
		{"a version that there is not", "Facet-Force: " + token(devices.Phone, "v9"), "phone/v1"},
	}
	for _, c := range cases {
		got := r.do("GET", "/item?id=a", onPhone, c.header)
		if got.Header.Get("Facet-Adapter") != c.want || got.StatusCode != http.StatusOK {
			t.Errorf("%s: %d by %s, want %s", c.name, got.StatusCode, got.Header.Get("Facet-Adapter"), c.want)
		}
		if s := r.last(); s.Arm != rollout.Neither || (s.Why == rollout.Forced) != (c.want == "phone/v2") {
			t.Errorf("%s: it counts as %+v", c.name, s)
		}
		if vary := strings.Join(got.Header["Vary"], ", "); !strings.Contains(vary, "Facet-Force") || !strings.Contains(vary, "Cookie") {
			t.Errorf("%s: Vary is %s", c.name, vary)
		}
	}
	out := rollout.Layer{Quarantine: map[string]rollout.Quarantine{"v2": {}}}
	r.decide(rollout.State{Document: rollout.Document{Classes: map[devices.Class]*rollout.Layer{devices.Phone: &out}}})
	if got := r.do("GET", "/item?id=a", onPhone, "Facet-Force: "+good).Header.Get("Facet-Adapter"); got != "phone/v1" {
		t.Errorf("a version in quarantine is forced: %s", got)
	}
}

// TestControlAnswersForACandidateThatPanics: before anything was sent. The panic is
// the candidate's.
func TestControlAnswersForACandidateThatPanics(t *testing.T) {
	var mu sync.Mutex
	var told []string
	r := newReleased(t, share(100), func(o *server.Options) {
		o.Observe = func(x report.Exchange) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, x.Version+" for "+x.Failed)
		}
	})
	got := r.do("GET", "/item?id=new-panic", onPhone, "X-User-Id: u-1")
	if got.StatusCode != http.StatusOK || got.Header.Get("Facet-Adapter") != "phone/v1" ||
		!strings.Contains(body(t, got), `"title":"title of new-panic"`) {
		t.Errorf("it answers %d by %s", got.StatusCode, got.Header.Get("Facet-Adapter"))
	}
	if s := r.last(); !s.Panicked || !s.FellBack || !s.Failed() || s.Version != "v2" || s.Arm != rollout.Candidate {
		t.Errorf("it is told as %+v", s)
	}
	got = r.do("GET", "/item?id=new-panic-setter", onPhone, "X-User-Id: u-1")
	if got.StatusCode != http.StatusOK || got.Header.Get("Facet-Adapter") != "phone/v2" {
		t.Errorf("without a part it answers %d by %s", got.StatusCode, got.Header.Get("Facet-Adapter"))
	}
	if s := r.last(); !s.Panicked || s.FellBack || s.Failed() {
		t.Errorf("it is told as %+v", s)
	}
	if got := r.do("GET", "/item?id=a", onPhone, "X-User-Id: u-1"); got.StatusCode != http.StatusOK || r.last().Panicked {
		t.Errorf("a good page is told as %+v", r.last())
	}
	if got := r.do("GET", "/item?id=panic-page", "X-Device-Type: tablet"); got.StatusCode != http.StatusInternalServerError {
		t.Errorf("a control that panics answers %d", got.StatusCode)
	}
	got = r.do("GET", "/item?id=fault-open", onPhone, "X-User-Id: u-1")
	if got.StatusCode != http.StatusServiceUnavailable || r.last().FellBack {
		t.Errorf("a fault that is no panic answers %d, %+v", got.StatusCode, r.last())
	}
	want := []string{"phone/v1 for phone/v2", "phone/v2 for ", "phone/v2 for ", "tablet/v1 for ", "phone/v2 for "}
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(told, want) {
		t.Errorf("who counts is told of %q", told)
	}
}

// TestACandidateThatLoopsEndsItsRequest: nothing can stop its code, but the client is
// answered, and it is told of.
func TestACandidateThatLoopsEndsItsRequest(t *testing.T) { loopsEnd(t, share(100)) }

// TestAPromotedVersionThatLoopsEndsItsRequest: the configuration has another one.
func TestAPromotedVersionThatLoopsEndsItsRequest(t *testing.T) {
	loopsEnd(t, rollout.Layer{Control: "v2"})
}

func loopsEnd(t *testing.T, layer rollout.Layer) {
	t.Helper()
	r := newReleased(t, layer, nil)
	defer close(r.release)
	began := time.Now()
	got := r.do("GET", "/item?id=loop", onPhone, "X-User-Id: u-1")
	if took := time.Since(began); got.StatusCode != http.StatusGatewayTimeout || took > 5*time.Second {
		t.Errorf("it answers %d after %v", got.StatusCode, took)
	}
	if p := problemOf(t, got); p["code"] != "timeout" {
		t.Errorf("the problem is %v", p)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.overruns) != 1 || r.overruns[0] != "phone/v2 true" {
		t.Errorf("it is told: %v", r.overruns)
	}
	if log := r.log.String(); !strings.Contains(log, "cannot be stopped") || !strings.Contains(log, `"runaways":1`) {
		t.Errorf("the log is %s", log)
	}
}

// TestWhatACandidateTookTeachesAdmissionNothing: pages are late because of it, and not
// because there are too many of them.
func TestWhatACandidateTookTeachesAdmissionNothing(t *testing.T) {
	limiter, err := edge.New(edge.DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	for at := time.Now().Add(-time.Minute); at.Before(time.Now().Add(-time.Second)); at = at.Add(20 * time.Millisecond) {
		permit, err := limiter.Admit(edge.Person, at)
		if err != nil {
			t.Fatal(err)
		}
		permit.Done(edge.Whole, itemBudget, at.Add(time.Millisecond)) // pages are quick
	}
	before := limiter.Stats()
	r := newReleased(t, share(100), func(o *server.Options) { o.Admission = limiter })
	got := r.do("GET", "/item?id=new-late-panic", onPhone, "X-User-Id: u-1")
	if s := limiter.Stats(); got.StatusCode != http.StatusOK || s.Admitted["person"] != before.Admitted["person"]+1 || s.Late+s.Lost != 0 {
		t.Errorf("a page of control that is late because of the candidate is %d, and taught: %+v", got.StatusCode, s)
	}
}

// TestAVersionMayHavePagesOfItsOwn: who has another version is told that there is none.
func TestAVersionMayHavePagesOfItsOwn(t *testing.T) {
	with, without := newReleased(t, share(100), nil), newReleased(t, share(0), nil)
	if got := with.do("GET", "/fresh?id=a", onPhone, "X-User-Id: u-1"); got.StatusCode != http.StatusOK {
		t.Errorf("the candidate's own page is %d", got.StatusCode)
	}
	if got := without.do("GET", "/fresh?id=a", onPhone, "X-User-Id: u-1"); got.StatusCode != http.StatusNotFound {
		t.Errorf("to who has control it is %d", got.StatusCode)
	}
}

// TestControlOfTheDocument: what was promoted answers who is in no rollout.
func TestControlOfTheDocument(t *testing.T) {
	r := newReleased(t, rollout.Layer{Control: "v2"}, nil)
	if got := r.do("GET", "/item?id=a", onPhone).Header.Get("Facet-Adapter"); got != "phone/v2" {
		t.Errorf("it is %s", got)
	}
}

// TestAShadowAsksNothingAgain: what control has asked is not asked by the candidate,
// whose page nobody gets, and whose difference is told.
func TestAShadowAsksNothingAgain(t *testing.T) {
	runner := shadow.NewRunner(shadow.Options{})
	l := share(0)
	l.Rollouts[0].Shadow = &rollout.Shadow{Sample: 100}
	r := newReleased(t, l, func(o *server.Options) { o.Rollouts.Shadows = runner })
	for range 5 {
		got := r.do("GET", "/item?id=shared-a&name=u-7", onPhone, "X-User-Id: u-7")
		if text := body(t, got); got.StatusCode != http.StatusOK || strings.Contains(text, "candidate") {
			t.Fatalf("it answers %d %s", got.StatusCode, text)
		}
	}
	stats := ended(t, runner)
	if calls, _ := r.backend.count(); calls != 5 {
		t.Errorf("5 pages and their shadows made %d calls", calls)
	}
	if len(stats.Rollouts) != 1 || stats.Rollouts[0].Different == 0 || stats.Rollouts[0].Different+stats.Rollouts[0].Dropped != 5 {
		t.Fatalf("the shadows are %+v", stats)
	}
	for _, e := range stats.Rollouts[0].Examples {
		if e.Query != "id=shared-a" || e.Page != "item" || e.At != "/title" && e.At != "/user" {
			t.Errorf("an example is %+v", e)
		}
	}
}

// TestShadowsAreOfControlOnly, and none beyond the sample.
func TestShadowsAreOfControlOnly(t *testing.T) {
	for name, l := range map[string]rollout.Layer{"the candidate": share(100), "a sample of 0": share(0)} {
		runner := shadow.NewRunner(shadow.Options{})
		l.Rollouts[0].Shadow = &rollout.Shadow{Sample: l.Rollouts[0].Share}
		r := newReleased(t, l, func(o *server.Options) { o.Rollouts.Shadows = runner })
		r.do("GET", "/item?id=shared-a", onPhone, "X-User-Id: u-7")
		if stats := ended(t, runner); len(stats.Rollouts) != 0 {
			t.Errorf("%s: %+v", name, stats)
		}
	}
}

// TestAShadowThatPanicsOrHangsHarmsNobody.
func TestAShadowThatPanicsOrHangsHarmsNobody(t *testing.T) {
	runner := shadow.NewRunner(shadow.Options{Grace: 10 * time.Millisecond})
	l := share(0)
	l.Rollouts[0].Shadow = &rollout.Shadow{Sample: 100}
	r := newReleased(t, l, func(o *server.Options) { o.Rollouts.Shadows = runner })
	for _, id := range []string{"new-panic", "loop"} {
		began := time.Now()
		if got := r.do("GET", "/item?id="+id, onPhone, "X-User-Id: u-7"); got.StatusCode != http.StatusOK {
			t.Errorf("%s: control answers %d after %v", id, got.StatusCode, time.Since(began))
		}
	}
	eventually(t, "both are counted", func() bool {
		all := runner.Stats().Rollouts
		return len(all) == 1 && all[0].Panicked == 1 && all[0].Runaways == 1
	})
	close(r.release)
	ended(t, runner)
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

// ended returns what a runner has counted, once its jobs have ended.
func ended(t *testing.T, runner *shadow.Runner) shadow.Stats {
	t.Helper()
	eventually(t, "the shadows have ended", func() bool { s := runner.Stats(); return s.InProgress == 0 && s.Waiting == 0 })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := runner.Close(ctx); err != nil {
		t.Fatal(err)
	}
	return runner.Stats()
}

func BenchmarkAssigned(b *testing.B) {
	for name, layer := range map[string]rollout.Layer{"none": {}, "one": half()} {
		b.Run("rollouts="+name, func(b *testing.B) {
			r := newReleased(b, layer, func(o *server.Options) {
				o.LogRequests = false
				o.Rollouts.Seen = nil
			})
			b.ReportAllocs()
			for b.Loop() {
				r.do("GET", "/item?id=a", onPhone, "X-User-Id: u-1")
			}
		})
	}
}
