package admin_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/core/admin"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

func noop(context.Context, string) (string, error) { return "answer", nil }

// ask asks for a path under an address, with header lines of the form "Name: value".
func ask(t testing.TB, h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	return send(h, method, path, "", header...)
}

// send is like ask, with a body of JSON if there is one.
func send(h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Host = "127.0.0.1:8081"
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		if r.Header.Add(name, value); name == "Host" {
			r.Host = value
		}
		if name == "Content-Type" {
			r.Header.Set(name, value)
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

func TestAnswers(t *testing.T) {
	t.Parallel()
	const jsonType, problemType = "application/json", "application/problem+json"
	one := command.New("admin_answers.one", noop)
	operators, token := staff(t)
	h := admin.New(admin.Options{
		Ready: func() bool { return true }, Controls: []*command.Control{one.Control}, Build: "v9",
		Operators: operators,
		Documents: func() map[string][]byte {
			return map[string][]byte{"watch.json": []byte(`{"of": "watch"}`), "watch/v1.json": []byte(`{"of": "watch/v1"}`)}
		},
		States: map[string]func() any{"/config": func() any { return map[string]string{"listen": "127.0.0.1:0"} }},
	}).Handler()
	cases := []struct {
		method, path string
		status       int
		contentType  string
		holds        string
	}{
		{"GET", "/", 200, jsonType, `"build": "v9"`},
		{"GET", "/healthz", 200, jsonType, `"alive": true`},
		{"GET", "/readyz", 200, jsonType, `"ready": true`},
		{"HEAD", "/readyz", 200, jsonType, ""},
		{"GET", "/commands", 200, jsonType, `"name": "admin_answers.one"`},
		{"GET", "/commands/admin_answers.one", 200, jsonType, `"circuit": "closed"`},
		{"GET", "/commands/admin_answers.two", 404, problemType, `"code": "not_found"`},
		{"GET", "/commands/..%2f..%2fetc", 404, problemType, `"code": "not_found"`},
		{"GET", "/", 200, jsonType, `"/openapi/watch.json",`},
		{"GET", "/", 200, jsonType, `"/openapi/watch/v1.json"`},
		{"GET", "/", 200, jsonType, `"/config",`},
		{"GET", "/config", 200, jsonType, `"listen": "127.0.0.1:0"`},
		{"PUT", "/config", 405, problemType, `"code": "method_not_allowed"`},
		{"GET", "/openapi/watch.json", 200, jsonType, `{"of": "watch"}`},
		{"GET", "/openapi/watch/v1.json", 200, jsonType, `{"of": "watch/v1"}`},
		{"HEAD", "/openapi/watch.json", 200, jsonType, ""},
		{"GET", "/openapi/", 404, problemType, `"code": "not_found"`},
		{"GET", "/openapi/watch", 404, problemType, `"code": "not_found"`},
		{"GET", "/openapi/watch/v2.json", 404, problemType, "/ lists them"},
		{"PUT", "/openapi/watch.json", 405, problemType, `"code": "method_not_allowed"`},
		{"GET", "/nowhere", 404, problemType, `"code": "not_found"`},
		{"POST", "/readyz", 405, problemType, `"code": "method_not_allowed"`},
		{"DELETE", "/commands/admin_answers.one", 405, problemType, `"code": "method_not_allowed"`},
		{"GET", "/debug/pprof/", 200, "text/html; charset=utf-8", "goroutine"},
		{"GET", "/debug/pprof/goroutine?debug=1", 200, "text/plain; charset=utf-8", "goroutine profile"},
		{"GET", "/debug/pprof/cmdline", 200, "text/plain; charset=utf-8", "admin.test"},
		{"GET", "/debug/pprof/symbol", 200, "text/plain; charset=utf-8", "num_symbols"},
		{"GET", "/debug/pprof/nothing", 404, problemType, `"code": "not_found"`},
		{"GET", "/debug/pprof/profile?seconds=301", 400, problemType, `"field": "seconds"`},
		{"GET", "/debug/pprof/trace?seconds=NaN", 400, problemType, `"field": "seconds"`},
		{"GET", "/debug/pprof/heap?seconds=-1", 400, problemType, `"field": "seconds"`},
	}
	for _, c := range cases {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			t.Parallel()
			w := ask(t, h, c.method, c.path, "Authorization: Bearer "+token)
			if w.Code != c.status || !strings.Contains(w.Body.String(), c.holds) {
				t.Errorf("%d %s, want %d and %q in it", w.Code, w.Body, c.status, c.holds)
			}
			if got := w.Header().Get("Content-Type"); got != c.contentType {
				t.Errorf("type %q, want %q", got, c.contentType)
			}
			if got := w.Header().Get("Cache-Control"); got != "no-store" {
				t.Errorf("caching %q, want no-store", got)
			}
			if allow := w.Header().Get("Allow"); (c.status == 405) != strings.Contains(allow, "GET") {
				t.Errorf("Allow %q with a status of %d", allow, c.status)
			}
		})
	}
}

func TestMoreAnswersItsPathsAndIsListed(t *testing.T) {
	t.Parallel()
	more := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Asked", r.Method+" "+r.URL.Path) })
	operators, token := staff(t)
	h := admin.New(admin.Options{More: map[string]http.Handler{"/more": more, "/extra": more}, Operators: operators}).Handler()
	for asked, theirs := range map[string]bool{
		"GET /more": true, "PUT /more/of/it": true, "DELETE /extra/": true, "GET /moreover": false, "GET /readyz": false,
	} {
		method, path, _ := strings.Cut(asked, " ")
		if got := ask(t, h, method, path, "Authorization: Bearer "+token).Header().Get("Asked"); (got == asked) != theirs {
			t.Errorf("%s: they were asked for %q", asked, got)
		}
	}
	paths := decode[struct{ Paths []string }](t, ask(t, h, "GET", "/")).Paths
	if want := []string{"/debug/pprof/", "/extra", "/more"}; !slices.Equal(paths[len(paths)-len(want):], want) {
		t.Errorf("the index lists %v, want %v in the end", paths, want)
	}
}

func TestReadinessFollowsItsFunction(t *testing.T) {
	t.Parallel()
	var ready atomic.Bool
	h := admin.New(admin.Options{Ready: ready.Load}).Handler()
	for _, want := range []bool{false, true, false} {
		ready.Store(want)
		w := ask(t, h, "GET", "/readyz")
		if got := decode[map[string]bool](t, w)["ready"]; got != want || (w.Code == 200) != want {
			t.Errorf("ready %v with status %d, want %v", got, w.Code, want)
		}
		if alive := ask(t, h, "GET", "/healthz"); alive.Code != 200 {
			t.Errorf("health %d while ready is %v", alive.Code, want)
		}
	}
}

func TestZeroOptionsAreNotReadyAndHaveNoCommands(t *testing.T) {
	t.Parallel()
	h := admin.New(admin.Options{}).Handler()
	if w := ask(t, h, "GET", "/readyz"); w.Code != 503 {
		t.Errorf("readiness %d, want 503", w.Code)
	}
	if w := ask(t, h, "GET", "/config"); w.Code != 404 || strings.Contains(ask(t, h, "GET", "/").Body.String(), "/config") {
		t.Errorf("configuration %d, want 404 and no word of it", w.Code)
	}
	if w := ask(t, h, "GET", "/commands"); strings.TrimSpace(w.Body.String()) != "[]" {
		t.Errorf("commands %s, want []", w.Body)
	}
}

func TestCommandsAreCountedAndSorted(t *testing.T) {
	t.Parallel()
	b, a := command.New("admin_sorted.b", noop), command.New("admin_sorted.a", noop)
	h := admin.New(admin.Options{Controls: []*command.Control{b.Control, a.Control}}).Handler()

	ctx, scope := stream.Open(t.Context(), report.New("r", report.Trace{}))
	defer scope.Close()
	page := stream.Assemble(stream.Required("b", b.Observe("key"), func(to *string, v string) { *to = v }))
	if got, err := page.Run(ctx); err != nil || got != "answer" {
		t.Fatalf("page %q, %v", got, err)
	}

	all := decode[[]command.Stats](t, ask(t, h, "GET", "/commands"))
	if len(all) != 2 || all[0].Name != "admin_sorted.a" || all[1].Name != "admin_sorted.b" {
		t.Fatalf("commands %v, want a before b", all)
	}
	if all[0].Outcomes["success"] != 0 || all[1].Outcomes["success"] != 1 {
		t.Errorf("successes %d and %d, want 0 and 1", all[0].Outcomes["success"], all[1].Outcomes["success"])
	}
	one := decode[command.Stats](t, ask(t, h, "GET", "/commands/admin_sorted.b"))
	if diff := cmp.Diff(all[1], one); diff != "" {
		t.Errorf("one command differs from its row:\n%s", diff)
	}
}
