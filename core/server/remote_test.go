package server_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/server"
	"github.com/facet-gateway/facet/devices"
)

// elsewhere is a remote version that does what the id says.
func elsewhere(ctx context.Context, _ string, r *adapter.Request) (adapter.Answer, error) {
	record := report.From(ctx)
	switch what := strings.TrimPrefix(r.RawQuery, "id="); what {
	case "late", "hang":
		wait, cancel := context.WithTimeout(ctx, map[string]time.Duration{"late": 20 * time.Millisecond, "hang": time.Minute}[what])
		defer cancel()
		<-wait.Done()
		return adapter.Answer{}, fault.Because(fault.ReasonTimeout, errors.New("too late"))
	case "degraded":
		record.Parts = []report.Part{{Name: "reviews", Mark: report.Mark{Rung: report.Missing, Reason: fault.ReasonOpen}}}
	case "refused":
		return adapter.Answer{}, &fault.Error{Code: fault.NotFound, Reason: fault.ReasonNotFound, Detail: "no such thing"}
	case "broken":
		record.Parts = []report.Part{{Name: "page", Mark: report.Mark{Rung: report.Missing, Reason: fault.ReasonError}}}
		return adapter.Answer{}, fault.Because(fault.ReasonError, errors.New("secret cause"))
	case "panic":
		panic("a defect")
	}
	return adapter.Answer{ContentType: "application/json", Body: []byte(`{"title":"elsewhere"}`)}, nil
}

// newRemote is a fixture whose phones are all answered by phone/v9, which is elsewhere.
func newRemote(t testing.TB, layer rollout.Layer) *released {
	t.Helper()
	return newReleased(t, layer, func(o *server.Options) {
		v9, err := adapter.NewRemote(devices.Phone, "v9", []string{"/item", "/fresh"}, elsewhere)
		if err != nil {
			t.Fatal(err)
		}
		if o.Build, err = o.Build.With(v9); err != nil {
			t.Fatal(err)
		}
	})
}

func elsewhereLayer() rollout.Layer {
	return rollout.Layer{Rollouts: []rollout.Rollout{{
		Name: "away", Candidate: "v9", Slice: rollout.Slice{To: 100}, Share: 100, Status: rollout.Running,
	}}}
}

// TestControlMakesWhatARemoteDoesNotBring, whether the remote is on trial or was
// promoted.
func TestControlMakesWhatARemoteDoesNotBring(t *testing.T) {
	for arm, layer := range map[string]rollout.Layer{"on trial": elsewhereLayer(), "promoted": {Control: "v9"}} {
		for id, c := range map[string]struct {
			adapter string
			status  int
			has     string // in the body
			fell    bool
		}{
			"a":        {"phone/v9", 200, "elsewhere", false},
			"degraded": {"phone/v9", 200, "elsewhere", false},
			"refused":  {"phone/v9", 404, "no such thing", false},
			"broken":   {"phone/v1", 200, "title of broken", true},
			"late":     {"phone/v1", 200, "title of late", true},
			"panic":    {"phone/v1", 500, "internal", true}, // here, control panics, too
		} {
			r := newRemote(t, layer)
			got := r.do("GET", "/item?id="+id, onPhone, "X-User-Id: u-1")
			text := body(t, got)
			if got.StatusCode != c.status || got.Header.Get("Facet-Adapter") != c.adapter || !strings.Contains(text, c.has) {
				t.Errorf("%s, %s: %d by %s: %s", arm, id, got.StatusCode, got.Header.Get("Facet-Adapter"), text)
			}
			if strings.Contains(text, "secret") {
				t.Errorf("%s, %s: %s", arm, id, text)
			}
			wants := map[string]string{"degraded": "reviews=missing;reason=open"}[id]
			if parts := got.Header.Get("Facet-Parts"); parts != wants {
				t.Errorf("%s, %s: parts %q, want %q", arm, id, parts, wants)
			}
			s := r.last()
			if s.FellBack != c.fell || s.Failed() != (c.fell || c.status >= 500) || arm == "on trial" && s.Version != "v9" {
				t.Errorf("%s, %s: it is told as %+v", arm, id, s)
			}
			line := r.log.lines(t)[len(r.log.lines(t))-1]
			if told := line["instead_of"]; (told == "phone/v9") != c.fell || c.fell && line["because"] == "" || c.fell && line["level"] == "INFO" {
				t.Errorf("%s, %s: the log has %v", arm, id, line)
			}
		}
	}
}

// TestARemoteThatTakesAllTheTime leaves control none, but the page ends.
func TestARemoteThatTakesAllTheTime(t *testing.T) {
	r := newRemote(t, elsewhereLayer())
	began := time.Now()
	got := r.do("GET", "/item?id=hang", onPhone)
	took, by := time.Since(began), got.Header.Get("Facet-Adapter")
	if got.StatusCode != http.StatusGatewayTimeout || by != "phone/v1" || took > 5*time.Second {
		t.Errorf("%d by %s after %v", got.StatusCode, by, took)
	}
}

// TestFallingBackEnds: a version that is here and panics, a control that is not, and
// what the configuration names, which panics as well.
func TestFallingBackEnds(t *testing.T) {
	layer := share(100)
	layer.Control = "v9"
	r := newRemote(t, layer)
	got := r.do("GET", "/item?id=panic", onPhone)
	if got.StatusCode != http.StatusInternalServerError || got.Header.Get("Facet-Adapter") != "phone/v1" {
		t.Errorf("%d by %s", got.StatusCode, got.Header.Get("Facet-Adapter"))
	}
	if s := r.last(); !s.Panicked || s.Version != "v2" {
		t.Errorf("it is told as %+v", s)
	}
}

// TestNothingFallsBackToARemote: where all that a class has is elsewhere, its error is
// the answer.
func TestNothingFallsBackToARemote(t *testing.T) {
	var asked atomic.Int64
	f := newFixture(t, func(o *server.Options) {
		broken := func(context.Context, string, *adapter.Request) (adapter.Answer, error) {
			asked.Add(1)
			return adapter.Answer{}, fault.Because(fault.ReasonError, errors.New("secret cause"))
		}
		v9, err := adapter.NewRemote(devices.Phone, "v9", []string{"/item"}, broken)
		if err != nil {
			t.Fatal(err)
		}
		o.Versions[1] = v9
	})
	if p := problemOf(t, f.do("GET", "/item?id=a", onPhone)); p["code"] != "unavailable" || asked.Load() != 1 {
		t.Errorf("%v after %d", p, asked.Load())
	}
}
