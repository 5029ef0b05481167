package admin_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/facet-gateway/facet/core/admin"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/operator"
)

// staff is one operator, alice, and her token.
func staff(t testing.TB) (*operator.Roster, string) {
	t.Helper()
	token, line, err := operator.New("alice")
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := operator.Parse("operators", []byte(line))
	if err != nil {
		t.Fatal(err)
	}
	var roster operator.Roster
	roster.Use(tokens)
	return &roster, token
}

// port is a private port with one of each thing, and what it logged.
type port struct {
	http.Handler
	control *command.Control
	token   string
	roster  *operator.Roster
	log     *logged
	changed atomic.Int64 // by whatever way
}

type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

type body struct {
	Tags  []string `json:"tags"`
	Inner struct {
		Depth int `json:"depth"`
	} `json:"inner"`
}

func newPort(t testing.TB, name string) *port {
	t.Helper()
	p := &port{control: command.New(name, noop).Control, log: &logged{}}
	p.roster, p.token = staff(t)
	counting := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			p.changed.Add(1)
		}
	})
	p.Handler = admin.New(admin.Options{
		Controls: []*command.Control{p.control}, Operators: p.roster, Hosts: []string{"gateway.internal"},
		Log:  slog.New(slog.NewJSONHandler(p.log, &slog.HandlerOptions{Level: slog.LevelError})),
		More: map[string]http.Handler{"/more": counting}, Trials: map[string]http.Handler{"/trial": http.NotFoundHandler()},
		Changes: []admin.Change{
			admin.NewChange("POST", "/reload", func(context.Context, admin.Actor, struct{}) (any, error) {
				p.changed.Add(1)
				return nil, nil
			}),
			admin.NewChange("POST", "/invalidate/{cache}", func(_ context.Context, who admin.Actor, b body) (any, error) {
				p.changed.Add(1)
				return fmt.Sprint(who.Name, " ", who.Param("cache"), " ", b.Tags), nil
			}),
			admin.NewChange("POST", "/fail", func(context.Context, admin.Actor, struct{}) (any, error) {
				return nil, &fault.Error{Code: fault.Conflict, Field: "file", Detail: "is older", Cause: fmt.Errorf("secret cause")}
			}),
			admin.NewChange("POST", "/panic", func(context.Context, admin.Actor, struct{}) (any, error) { panic("a defect") }),
		},
	}).Handler()
	return p
}

// untouched fails if anything was changed.
func (p *port) untouched(t *testing.T) {
	t.Helper()
	if n := p.changed.Load(); n != 0 {
		t.Errorf("%d changes were made", n)
	}
	if state, _ := p.control.Forced(); state != command.NotForced {
		t.Errorf("the circuit is %v", state)
	}
}

func (p *port) auth() string { return "Authorization: Bearer " + p.token }

const openIt = `{"state":"open"}`

// TestNothingChangesWithoutAToken tries every method on every path, with every
// credential that is none.
func TestNothingChangesWithoutAToken(t *testing.T) {
	t.Parallel()
	p := newPort(t, "admin_guard.without")
	other, _, err := operator.New("alice")
	if err != nil {
		t.Fatal(err)
	}
	credentials := [][]string{
		nil, {"Authorization: "}, {"Authorization: Bearer"}, {"Authorization: Bearer "}, {"Authorization: Bearer " + other},
		{"Authorization: Basic " + p.token}, {"Authorization: " + p.token}, {"Authorization: Bearer " + p.token + " x"},
		{"Authorization: Bearer " + strings.ToUpper(p.token)}, {"Authorization: Bearer " + p.token[:len(p.token)-1]},
		{"Authorization: Bearer " + p.token + "\x00"}, {"Authorization: Bearer\t" + p.token},
		{"Authorization: Bearer " + other, p.auth()}, {p.auth(), "Authorization: Bearer " + other}, // two are none
		{"Proxy-Authorization: Bearer " + p.token}, {"Cookie: access_token=" + p.token}, {"X-Forwarded-User: alice"},
	}
	paths := []string{
		"/", "/healthz", "/commands/admin_guard.without", "/circuits", "/circuits/admin_guard.without", "/circuits/no.such", "/audit",
		"/openapi/x.json", "/debug/pprof/symbol", "/reload", "/invalidate/x", "/more", "/more/of/it", "/nowhere", "/trial/../reload",
		"/trial%2f..%2freload", "//reload", "/reload/", "/circuits/admin_guard.without?access_token=" + p.token,
	}
	for _, credential := range credentials {
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "CONNECT", "TRACE", "PROPFIND", "BREW", "get"} {
			for _, path := range paths {
				w := send(p, method, path, openIt, credential...)
				trial := strings.HasPrefix(path, "/trial")
				if w.Code != 401 && !trial || trial && w.Code < 400 {
					t.Fatalf("%s %s with %q: %d %s", method, path, credential, w.Code, w.Body)
				}
				if challenge := w.Header().Get("WWW-Authenticate"); !trial && !strings.HasPrefix(challenge, "Bearer") {
					t.Fatalf("%s %s: challenge %q", method, path, challenge)
				}
				if !trial && w.Header().Get("Content-Type") != "application/problem+json" {
					t.Fatalf("%s %s: %v", method, path, w.Header())
				}
			}
		}
	}
	p.untouched(t)
	if strings.Contains(p.log.String(), p.token) || strings.Contains(ask(t, p, "GET", "/audit").Body.String(), p.token) {
		t.Error("the audit tells a token")
	}
}

// TestTokenInTheWrongPlace is none: in a form and in JSON.
func TestTokenInTheWrongPlace(t *testing.T) {
	t.Parallel()
	p := newPort(t, "admin_guard.place")
	for _, c := range []struct{ body, kind string }{
		{"access_token=" + p.token, "application/x-www-form-urlencoded"},
		{`{"access_token":"` + p.token + `","state":"open"}`, "application/json"},
	} {
		if w := send(p, "PUT", "/circuits/admin_guard.place", c.body, "Content-Type: "+c.kind); w.Code != 401 {
			t.Errorf("%s: %d", c.kind, w.Code)
		}
	}
	p.untouched(t)
}

// TestMethodOverridesAreNotRead: in neither direction.
func TestMethodOverridesAreNotRead(t *testing.T) {
	t.Parallel()
	p := newPort(t, "admin_guard.override")
	for _, name := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		for _, method := range []string{"PUT", "DELETE", "POST"} {
			if w := send(p, "GET", "/circuits/admin_guard.override?_method="+method, "", name+": "+method, p.auth()); w.Code != 200 {
				t.Errorf("%s %s: %d", name, method, w.Code)
			}
			if w := send(p, method, "/more", "", name+": GET"); w.Code != 401 {
				t.Errorf("%s of %s: %d", name, method, w.Code)
			}
		}
	}
	p.untouched(t)
}

// TestGuardedHostsAndOrigins is the table of who is a stranger, with a good token.
func TestGuardedHostsAndOrigins(t *testing.T) {
	t.Parallel()
	p := newPort(t, "admin_guard.hosts")
	for _, c := range []struct {
		name   string
		header []string
		read   int // status of a GET
		change int // of a POST
	}{
		{"an address", nil, 200, 204},
		{"another address", []string{"Host: 192.0.2.7"}, 200, 204},
		{"IPv6", []string{"Host: [::1]:8081", "Origin: http://[::1]:8081"}, 200, 204},
		{"localhost", []string{"Host: LocalHost:8081"}, 200, 204},
		{"a configured name", []string{"Host: Gateway.Internal:9", "Origin: http://gateway.internal:9"}, 200, 204},
		{"rebound name", []string{"Host: evil.example"}, 403, 403},
		{"rebound name with a port", []string{"Host: evil.example:8081", "Origin: http://evil.example:8081"}, 403, 403},
		{"below a configured name", []string{"Host: x.gateway.internal"}, 403, 403},
		{"configured name in another", []string{"Host: gateway.internal.evil.example"}, 403, 403},
		{"name like an address", []string{"Host: 127.0.0.1.evil.example"}, 403, 403},
		{"name like localhost", []string{"Host: localhost.evil.example"}, 403, 403},
		{"number", []string{"Host: 2130706433"}, 403, 403},
		{"short address", []string{"Host: 127.1"}, 403, 403},
		{"user in the host", []string{"Host: localhost@evil.example"}, 403, 403},
		{"no host", []string{"Host: "}, 403, 403},
		{"only a port", []string{"Host: :8081"}, 403, 403},
		{"forwarded host is not read", []string{"Host: evil.example", "X-Forwarded-Host: localhost"}, 403, 403},
		{"own origin", []string{"Origin: http://127.0.0.1:8081"}, 200, 204},
		{"another origin", []string{"Origin: http://evil.example"}, 403, 403},
		{"another port", []string{"Origin: http://127.0.0.1:9"}, 403, 403},
		{"another scheme", []string{"Origin: https://127.0.0.1:8081"}, 403, 403},
		{"no port", []string{"Origin: http://127.0.0.1"}, 403, 403},
		{"hidden origin", []string{"Origin: null"}, 403, 403},
		{"empty origin", []string{"Origin: "}, 403, 403},
		{"two origins", []string{"Origin: http://127.0.0.1:8081", "Origin: http://evil.example"}, 403, 403},
		{"same origin fetch", []string{"Sec-Fetch-Site: same-origin"}, 200, 204},
		{"by hand", []string{"Sec-Fetch-Site: none"}, 200, 204},
		{"another site", []string{"Sec-Fetch-Site: cross-site"}, 403, 403},
		{"another port of the site", []string{"Sec-Fetch-Site: same-site"}, 403, 403},
		{"a link", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"}, 200, 403},
		{"an image", []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"}, 403, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, path := range []string{"/", "/commands", "/debug/pprof/cmdline", "/more", "/audit", "/circuits/admin_guard.hosts"} {
				w := ask(t, p, "GET", path, c.header...)
				if w.Code != c.read {
					t.Errorf("GET %s: %d %s, want %d", path, w.Code, w.Body, c.read)
				}
				if cors := w.Header().Get("Access-Control-Allow-Origin"); cors != "" {
					t.Errorf("another origin may read it: %q", cors)
				}
			}
			if w := ask(t, p, "POST", "/reload", append(c.header, p.auth())...); w.Code != c.change {
				t.Errorf("POST: %d %s, want %d", w.Code, w.Body, c.change)
			}
			if w := ask(t, p, "POST", "/trial", c.header...); (w.Code == 403) != (c.change == 403) {
				t.Errorf("a trial: %d", w.Code)
			}
		})
	}
}

// TestTokensThatAreTakenAway work no longer from the next request on.
func TestTokensThatAreTakenAway(t *testing.T) {
	t.Parallel()
	p := newPort(t, "admin_guard.taken")
	if w := ask(t, p, "POST", "/reload", p.auth()); w.Code != 204 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	p.roster.Use(nil)
	w := ask(t, p, "POST", "/reload", p.auth())
	if w.Code != 401 || !strings.Contains(w.Body.String(), "no tokens are configured") || p.changed.Load() != 1 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := ask(t, admin.New(admin.Options{}).Handler(), "POST", "/reload", p.auth()); w.Code != 401 {
		t.Errorf("nobody is an operator: %d", w.Code)
	}
}

// FuzzGuard: whatever comes in these headers, only the token itself changes something.
func FuzzGuard(f *testing.F) {
	p := newPort(f, "admin_guard.fuzz")
	f.Add("POST", "/reload", "127.0.0.1", "http://127.0.0.1", "Bearer x")
	f.Add("PUT", "/circuits/admin_guard.fuzz", "[::1]:1", "null", "Bearer "+strings.Repeat("x", 300))
	f.Fuzz(func(t *testing.T, method, path, host, origin, authorization string) {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://x/", strings.NewReader(openIt))
		if err != nil {
			return
		}
		r.URL.Path, r.Host, r.RemoteAddr = path, host, "127.0.0.1:1"
		r.Header = http.Header{"Origin": {origin}, "Authorization": {authorization}, "Content-Type": {"application/json"}}
		p.ServeHTTP(httptest.NewRecorder(), r)
		p.untouched(t)
	})
}
