package playground_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/playground"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/server"
	"github.com/facet-gateway/facet/devices"
)

// plans are rollouts among phones that a test decides.
type plans struct{ now atomic.Pointer[rollout.Plan] }

func (p *plans) decide(revision uint64, share rollout.Percent) {
	layer := &rollout.Layer{Holdout: 10, Rollouts: []rollout.Rollout{{
		Name: "grid", Candidate: "v2", Slice: rollout.Slice{To: 90}, Share: share, Status: rollout.Running,
	}}}
	s := rollout.State{Revision: revision, Document: rollout.Document{Classes: map[devices.Class]*rollout.Layer{devices.Phone: layer}}}
	p.now.Store(rollout.NewPlan(&s, rollout.Catalogue{devices.Phone: {"v1", "v2"}}, rollout.DefaultHeaders()))
}

func (p *plans) rollouts() *server.Rollouts { return &server.Rollouts{Plan: p.now.Load} }

type assignments struct {
	Class    string
	Revision uint64
	Units    []struct{ Unit, Version, Rollout, Arm, Reason, Apart string }
}

// TestAssignmentsOnlyGrow: as the share does, units come to the candidate, and none
// leaves it.
func TestAssignmentsOnlyGrow(t *testing.T) {
	t.Parallel()
	p := &plans{}
	p.decide(1, 10)
	h := newPlaygroundWith(t, p.rollouts(), nil)
	had := map[string]bool{}
	for i, share := range []rollout.Percent{10, 50, 90} {
		p.decide(uint64(i+1), share)
		told := decode[assignments](t, ask(h, "GET", "/playground/assignments?class=phone&units=1000", ""))
		if told.Class != "phone" || told.Revision != uint64(i+1) || len(told.Units) != 1000 || told.Units[6].Unit != "u-7" {
			t.Fatalf("%s at %d: %d units", told.Class, told.Revision, len(told.Units))
		}
		candidates := 0
		for _, u := range told.Units {
			candidate := u.Arm == "candidate"
			if candidate != (u.Version == "v2") || had[u.Unit] && !candidate || (u.Apart == "holdout") != (u.Rollout == "") {
				t.Errorf("at %v %%: %+v, a candidate before: %v", share, u, had[u.Unit])
			}
			if had[u.Unit] = candidate; candidate {
				candidates++
			}
		}
		if near := int(share) * 10; candidates < near-50 || candidates > near+50 {
			t.Errorf("at %v %% %d of 1000 have the candidate", share, candidates)
		}
	}
}

// TestAssignmentIsWhatATrialGets, for a unit that is named.
func TestAssignmentIsWhatATrialGets(t *testing.T) {
	t.Parallel()
	p := &plans{}
	p.decide(4, 45)
	h := newPlaygroundWith(t, p.rollouts(), nil)
	got := map[string]int{}
	for _, user := range []string{"u-1", "u-2", "u-3", "u-4", "u-5", "u-6", "u-7", "u-8"} {
		told := decode[assignments](t, ask(h, "GET", "/playground/assignments?class=phone&unit="+user, ""))
		tried := decode[struct {
			Version string
			Chosen  struct {
				Unit, Version, Rollout, Arm, Reason, Control string
				Revision                                     uint64
			}
		}](t, ask(h, "POST", "/playground/try", `{"path":"/item","query":"id=a","device":"phone","user":"`+user+`"}`))
		is, c := told.Units[0], tried.Chosen
		if tried.Version != "phone/"+is.Version || c.Version != is.Version || c.Arm != is.Arm || c.Reason != is.Reason || c.Unit != user ||
			c.Rollout != is.Rollout || c.Control != "v1" || c.Revision != 4 {
			t.Errorf("%s is said to get %+v, and got %+v", user, is, tried)
		}
		got[is.Version]++
	}
	if got["v1"] == 0 || got["v2"] == 0 {
		t.Errorf("eight units have %v", got)
	}
	told := decode[assignments](t, ask(h, "GET", "/playground/assignments?class=tv", ""))
	if len(told.Units) != 200 || told.Units[0].Version != "v1" {
		t.Errorf("televisions: %+v", told)
	}
}

// sender remembers what is to be sent.
type sender struct {
	mu   sync.Mutex
	sent playground.Sent
}

func (s *sender) Send(l playground.Load) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sent.Running {
		return fault.New(fault.Conflict, "some is sent")
	}
	s.sent = playground.Sent{Running: true, Load: l, Left: l.For, Requests: 3, Failed: 2, Skipped: 1}
	return nil
}

func (s *sender) Stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent.Running, s.sent.Left = false, 0
}

func (s *sender) Sent() playground.Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

// TestTraffic is what is sent, told and refused, step by step.
func TestTraffic(t *testing.T) {
	t.Parallel()
	const path, none = "/playground/traffic", `{"running":false,"rate":0,"left_s":0,"requests":0,"failed":0,"skipped":0}`
	const of = `"class":"tv","target":"/item?id=p-1","rate":100,`
	s := &sender{}
	h := newPlaygroundWith(t, nil, s)
	for _, step := range []struct {
		method, body string
		status       int
		holds        string
	}{
		{"GET", "", 200, none},
		{"DELETE", "", 200, none},
		{"PUT", `{"class":"boat","path":"/item","rate":1,"seconds":1}`, 400, `"field":"class"`},
		{"PUT", `{"class":"tv","path":"/other","rate":1,"seconds":1}`, 400, `"field":"path"`},
		{"PUT", `{"class":"tv","path":"/item","rate":0,"seconds":1}`, 400, `"field":"rate"`},
		{"PUT", `{"class":"tv","path":"/item","rate":101,"seconds":1}`, 400, `"field":"rate"`},
		{"PUT", `{"class":"tv","path":"/item","rate":1,"seconds":0}`, 400, `"field":"seconds"`},
		{"PUT", `{"class":"tv","path":"/item","rate":1,"seconds":61}`, 400, `"field":"seconds"`},
		{"PUT", `{"class":"tv","path":"/item","rate":1.5,"seconds":1}`, 400, `"field":"rate"`},
		{"PUT", `{"class":"tv","path":"/item","rate":1,"seconds":1,"users":5}`, 400, `"field":"body"`},
		{"GET", "", 200, none},
		{
			"PUT", `{"class":"tv","path":"/item","rate":100,"seconds":60}`, 200,
			`{"running":true,` + of + `"left_s":60,"requests":3,"failed":2,"skipped":1}`,
		},
		{"PUT", `{"class":"tv","path":"/item","rate":1,"seconds":1}`, 412, "some is sent"},
		{"DELETE", "", 200, `{"running":false,` + of + `"left_s":0,"requests":3,"failed":2,"skipped":1}`},
	} {
		if w := ask(h, step.method, path, step.body); w.Code != step.status || !strings.Contains(w.Body.String(), step.holds) {
			t.Errorf("%s %s: %d %s, want %d %s", step.method, step.body, w.Code, w.Body, step.status, step.holds)
		}
	}
	if got := s.Sent().Load; got.For != time.Minute || got.Rate != 100 || got.Class != devices.TV {
		t.Errorf("it was to send %+v", got)
	}
	if w := ask(h, "GET", "/playground/choices", ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"traffic":true`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
