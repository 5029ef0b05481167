package main_test

import (
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/fleet"
)

// operating is a demonstration, and who may release versions there.
type operating struct {
	*program
	admin string
	page  string // with the token
	token string
}

func operate(t *testing.T, flags ...string) operating {
	t.Helper()
	p, _, _ := demo(t, flags...)
	o := operating{program: p, admin: p.announced("admin"), page: p.announced("operator")}
	_, situation, _ := strings.Cut(o.page, "#")
	said, err := url.ParseQuery(situation)
	if err != nil || said.Get("token") == "" || !strings.HasPrefix(o.page, p.announced("playground")+"#") {
		t.Fatalf("the operator's page is %s: %v", o.page, err)
	}
	o.token = said.Get("token")
	return o
}

// change asks the private port for one, which must be made.
func (o operating) change(t *testing.T, method, path, body string) answer {
	t.Helper()
	a, err := send(t, method, o.admin+path, body, "Content-Type", "application/json", "Authorization", "Bearer "+o.token)
	if err != nil || a.status != http.StatusOK {
		t.Fatalf("%s %s: %d %s %v", method, path, a.status, a.body, err)
	}
	return a
}

func (o operating) document(t *testing.T) *rollout.Document {
	t.Helper()
	return decode[*rollout.Document](t, get(t, o.admin+"/rollouts").body)
}

type trafficSent struct {
	Running          bool
	Requests, Failed int
}

func (o operating) traffic(t *testing.T) trafficSent {
	t.Helper()
	return decode[trafficSent](t, get(t, o.admin+"/playground/traffic").body)
}

// TestTrafficIsJudged plays the whole story: phone/v1, which alone asks the inventory
// for its home page, is rolled back to while that is broken, and its guard stops it.
func TestTrafficIsJudged(t *testing.T) {
	t.Parallel()
	o := operate(t, "--fault", "inventory=error=1")
	const load = `{"class":"phone","path":"/home","rate":50,"seconds":60}`
	o.change(t, http.MethodPut, "/rollouts/phone/grid", `{"candidate":"v2","share":100}`)
	o.change(t, http.MethodPost, "/rollouts/phone/grid/promote", "")
	o.change(t, http.MethodPut, "/rollouts/phone/back", `{"candidate":"v1","share":50,"guard":{"min_samples":20,"degraded":5}}`)
	try(t, o.program, `{"path":"/home","device":"phone","user":"u-7"}`)
	for _, r := range decode[fleet.Status](t, get(t, o.admin+"/rollouts/status").body).Rollouts {
		if r.Control.Requests+r.Candidate.Requests > 0 {
			t.Errorf("a trial is judged: %+v", r)
		}
	}
	eventually(t, "the guard stops it", func() bool {
		if !o.traffic(t).Running {
			o.change(t, http.MethodPut, "/playground/traffic", load)
		}
		return o.document(t).Rollout("phone", "back").Status == rollout.Aborted
	})
	history := decode[[]rollout.Event](t, get(t, o.admin+"/rollouts/history").body)
	if last := history[len(history)-1]; !strings.HasPrefix(last.By, "guard@") || !strings.HasPrefix(last.Detail, "degraded: ") {
		t.Errorf("the history ends with %+v", last)
	}
}

// TestTrafficIsOneAtATime, and ends by a hand or by itself.
func TestTrafficIsOneAtATime(t *testing.T) {
	t.Parallel()
	o := operate(t)
	ask := func(method, body string) answer {
		a, err := send(t, method, o.admin+"/playground/traffic", body, "Content-Type", "application/json")
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	const long, short = `{"class":"tv","path":"/home","rate":20,"seconds":60}`, `{"class":"tv","path":"/productdetails","rate":20,"seconds":1}`
	if a := ask(http.MethodPut, long); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := ask(http.MethodPut, short); a.status != http.StatusPreconditionFailed {
		t.Errorf("a second one: %d %s", a.status, a.body)
	}
	eventually(t, "some are answered", func() bool { return o.traffic(t).Requests > 0 })
	if a := ask(http.MethodDelete, ""); a.status != http.StatusOK || decode[trafficSent](t, a.body).Running {
		t.Errorf("it goes on: %s", a.body)
	}
	if a := ask(http.MethodPut, short); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	eventually(t, "it ends by itself", func() bool { return !o.traffic(t).Running })
	if got := o.traffic(t); got.Requests == 0 || got.Requests > 21 {
		t.Errorf("in a second at 20 a second it asked %+v", got)
	}
}

// TestTrafficEndsWithTheDemo: nothing waits a minute for it.
func TestTrafficEndsWithTheDemo(t *testing.T) {
	t.Parallel()
	o := operate(t)
	o.change(t, http.MethodPut, "/playground/traffic", `{"class":"tv","path":"/home","rate":100,"seconds":60}`)
	eventually(t, "some are answered", func() bool { return o.traffic(t).Requests > 0 })
	o.signal(syscall.SIGTERM)
	if status := o.status(); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
}
