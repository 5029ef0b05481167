package admin_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/facet-gateway/facet/core/admin"
	"github.com/facet-gateway/facet/core/command"
)

type trail struct {
	Unlogged uint64
	Records  []admin.Record
}

func (p *port) trail(t *testing.T) trail {
	t.Helper()
	return decode[trail](t, ask(t, p, "GET", "/audit"))
}

// line is a line of the audit in the log.
type line struct {
	Level    string
	Msg      string
	Audit    bool
	Who      string
	From     string
	Method   string
	Path     string
	Change   string
	Status   int
	Detail   string
	Unlogged uint64
}

// lines are those of the audit; the log may have others.
func (p *port) lines(t *testing.T) []line {
	t.Helper()
	var all []line
	for text := range strings.Lines(p.log.String()) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if l.Audit {
			all = append(all, l)
		}
	}
	return all
}

// TestAuditTellsWhoDidWhat: the log, whose level is error, and the port tell the same.
func TestAuditTellsWhoDidWhat(t *testing.T) {
	t.Parallel()
	p := newPort(t, "admin_audit.what")
	const path, from = "/circuits/admin_audit.what", "192.0.2.1:1234"
	for _, c := range []struct{ method, path, body, header string }{
		{"PUT", path + "?access_token=hidden", `{"state":"open","for":"5m"}`, p.auth()},
		{"PUT", path, `{"state":"ajar"}`, p.auth()},
		{"DELETE", path, "", p.auth()},
		{"POST", "/fail", "", p.auth()},
		{"POST", "/panic", "", p.auth()},
		{"POST", "/more", "", p.auth()},
		{"POST", "/healthz", "", p.auth()},
		{"DELETE", path, "", "Authorization: Bearer hidden"},
		{"GET", "/commands", "", "Origin: http://evil.example"},
		{"GET", "/commands", "", "X: this is no change"},
	} {
		send(p, c.method, c.path, c.body, c.header)
	}
	want := []line{
		{"INFO", "audit", true, "alice", from, "PUT", path, `{"state":"open","for":"5m"}`, 200, "", 0},
		{"WARN", "audit", true, "alice", from, "PUT", path, `{"state":"ajar","for":""}`, 400, "invalid: state: must be open or closed", 0},
		{"INFO", "audit", true, "alice", from, "DELETE", path, "", 200, "", 0},
		{"WARN", "audit", true, "alice", from, "POST", "/fail", "", 412, "conflict: file: is older: secret cause", 0},
		{"WARN", "audit", true, "alice", from, "POST", "/panic", "", 500, "internal (panic): panic: a defect", 0},
		{"INFO", "audit", true, "alice", from, "POST", "/more", "", 200, "", 0},
		{"WARN", "audit", true, "alice", from, "POST", "/healthz", "", 405, "code=405, message=Method Not Allowed", 0},
		{"WARN", "audit", true, "", from, "DELETE", path, "", 401, "unauthenticated: the token is nobody's", 0},
		{"WARN", "audit", true, "", from, "GET", "/commands", "", 403, "forbidden: another web page asks: the origin is not the host", 0},
	}
	got := p.lines(t)
	for i := range got {
		got[i].Detail, _, _ = strings.Cut(got[i].Detail, "\n") // of a panic's stack
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	trail := p.trail(t)
	if trail.Unlogged != 0 || len(trail.Records) != len(want) {
		t.Fatalf("%+v", trail)
	}
	for i, rec := range trail.Records {
		w := want[len(want)-1-i] // the newest first
		compact := strings.NewReplacer(" ", "", "\n", "").Replace(string(rec.Change))
		if rec.Who != w.Who || rec.Path != w.Path || rec.Status != w.Status || compact != w.Change || time.Since(rec.Time) > time.Minute {
			t.Errorf("%d: %+v, want %+v", i, rec, w)
		}
	}
	if strings.Contains(p.log.String(), "hidden") || strings.Contains(p.log.String(), p.token) {
		t.Error("the log holds what may be a token")
	}
	if !strings.Contains(p.log.String(), "goroutine") {
		t.Error("the log does not tell where the panic was")
	}
}

// TestFloodCannotFillTheAudit: 10,000 attempts by strangers, from many goroutines,
// leave some 20 lines and a count, and push out nothing that an operator did.
func TestFloodCannotFillTheAudit(t *testing.T) {
	t.Parallel()
	p := newPort(t, "admin_audit.flood")
	if w := send(p, "PUT", "/circuits/admin_audit.flood", `{"state":"closed"}`, p.auth()); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	const attempts = 10_000
	began := time.Now()
	var strangers sync.WaitGroup
	for g := range 8 {
		strangers.Go(func() {
			for i := range attempts / 8 {
				path := fmt.Sprintf("/%d/%d/%s", g, i, strings.Repeat("é", 400))
				if w := send(p, strings.Repeat("M", 100), path, "", "Authorization: Bearer x"); w.Code != 401 {
					t.Errorf("%d", w.Code)
				}
			}
		})
	}
	strangers.Wait()
	bound := 20 + int(time.Since(began).Seconds()) + 1
	lines := p.lines(t)
	if len(lines) > 1+bound || len(lines) < 20 {
		t.Errorf("%d lines, want at most %d", len(lines), bound)
	}
	if size := len(p.log.String()); size > 1024*(1+bound) {
		t.Errorf("%d bytes in the log", size)
	}
	trail := p.trail(t)
	if logged := len(lines) - 1; int(trail.Unlogged)+logged != attempts {
		t.Errorf("%d unlogged and %d logged are not %d", trail.Unlogged, logged, attempts)
	}
	if oldest := trail.Records[len(trail.Records)-1]; oldest.Who != "alice" || len(trail.Records) > 51 {
		t.Errorf("%d records, the oldest by %q", len(trail.Records), oldest.Who)
	}
	// What comes next tells how many there were.
	send(p, "DELETE", "/circuits/admin_audit.flood", "", p.auth())
	lines = p.lines(t)
	var sum uint64
	for _, l := range lines {
		sum += l.Unlogged
	}
	if sum != trail.Unlogged || lines[len(lines)-1].Who != "alice" {
		t.Errorf("the lines tell of %d unlogged, want %d", sum, trail.Unlogged)
	}
}

// TestStrangersDoNotHideOperators: the two have bounds of their own, and changes have none.
func TestStrangersDoNotHideOperators(t *testing.T) {
	t.Parallel()
	p := newPort(t, "admin_audit.hide")
	for range 500 {
		send(p, "POST", "/reload", "")
		send(p, "POST", "/fail", "", p.auth())
	}
	for range 300 {
		send(p, "POST", "/reload", "", p.auth())
	}
	var strangers, failed, changed int
	for _, l := range p.lines(t) {
		switch {
		case l.Who == "":
			strangers++
		case l.Status == 412:
			failed++
		case l.Status == 204:
			changed++
		}
	}
	if strangers < 20 || strangers > 60 || failed < 100 || failed > 450 || changed != 300 {
		t.Errorf("%d lines of strangers, %d of an operator's failures, %d of changes", strangers, failed, changed)
	}
	if trail := p.trail(t); len(trail.Records) > 200 || len(trail.Records) < 170 {
		t.Errorf("%d records", len(trail.Records))
	}
}

func TestLongChangesAreLeftOutOfTheAudit(t *testing.T) {
	t.Parallel()
	p := newPort(t, "admin_audit.long")
	long := `{"tags":["` + strings.Repeat("x", 2000) + `"]}`
	for _, text := range []string{long, `{"tags":["x"]}`} {
		if w := send(p, "POST", "/invalidate/l1", text, p.auth()); w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	got := p.trail(t).Records
	want := []admin.Record{{Who: "alice", Method: "POST", Path: "/invalidate/l1", Status: 200}, {}}
	if len(got) != 2 || !strings.Contains(string(got[0].Change), `"x"`) || got[1].Change != nil {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff(want[0], got[1], cmpopts.IgnoreFields(admin.Record{}, "Time", "From", "Change")); diff != "" {
		t.Error(diff)
	}
}

func TestAuditOfNothing(t *testing.T) {
	t.Parallel()
	h := admin.New(admin.Options{Controls: []*command.Control{}}).Handler()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/audit", nil))
	if got := decode[map[string]json.RawMessage](t, w); string(got["records"]) != "[]" {
		t.Errorf("%s", w.Body)
	}
}
