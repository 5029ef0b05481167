package admin_test

import (
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
)

type circuit struct {
	Command     string
	State       string
	ForcedUntil time.Time `json:"forced_until"`
}

func TestCircuitsAreForcedAndReleased(t *testing.T) {
	t.Parallel()
	p := newPort(t, "admin_circuits.one")
	const path = "/circuits/admin_circuits.one"
	for _, step := range []struct{ method, body, state string }{
		{"GET", "", "closed"},
		{"PUT", `{"state":"open"}`, "forced_open"},
		{"GET", "", "forced_open"},
		{"PUT", `{"state":"closed","for":""}`, "forced_closed"},
		{"DELETE", "", "closed"},
		{"DELETE", "", "closed"},
		{"PUT", `{"for":"24h","state":"open"}`, "forced_open"},
	} {
		w := send(p, step.method, path, step.body, p.auth())
		got := decode[circuit](t, w)
		if w.Code != 200 || got.Command != "admin_circuits.one" || got.State != step.state {
			t.Errorf("%s %s: %d %s, want %s", step.method, step.body, w.Code, w.Body, step.state)
		}
		timed := strings.Contains(step.body, "24h")
		if left := time.Until(got.ForcedUntil); timed != (left > 23*time.Hour && left <= 24*time.Hour) || !timed && !got.ForcedUntil.IsZero() {
			t.Errorf("%s %s: until %v", step.method, step.body, got.ForcedUntil)
		}
	}
	if all := decode[[]circuit](t, ask(t, p, "GET", "/circuits")); len(all) != 1 || all[0].State != "forced_open" {
		t.Errorf("%+v", all)
	}
	if stats := decode[command.Stats](t, ask(t, p, "GET", "/commands/admin_circuits.one")); stats.Circuit != "forced_open" {
		t.Errorf("%+v", stats)
	}
}

func TestCircuitChangesThatAreRefused(t *testing.T) {
	t.Parallel()
	p := newPort(t, "admin_circuits.refused")
	const path = "/circuits/admin_circuits.refused"
	for _, c := range []struct {
		method, path, body string
		status             int
		field, holds       string
	}{
		{"GET", "/circuits/no.such", "", 404, "command", "no.such"},
		{"PUT", "/circuits/no.such", `{"state":"open"}`, 404, "command", "no.such"},
		{"DELETE", "/circuits/no.such", "", 404, "command", "no.such"},
		{"PUT", "/circuits/" + strings.Repeat("x", 5000), `{"state":"open"}`, 404, "command", "xxx…"},
		{"PUT", path, "", 400, "body", "is needed"},
		{"PUT", path, `{}`, 400, "state", ""},
		{"PUT", path, `{"state":"OPEN"}`, 400, "state", ""},
		{"PUT", path, `{"state":true}`, 400, "state", "bool"},
		{"PUT", path, `{"state":"open","for":"5"}`, 400, "for", "such as 5m"},
		{"PUT", path, `{"state":"open","for":5}`, 400, "for", "number"},
		{"PUT", path, `{"state":"open","for":"0s"}`, 400, "for", "over 0s and at most 24h"},
		{"PUT", path, `{"state":"open","for":"-1s"}`, 400, "for", "over 0s and at most 24h"},
		{"PUT", path, `{"state":"open","for":"24h1ns"}`, 400, "for", "over 0s and at most 24h"},
		{"PUT", path, `{"state":"open","until":"5m"}`, 400, "until", "no such field"},
		{"POST", path, `{"state":"open"}`, 405, "", ""},
		{"PUT", "/circuits", `{"state":"open"}`, 405, "", ""},
	} {
		w := send(p, c.method, c.path, c.body, p.auth())
		told := decode[map[string]any](t, w)
		field, _ := told["field"].(string)
		if w.Code != c.status || field != c.field || !strings.Contains(w.Body.String(), c.holds) {
			t.Errorf("%s %.60s %s: %d %s, want %d and %q", c.method, c.path, c.body, w.Code, w.Body, c.status, c.field)
		}
		if allow := w.Header().Get("Allow"); (allow != "") != (c.status == 405) {
			t.Errorf("%s %.60s: Allow %q", c.method, c.path, allow)
		}
	}
	p.untouched(t)
}
