package admin_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/admin"
)

// TestChangesReadStrictly is the table of what is asked of a change, and of what
// the problem names.
func TestChangesReadStrictly(t *testing.T) {
	t.Parallel()
	const path = "/invalidate/l1"
	p := newPort(t, "admin_change.strict")
	for _, c := range []struct {
		name, path, body string
		header           []string
		status           int
		field            string
	}{
		{"unknown field", path, `{"tags":[],"colour":1}`, nil, 400, "colour"},
		{"unknown inner field", path, `{"inner":{"colour":1}}`, nil, 400, "inner.colour"},
		{"spelt otherwise", path, `{"Tags":[]}`, nil, 400, "Tags"},
		{"twice", path, `{"tags":["a"],"tags":["b"]}`, nil, 400, "tags"},
		{"wrong type", path, `{"tags":"a"}`, nil, 400, "tags"},
		{"wrong inner type", path, `{"inner":{"depth":"a"}}`, nil, 400, "inner.depth"},
		{"two values", path, `{} {}`, nil, 400, "body"},
		{"rubbish after it", path, `{}]`, nil, 400, "body"},
		{"a list", path, `[]`, nil, 400, "body"},
		{"null", path, `null`, nil, 400, "body"},
		{"no JSON", path, `tags=a`, nil, 400, "body"},
		{"cut short", path, `{"tags":["a"]`, nil, 400, "body"},
		{"deep", path, `{"tags":` + strings.Repeat("[", 20_000), nil, 400, "tags[0]"},
		{"blank", path, ` `, nil, 400, "body"},
		{"a form", path, `{}`, []string{"Content-Type: text/plain"}, 400, "Content-Type"},
		{"long", path, `{"tags":["` + strings.Repeat("a", 65<<10) + `"]}`, nil, 413, ""},
		{"long name", path, `{"` + strings.Repeat("a", 5000) + `":1}`, nil, 400, strings.Repeat("a", 256) + "…"},
		{"a body for none", "/reload", `{"x":1}`, nil, 400, "x"},
		{"a failure", "/fail", ``, nil, 412, "file"},
		{"a defect", "/panic", ``, nil, 500, ""},
		{"another path", "/invalidate", `{}`, nil, 404, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := send(p, "POST", c.path, c.body, append(c.header, p.auth())...)
			told := decode[map[string]any](t, w)
			field, _ := told["field"].(string)
			if w.Code != c.status || field != c.field || told["status"] != float64(c.status) {
				t.Errorf("%d, field %q, want %d and %q: %s", w.Code, field, c.status, c.field, w.Body)
			}
			if strings.Contains(w.Body.String(), "secret") || strings.Contains(w.Body.String(), "defect") {
				t.Errorf("the client is told of the cause: %s", w.Body)
			}
		})
	}
}

func TestChangesAreMade(t *testing.T) {
	t.Parallel()
	p := newPort(t, "admin_change.made")
	for _, c := range []struct{ path, body, want string }{
		{"/invalidate/l1", `{"tags":["a","b"],"inner":{"depth":3}}`, "\"alice l1 [a b]\"\n"},
		{"/invalidate/l2", ``, "\"alice l2 []\"\n"},
		{"/invalidate/l2", " {}\n", "\"alice l2 []\"\n"},
		{"/reload", ``, ""}, {"/reload", `{}`, ""},
	} {
		w := send(p, "POST", c.path, c.body, p.auth())
		status := map[bool]int{true: 204, false: 200}[c.want == ""]
		if w.Body.String() != c.want || w.Code != status || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: %d %s, want %s", c.path, c.body, w.Code, w.Body, c.want)
		}
	}
	paths := decode[struct{ Paths []string }](t, ask(t, p, "GET", "/")).Paths
	if text := strings.Join(paths, " "); !strings.Contains(text, "/audit") || !strings.Contains(text, "/invalidate/{cache} ") {
		t.Errorf("the index lists %v", paths)
	}
}

// slow is a port with a change that says when it has begun and waits until it may end.
func slow(t *testing.T) (a *admin.Admin, token string, log *logged, begun chan context.Context, finish chan struct{}) {
	t.Helper()
	roster, token := staff(t)
	log, begun, finish = &logged{}, make(chan context.Context, 100), make(chan struct{})
	return admin.New(admin.Options{
		Operators: roster, Audit: slog.New(slog.NewJSONHandler(log, nil)),
		Changes: []admin.Change{admin.NewChange("POST", "/slow", func(ctx context.Context, _ admin.Actor, _ struct{}) (any, error) {
			begun <- ctx
			select {
			case <-finish:
				return "done", nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		})},
	}), token, log, begun, finish
}

// post asks for a change on a connection of its own, with a body of unknown length.
func post(ctx context.Context, url, token string, body io.Reader) (int, string, error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	response, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// TestStopWaitsForAChange: the port is told to stop while a change is in progress.
func TestStopWaitsForAChange(t *testing.T) {
	t.Parallel()
	a, token, log, begun, finish := slow(t)
	url, stop := serve(t, a)
	answered := make(chan string, 1)
	go func() {
		status, text, err := post(context.Background(), url+"/slow", token, http.NoBody)
		answered <- fmt.Sprint(status, " ", strings.TrimSpace(text), " ", err)
	}()
	ctx := <-begun
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	end := time.Now().Add(10 * time.Second)
	for { // until the port takes no connection
		if _, _, err := get(t, url+"/healthz"); err != nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the port does not stop")
		}
	}
	if ctx.Err() != nil {
		t.Error("the stop ended the change")
	}
	close(finish)
	if got := <-answered; got != `200 "done" <nil>` {
		t.Errorf("the change: %s", got)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}
	if !strings.Contains(log.String(), `"path":"/slow","change":"","status":200`) {
		t.Errorf("the audit has %s", log)
	}
}

// TestStopOutlastsAChangeThatHangs: it ends by its own time, before the port gives up.
func TestStopOutlastsAChangeThatHangs(t *testing.T) {
	t.Parallel()
	a, token, log, begun, _ := slow(t)
	url, stop := serve(t, a)
	answered := make(chan int, 1)
	go func() {
		status, _, _ := post(context.Background(), url+"/slow", token, http.NoBody)
		answered <- status
	}()
	<-begun
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if status := <-answered; status != 504 || !strings.Contains(log.String(), `"status":504`) {
		t.Errorf("%d; %s", status, log)
	}
}

// TestChangeOutlivesWhoAsked: who asked has left, the change is made and recorded.
func TestChangeOutlivesWhoAsked(t *testing.T) {
	t.Parallel()
	roster, token := staff(t)
	log := &logged{}
	h := admin.New(admin.Options{
		Operators: roster, Audit: slog.New(slog.NewJSONHandler(log, nil)),
		Changes: []admin.Change{admin.NewChange("POST", "/left", func(ctx context.Context, _ admin.Actor, _ struct{}) (any, error) {
			if _, ends := ctx.Deadline(); !ends {
				t.Error("it could take for ever")
			}
			return nil, ctx.Err()
		})},
	}).Handler()
	ctx, leave := context.WithCancel(t.Context())
	leave()
	r := httptest.NewRequest("POST", "http://localhost/left", http.NoBody).WithContext(ctx)
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != 204 || !strings.Contains(log.String(), `"status":204`) {
		t.Errorf("%d %s; the audit has %s", w.Code, w.Body, log)
	}
}

// TestChangesInProgressAreBounded: what is too many is refused at once.
func TestChangesInProgressAreBounded(t *testing.T) {
	t.Parallel()
	a, token, _, begun, finish := slow(t)
	url, stop := serve(t, a)
	statuses := make(chan int, 16)
	for range 16 {
		go func() {
			status, _, _ := post(context.Background(), url+"/slow", token, http.NoBody)
			statuses <- status
		}()
		<-begun
	}
	if status, text, err := post(t.Context(), url+"/slow", token, http.NoBody); status != 503 {
		t.Errorf("one too many: %d %s %v", status, text, err)
	}
	close(finish)
	for range 16 {
		if status := <-statuses; status != 200 {
			t.Errorf("%d", status)
		}
	}
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// TestChunkedBodyIsBounded: its length is not known beforehand. Without a token
// nothing of it is read but what net/http takes to keep the connection.
func TestChunkedBodyIsBounded(t *testing.T) {
	t.Parallel()
	a, token, _, begun, finish := slow(t)
	close(finish)
	url, stop := serve(t, a)
	for with, want := range map[string]string{token: "413 Request Entity Too Large", "none": "401 Unauthorized"} {
		status, err := postWithoutEnd(t, strings.TrimPrefix(url, "http://"), with)
		if err != nil || status != "HTTP/1.1 "+want {
			t.Errorf("%s, %v, want %s", status, err, want)
		}
	}
	if len(begun) != 0 {
		t.Error("the change was made")
	}
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// postWithoutEnd sends 1 MiB in chunks, or as much as is taken, and returns the
// status line.
func postWithoutEnd(t *testing.T, address, token string) (string, error) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(conn, "POST /slow HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"+
		"Transfer-Encoding: chunked\r\n\r\n", address, token)
	go func() {
		for range 1 << 10 {
			if _, err := fmt.Fprintf(conn, "400\r\n%s\r\n", strings.Repeat(" ", 1<<10)); err != nil {
				return
			}
		}
	}()
	line, err := bufio.NewReader(conn).ReadString('\n')
	return strings.TrimSpace(line), err
}
