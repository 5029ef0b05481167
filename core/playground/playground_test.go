package playground_test

import (
	"encoding/json"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/admin"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/leaktest"
	"github.com/facet-gateway/facet/core/playground"
	"github.com/facet-gateway/facet/core/server"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

type query struct {
	ID string `query:"id" check:"id,required"`
}

type page struct {
	ID    string `json:"id"`
	User  string `json:"user"`
	Words string `json:"words"`
}

// item tells what it was asked, and by whom; long enough to be packed.
func item(r *adapter.Request, q query) stream.Assembly[page] {
	return stream.Assemble(
		stream.Required("id", stream.Of(q.ID), func(p *page, v string) { p.ID = v }),
		stream.Optional("user", stream.Of(r.User), func(p *page, v string) { p.User = v }),
		stream.Optional("words", stream.Of(strings.Repeat("word ", 400)), func(p *page, v string) { p.Words = v }),
		stream.Optional("gone", stream.Fail[string](fault.Because(fault.ReasonOpen, nil)), func(*page, string) {}),
	)
}

// breakable is two services.
type breakable struct {
	mu    sync.Mutex
	texts map[string]string
}

func (b *breakable) Faults() map[string]string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return maps.Clone(b.texts)
}

func (b *breakable) SetFault(service, text string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.texts[service]; !known {
		return fault.InvalidField("service", "there is no such service")
	}
	if text == "nonsense" {
		return fault.InvalidField("nonsense", "there is no such field")
	}
	b.texts[service] = text
	return nil
}

// newPlayground has a television with one version and a phone with two, of which
// the first is chosen. It is on the private port, which guards it.
func newPlayground(t testing.TB) http.Handler { return newPlaygroundWith(t, nil, nil) }

// newPlaygroundWith has rollouts, unless they are nil, and traffic.
func newPlaygroundWith(t testing.TB, rollouts *server.Rollouts, traffic playground.Traffic) http.Handler {
	t.Helper()
	var all []*adapter.Version
	for _, one := range []struct {
		class devices.Class
		name  string
	}{{devices.TV, "v1"}, {devices.Phone, "v1"}, {devices.Phone, "v2"}, {devices.Tablet, "v1"}} {
		v, err := adapter.New(one.class, one.name, adapter.Page("/item", item))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	set, err := adapter.NewSet(all...)
	if err != nil {
		t.Fatal(err)
	}
	resolver, err := devices.NewResolver(devices.Options{})
	if err != nil {
		t.Fatal(err)
	}
	chosen := slices.DeleteFunc(set.All(), func(v *adapter.Version) bool { return v.Name == "v2" })
	gateway, err := server.New(server.Options{
		Live: server.Live{Devices: resolver, Versions: chosen, Budgets: map[string]time.Duration{"item": time.Minute}},
		Fixed: server.Fixed{
			Auth: server.AuthHeader, Limits: server.Limits{MaxHeaderLines: 20, GzipMin: 1400}, Log: slog.New(slog.DiscardHandler),
			Build: set, Rollouts: rollouts,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := playground.New(playground.Options{
		Server: gateway, Versions: set, Faults: &breakable{texts: map[string]string{"reviews": "none", "orders": "hang"}},
		Users: []string{"u-1"}, Examples: map[string]string{"id": "p-1"}, Agents: []playground.Agent{{Label: "iPad", UserAgent: "iPad"}},
		Traffic: traffic,
	})
	if err != nil {
		t.Fatal(err)
	}
	return admin.New(admin.Options{Trials: map[string]http.Handler{playground.Path: p}}).Handler()
}

// ask asks as the page does, with further header lines of the form "Name: value".
func ask(h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "127.0.0.1:8081"
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		if r.Header.Set(name, value); name == "Host" {
			r.Host = value
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func decode[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%s: %v", w.Body, err)
	}
	return v
}

func TestOptionsAreRequired(t *testing.T) {
	t.Parallel()
	if _, err := playground.New(playground.Options{}); err == nil {
		t.Error("a playground of nothing")
	}
}

// TestPageIsWhole: each file that the page and its modules name is there, with
// its type and the policy.
func TestPageIsWhole(t *testing.T) {
	t.Parallel()
	h := newPlayground(t)
	waiting, seen := []string{"/playground"}, map[string]bool{}
	for len(waiting) > 0 {
		path := waiting[0]
		waiting = waiting[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		w := ask(h, "GET", path, "")
		if w.Code != http.StatusOK || w.Body.Len() == 0 {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		if policy := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; script-src 'self'; ") {
			t.Errorf("%s: policy %q", path, policy)
		}
		if got, want := w.Header().Get("Content-Type"), typeOf(path); got != want {
			t.Errorf("%s: type %q, want %q", path, got, want)
		}
		waiting = append(waiting, named(w.Body.String())...)
	}
	if len(seen) < len([]string{"page", "style", "icon", "script", "module"}) {
		t.Errorf("only %v found", slices.Sorted(maps.Keys(seen)))
	}
}

func typeOf(path string) string {
	switch {
	case strings.HasSuffix(path, ".js"):
		return "text/javascript; charset=utf-8"
	case strings.HasSuffix(path, ".css"):
		return "text/css; charset=utf-8"
	case strings.HasSuffix(path, ".svg"):
		return "image/svg+xml"
	}
	return "text/html; charset=utf-8"
}

// named returns the paths that a file names: those of the page, and of imports.
func named(text string) []string {
	var paths []string
	for _, word := range strings.Split(text, `"`) {
		if strings.HasPrefix(word, "/playground/page/") {
			paths = append(paths, word)
		} else if file, found := strings.CutPrefix(word, "./"); found {
			paths = append(paths, "/playground/page/"+file)
		}
	}
	return paths
}

func TestChoices(t *testing.T) {
	t.Parallel()
	w := ask(newPlayground(t), "GET", "/playground/choices", "")
	const want = `{"device_header":"X-Device-Type","endpoints":[{"path":"/item","versions":["tv/v1","phone/v1","phone/v2","tablet/v1"],` +
		`"parameters":[{"name":"id","required":true,"must":"1 to 64 of A-Z, a-z, 0-9, _ and -",` +
		`"pattern":"^[A-Za-z0-9_-]{1,64}$","example":"p-1"}]}],` +
		`"classes":[{"name":"tv","chosen":"tv/v1","versions":["tv/v1"]},` +
		`{"name":"phone","chosen":"phone/v1","versions":["phone/v1","phone/v2"]},` +
		`{"name":"tablet","chosen":"tablet/v1","versions":["tablet/v1"]}],"agents":[{"label":"iPad","user_agent":"iPad"}],"users":["u-1"],` +
		`"services":["orders","reviews"],"traffic":false}`
	if w.Code != http.StatusOK || w.Body.String() != want {
		t.Errorf("%d\n%s, want\n%s", w.Code, w.Body, want)
	}
}

// TestTry is the table of what becomes of a question, and of what is told of it.
func TestTry(t *testing.T) {
	t.Parallel()
	h := newPlayground(t)
	for _, tc := range []struct {
		name, question string
		status         int
		version        string
		holds          []string
	}{
		{
			"whole", `{"path":"/item","query":"id=a","device":"phone","user":"u-1"}`, 200, "phone/v1",
			[]string{`{\"id\":\"a\",\"user\":\"u-1\"`, `"by":"header"`, `"chosen":{"unit":"","version":"v1","arm":"neither","reason":"default",`,
				`"name":"gone","required":false,"rung":"missing","age":0,"reason":"open"`},
		},
		{
			"a version", `{"path":"/item","query":"id=a","device":"phone","version":"phone/v2"}`, 200, "phone/v2",
			[]string{`"version":"v2","arm":"neither","reason":"picked","control":"v1"`},
		},
		{
			"a version of another class", `{"path":"/item","query":"id=a","device":"tv","version":"phone/v2"}`, 400, "",
			[]string{`\"field\":\"version\"`},
		},
		{"a User-Agent", `{"path":"/item","query":"id=a","user_agent":"Mozilla/5.0 (iPad)"}`, 200, "tablet/v1", []string{`"by":"user-agent"`}},
		{"no device", `{"path":"/item","query":"id=a"}`, 200, "phone/v1", []string{`"by":"default"`}},
		{"packed", `{"path":"/item","query":"id=a","header":[{"name":"accept-encoding","value":"gzip"}]}`, 200, "phone/v1",
			[]string{`{"name":"Content-Encoding","value":"gzip"}`, `word word`}},
		{
			"known already", `{"path":"/item","query":"id=a","header":[{"name":"If-None-Match","value":"*"}]}`, 304, "phone/v1",
			[]string{`"body":""`},
		},
		{"bad query", `{"path":"/item","query":"id=a/b","device":"tv"}`, 400, "tv/v1", []string{`\"field\":\"id\"`, `"phrase":"Bad Request"`}},
		{"unknown path", `{"path":"/nothing"}`, 404, "", []string{`"device":null`, `"calls":[]`, `"chosen":null`}},
		{"an unknown device", `{"path":"/item","device":"fridge"}`, 400, "", []string{`\"field\":\"X-Device-Type\"`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := ask(h, "POST", "/playground/try", tc.question, "Origin: http://127.0.0.1:8081", "Sec-Fetch-Site: same-origin")
			got := decode[struct {
				Status  int
				Version string
			}](t, w)
			if w.Code != 200 || got.Status != tc.status || got.Version != tc.version {
				t.Errorf("%d %d by %q: %s", w.Code, got.Status, got.Version, w.Body)
			}
			for _, text := range tc.holds {
				if !strings.Contains(w.Body.String(), text) {
					t.Errorf("no %s in %s", text, w.Body)
				}
			}
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	h := newPlayground(t)
	for _, step := range []struct{ method, path, body, want string }{
		{"GET", "/playground/faults", "", `{"orders":"hang","reviews":"none"}`},
		{"PUT", "/playground/faults/reviews", `{"fault":"latency=200ms"}`, `{"orders":"hang","reviews":"latency=200ms"}`},
		{"DELETE", "/playground/faults/orders", "", `{"orders":"none","reviews":"latency=200ms"}`},
		{"DELETE", "/playground/faults", "", `{"orders":"none","reviews":"none"}`},
	} {
		if w := ask(h, step.method, step.path, step.body); w.Code != 200 || w.Body.String() != step.want {
			t.Errorf("%s %s: %d %s, want %s", step.method, step.path, w.Code, w.Body, step.want)
		}
	}
}

// TestRefused is the table of what is not done, and of what the problem names.
func TestRefused(t *testing.T) {
	t.Parallel()
	const try, one, good = "/playground/try", "/playground/faults/reviews", `{"path":"/item","query":"id=a"}`
	h := newPlayground(t)
	for _, tc := range []struct {
		name, method, path, body string
		header                   []string
		status                   int
		field                    string
	}{
		{"rebound name", "GET", "/playground", "", []string{"Host: evil.example"}, 403, ""},
		{"rebound name with a port", "GET", "/playground/choices", "", []string{"Host: evil.example:8081"}, 403, ""},
		{"name like an address", "POST", try, good, []string{"Host: 127.0.0.1.evil.example"}, 403, ""},
		{"no host", "GET", "/playground", "", []string{"Host: "}, 403, ""},
		{"another origin", "POST", try, good, []string{"Origin: http://evil.example"}, 403, ""},
		{"another port", "POST", try, good, []string{"Origin: http://127.0.0.1:9"}, 403, ""},
		{"hidden origin", "POST", try, good, []string{"Origin: null"}, 403, ""},
		{"another origin heals", "DELETE", one, "", []string{"Origin: http://evil.example"}, 403, ""},
		{"another site", "PUT", one, `{"fault":"hang"}`, []string{"Sec-Fetch-Site: cross-site"}, 403, ""},
		{"another port of the site", "POST", try, good, []string{"Sec-Fetch-Site: same-site"}, 403, ""},
		{"a form", "POST", try, good, []string{"Content-Type: text/plain"}, 400, "Content-Type"},
		{"no type", "PUT", one, `{"fault":"hang"}`, []string{"Content-Type: "}, 400, "Content-Type"},
		{"no JSON", "POST", try, "path=/item", nil, 400, "body"},
		{"two values", "POST", try, good + good, nil, 400, "body"},
		{"unknown field", "POST", try, `{"path":"/item","colour":"red"}`, nil, 400, "body"},
		{"wrong type", "POST", try, `{"path":7}`, nil, 400, "path"},
		{"too long", "POST", try, `{"path":"/` + strings.Repeat("a", 17<<10) + `"}`, nil, 413, ""},
		{"no path", "POST", try, `{}`, nil, 400, "path"},
		{"relative path", "POST", try, `{"path":"item"}`, nil, 400, "path"},
		{"query in the path", "POST", try, `{"path":"/item?id=a"}`, nil, 400, "path"},
		{"blank in the path", "POST", try, `{"path":"/it em"}`, nil, 400, "path"},
		{"bad escape in the path", "POST", try, `{"path":"/%zz"}`, nil, 400, "path"},
		{"line break in the query", "POST", try, `{"path":"/item","query":"id=a\r\nX: y"}`, nil, 400, "query"},
		{"fragment in the query", "POST", try, `{"path":"/item","query":"id=a#b"}`, nil, 400, "query"},
		{"unknown version", "POST", try, `{"path":"/item","version":"phone/v9"}`, nil, 400, "version"},
		{"no version", "POST", try, `{"path":"/item","version":"phone"}`, nil, 400, "version"},
		{"header without a name", "POST", try, `{"path":"/item","header":[{"name":"","value":"x"}]}`, nil, 400, "header"},
		{"bad name of a header", "POST", try, `{"path":"/item","header":[{"name":"X Y","value":"x"}]}`, nil, 400, "header"},
		{"line break in a header", "POST", try, `{"path":"/item","header":[{"name":"X","value":"x\r\nY: z"}]}`, nil, 400, "header"},
		{"line break in the user", "POST", try, `{"path":"/item","user":"u-1\n"}`, nil, 400, "user"},
		{"line break in the device", "POST", try, `{"path":"/item","device":"tv\n"}`, nil, 400, "device"},
		{"unknown service", "PUT", "/playground/faults/nothing", `{"fault":"hang"}`, nil, 404, "service"},
		{"healing an unknown service", "DELETE", "/playground/faults/nothing", "", nil, 404, "service"},
		{"bad fault", "PUT", one, `{"fault":"nonsense"}`, nil, 400, "nonsense"},
		{"no class to assign", "GET", "/playground/assignments", "", nil, 400, "class"},
		{"an unknown class", "GET", "/playground/assignments?class=boat", "", nil, 400, "class"},
		{"no units", "GET", "/playground/assignments?class=phone&units=0", "", nil, 400, "units"},
		{"too many units", "GET", "/playground/assignments?class=phone&units=1001", "", nil, 400, "units"},
		{"units that are no number", "GET", "/playground/assignments?class=phone&units=all", "", nil, 400, "units"},
		{"no name of a unit", "GET", "/playground/assignments?class=phone&unit=a%20b", "", nil, 400, "unit"},
		{"assigning", "PUT", "/playground/assignments", "", nil, 405, ""},
		{"no traffic here", "GET", "/playground/traffic", "", nil, 404, ""},
		{"no traffic to send", "PUT", "/playground/traffic", `{"class":"tv","path":"/item","rate":1,"seconds":1}`, nil, 404, ""},
		{"no traffic to stop", "DELETE", "/playground/traffic", "", nil, 404, ""},
		{"unknown path", "GET", "/playground/nothing", "", nil, 404, ""},
		{"unknown file", "GET", "/playground/page/nothing.js", "", nil, 404, ""},
		{"file elsewhere", "GET", "/playground/page/..%2f..%2fguard.go", "", nil, 404, ""},
		{"wrong method", "GET", try, "", nil, 405, ""},
		{"wrong method too", "POST", one, `{"fault":"hang"}`, nil, 405, ""},
		{"writing the page", "DELETE", "/playground", "", nil, 405, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := ask(h, tc.method, tc.path, tc.body, tc.header...)
			p := decode[map[string]any](t, w)
			field, _ := p["field"].(string)
			if w.Code != tc.status || field != tc.field || p["status"] != float64(tc.status) {
				t.Errorf("%d, field %q, want %d and %q: %s", w.Code, field, tc.status, tc.field, w.Body)
			}
			if got := w.Header().Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("type %q", got)
			}
			if allow := w.Header().Get("Allow"); (allow != "") != (tc.status == 405) {
				t.Errorf("Allow %q", allow)
			}
			if cors := w.Header().Get("Access-Control-Allow-Origin"); cors != "" {
				t.Errorf("another origin may read it: %q", cors)
			}
		})
	}
	if w := ask(h, "GET", "/playground/faults", ""); w.Body.String() != `{"orders":"hang","reviews":"none"}` {
		t.Errorf("something was changed after all: %s", w.Body)
	}
}

// TestOwnHosts are those that a person may use.
func TestOwnHosts(t *testing.T) {
	t.Parallel()
	h := newPlayground(t)
	for _, host := range []string{"127.0.0.1", "127.0.0.1:8081", "localhost:8081", "LOCALHOST", "[::1]:8081", "[::1]", "192.0.2.7:80"} {
		w := ask(h, "POST", "/playground/try", `{"path":"/item","query":"id=a"}`, "Host: "+host, "Origin: http://"+strings.ToLower(host))
		if w.Code != 200 {
			t.Errorf("%s: %d %s", host, w.Code, w.Body)
		}
	}
}
