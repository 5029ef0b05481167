package server_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/server"
	"github.com/facet-gateway/facet/devices"
)

func trialRequest(target string, header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, target, http.NoBody)
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	return r
}

// TestTrialIsWhatAClientGets compares a trial with what the public port answers,
// header by header, whatever it answers.
func TestTrialIsWhatAClientGets(t *testing.T) {
	const phone, id = "X-Device-Type: phone", "X-Request-Id: same"
	for _, tc := range []struct {
		target string
		header []string
	}{
		{"/item?id=a", []string{phone}},
		{"/item?id=long", []string{phone, "Accept-Encoding: gzip"}},
		{"/item?id=stale", []string{"User-Agent: Mozilla/5.0 (iPad; CPU OS 17_0)"}},
		{"/item?id=a", []string{phone, "X-User-Id: u-1", "If-None-Match: *"}},
		{"/item?id=a/b", []string{phone}},
		{"/item?id=a", []string{"X-Device-Type: fridge"}},
		{"/item?id=fault-open", []string{phone}},
		{"/extra?id=a", []string{"X-Device-Type: tv"}},
		{"/nothing", []string{phone}},
	} {
		t.Run(tc.target+" "+strings.Join(tc.header, " "), func(t *testing.T) {
			f := newFixture(t, nil)
			lines := append(slices.Clone(tc.header), id)
			want, got := f.do("GET", tc.target, lines...), f.Try(nil, trialRequest(tc.target, lines...))
			if got.Status != want.StatusCode || string(got.Body) != body(t, want) {
				t.Errorf("%d %q, a client gets %d", got.Status, got.Body, want.StatusCode)
			}
			if diff := cmp.Diff(want.Header, got.Header); diff != "" {
				t.Errorf("header:\n%s", diff)
			}
			if lines := f.log.lines(t); len(lines) != 2 {
				t.Errorf("log %v, want a line of each", lines)
			}
		})
	}
}

// TestTrialTellsOfThePage: parts, calls, and what the page was allowed.
func TestTrialTellsOfThePage(t *testing.T) {
	f := newFixture(t, nil)
	f.backend.outcome, f.backend.err = report.TimedOut, fault.Because(fault.ReasonTimeout, errors.New("secret cause"))
	got := f.Try(nil, trialRequest("/extra?id=command", "X-Device-Type: phone"))
	if got.Version != "phone/v1" || got.Device.Profile.Class != devices.Phone || got.Device.By != devices.ByHeader {
		t.Errorf("%s by %v", got.Version, got.Device)
	}
	if len(got.Parts) != 1 || got.Parts[0].Name != "extra" || got.Parts[0].Mark.Rung != report.Missing {
		t.Errorf("parts %v", got.Parts)
	}
	if len(got.Calls) != 1 || got.Calls[0].Command != "reviews.reviews" || got.Calls[0].Outcome != report.TimedOut || got.Calls[0].Err == nil {
		t.Errorf("calls %v", got.Calls)
	}
	if got.Budget != f.options.Budgets["extra"] || got.Took <= 0 || got.Began.IsZero() || got.Runaways != 0 {
		t.Errorf("budget %v, took %v, began %v, runaways %d", got.Budget, got.Took, got.Began, got.Runaways)
	}
}

func TestTrialOfAVersion(t *testing.T) {
	f := newFixture(t, func(o *server.Options) { o.Budgets["fresh"] = o.Budgets["item"] })
	version := func(class devices.Class, path string) *adapter.Version {
		v, err := adapter.New(class, "v9", adapter.Page(path, f.backend.pages))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, tc := range []struct {
		name, target string
		version      *adapter.Version
		status       int
		adapter      string
		holds        string
	}{
		{"another one", "/item?id=a", version(devices.Phone, "/item"), 200, "phone/v9", "title of a"},
		{"a path that only it has", "/fresh?id=a", version(devices.Phone, "/fresh"), 200, "phone/v9", "title of a"},
		{"without the page", "/extra?id=a", version(devices.Phone, "/item"), 404, "phone/v9", `"not_found"`},
		{"no such path", "/nothing", version(devices.Phone, "/item"), 404, "phone/v9", `"not_found"`},
		{"of another class", "/item?id=a", version(devices.TV, "/item"), 400, "", `"field":"version"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := f.Try(tc.version, trialRequest(tc.target, "X-Device-Type: phone"))
			if got.Status != tc.status || got.Version != tc.adapter || !strings.Contains(string(got.Body), tc.holds) {
				t.Errorf("%d by %q: %s", got.Status, got.Version, got.Body)
			}
			if header := got.Header.Get("Facet-Adapter"); header != tc.adapter {
				t.Errorf("Facet-Adapter %q, want %q", header, tc.adapter)
			}
		})
	}
	if r := f.do("GET", "/fresh?id=a", "X-Device-Type: phone"); r.StatusCode != http.StatusNotFound {
		t.Errorf("the public port knows the path of a version that was only tried: %d", r.StatusCode)
	}
}

// TestTrialGivenUp: a trial whose client left has a status of its own, and
// nothing to show.
func TestTrialGivenUp(t *testing.T) {
	f := newFixture(t, nil)
	r := trialRequest("/item?id=hang", "X-Device-Type: phone")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	got := f.Try(nil, r.WithContext(ctx))
	if got.Status != fault.Canceled.Status() || len(got.Body) != 0 {
		t.Errorf("%d %s", got.Status, got.Body)
	}
}
