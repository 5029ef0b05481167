package server_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/edge"
	"github.com/facet-gateway/facet/core/server"
)

func limiter(t testing.TB, change func(*edge.Options)) *edge.Limiter {
	t.Helper()
	o := edge.DefaultOptions()
	if change != nil {
		change(&o)
	}
	l, err := edge.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// crowded returns a server that admits two pages at once, one of which may be a
// prefetch, and has a page for each of these in progress.
func crowded(t *testing.T, inProgress int) *fixture {
	t.Helper()
	f := newFixture(t, func(o *server.Options) {
		o.Admission = limiter(t, func(o *edge.Options) { o.Min, o.Max, o.Prefetch.Percent = 1, 2, 50 })
		o.Budgets["item"] = time.Minute
	})
	ctx, leave := context.WithCancel(t.Context())
	ended := make(chan struct{}, inProgress)
	for range inProgress {
		go func() {
			defer func() { ended <- struct{}{} }()
			f.Try(nil, httptest.NewRequestWithContext(ctx, http.MethodGet, "/nothing", nil)) // is not counted
			defer func() { _ = recover() }()                                                 // its client leaves
			f.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, http.MethodGet, "/item?id=hang", nil))
		}()
	}
	waitUntil(t, func() bool { return f.Admission.Stats().InProgress == inProgress })
	t.Cleanup(func() {
		leave()
		for range inProgress {
			<-ended
		}
		if s := f.Admission.Stats(); s.InProgress != 0 {
			t.Errorf("a place was not given back: %+v", s)
		}
	})
	return f
}

func TestRefusedAtOnce(t *testing.T) {
	f := crowded(t, 2)
	calls, _ := f.backend.count()
	r := f.do("GET", "/item?id=a", "X-Device-Type: phone")
	if p := problemOf(t, r); r.StatusCode != 503 || p["reason"] != "overload" || p["code"] != "unavailable" {
		t.Errorf("%d %v", r.StatusCode, p)
	}
	if r.Header.Get("Retry-After") != "5" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%v", r.Header)
	}
	if again, _ := f.backend.count(); again != calls {
		t.Errorf("%d calls were made for it", again-calls)
	}
	lines := f.log.lines(t)
	if line := lines[len(lines)-1]; line["reason"] != "overload" || line["code"] != "unavailable" || line["status"] != 503.0 {
		t.Errorf("log %v", line)
	}
}

func TestPrefetchIsRefusedFirst(t *testing.T) {
	f := crowded(t, 1)
	for _, line := range []string{"Sec-Purpose: prefetch;prerender", "Priority: u=7"} {
		if r := f.do("GET", "/item?id=a", "X-Device-Type: phone", line); r.StatusCode != 503 {
			t.Errorf("%s: %d", line, r.StatusCode)
		}
	}
	if r := f.do("GET", "/item?id=a", "X-Device-Type: phone", "Priority: u=0"); r.StatusCode != 200 {
		t.Errorf("a person: %d", r.StatusCode)
	}
}

// TestWhatIsNotAPageIsNotLimited: nor what is tried on the private port.
func TestWhatIsNotAPageIsNotLimited(t *testing.T) {
	f := crowded(t, 2)
	for target, want := range map[string]int{"/nothing": 404, "/item": 204} {
		method := http.MethodGet
		if want == 204 {
			method = http.MethodOptions
		}
		if r := f.do(method, target, "X-Device-Type: phone"); r.StatusCode != want {
			t.Errorf("%s %s: %d", method, target, r.StatusCode)
		}
	}
	before := f.Admission.Stats()
	if got := f.Try(nil, trialRequest("/item?id=a", "X-Device-Type: phone", "Sec-Purpose: prefetch")); got.Status != 200 {
		t.Errorf("a trial: %d", got.Status)
	}
	if after := f.Admission.Stats(); after.Admitted["person"] != before.Admitted["person"] || after.Admitted["prefetch"] != 0 {
		t.Errorf("a trial was counted: %+v", after)
	}
}

// TestEveryPageGivesItsPlaceBack: however it ends; and only what has to do with
// room teaches.
func TestEveryPageGivesItsPlaceBack(t *testing.T) {
	l := limiter(t, nil)
	f := newFixture(t, func(o *server.Options) { o.Admission = l })
	for _, tc := range []struct {
		target string
		lost   int64
	}{
		{"/item?id=a", 0}, {"/item?id=a/b", 0}, {"/item?id=panic", 0}, {"/item?id=panic-page", 0}, {"/extra?id=hang", 0},
		{"/item?id=stale", 0}, {"/item?id=fault-open", 0}, {"/item?id=fault-error", 0}, {"/item?id=fault-not_found", 0},
		{"/item?id=fault-timeout", 1}, {"/item?id=fault-full", 1}, {"/item?id=hang", 1},
	} {
		before := l.Stats()
		f.do("GET", tc.target, "X-Device-Type: phone")
		s := l.Stats()
		if s.InProgress != 0 || s.Lost-before.Lost != tc.lost || s.Admitted["person"]-before.Admitted["person"] != 1 {
			t.Errorf("%s: %+v", tc.target, s)
		}
	}
	f.do("GET", "/item?id=a", "X-Device-Type: fridge")
	f.do("GET", "/extra?id=a", "X-Device-Type: tv")
	if s := l.Stats(); s.InProgress != 0 || s.Lost != 3 {
		t.Errorf("%+v", s)
	}
}

// reluctant is a client that does not read its answer for a while.
type reluctant struct {
	discard
	asked chan struct{} // closed when it is to be written
	let   chan struct{} // closed to let it
}

func (r *reluctant) Write(p []byte) (int, error) {
	close(r.asked)
	<-r.let
	return len(p), nil
}

// TestSlowReadersHoldNoPlace: or a few of them would keep everybody out.
func TestSlowReadersHoldNoPlace(t *testing.T) {
	l := limiter(t, nil)
	f := newFixture(t, func(o *server.Options) { o.Admission = l })
	w := &reluctant{discard{http.Header{}}, make(chan struct{}), make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.Handler().ServeHTTP(w, trialRequest("/item?id=a", "X-Device-Type: phone"))
	}()
	<-w.asked
	if s := l.Stats(); s.InProgress != 0 || s.Admitted["person"] != 1 {
		t.Errorf("while it is read: %+v", s)
	}
	close(w.let)
	<-done
}
