package main_test

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// rewrite gives the gateway's file the text that it had at the start, with pairs
// of old and new in it replaced.
func (s shop) rewrite(t *testing.T, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(s.text, pairs[i]) {
			t.Fatalf("the file has no %q", pairs[i])
		}
	}
	if err := os.WriteFile(s.config, []byte(strings.NewReplacer(pairs...).Replace(s.text)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// told is what /config says.
type told struct {
	File      string            `json:"file"`
	Reloads   int               `json:"reloads"`
	Failures  int               `json:"failures"`
	LastError string            `json:"last_error"`
	Settings  map[string]string `json:"settings"`
}

func (s shop) inForce(t *testing.T) told {
	t.Helper()
	return decode[told](t, get(t, s.admin+"/config").body)
}

// hangUp sends SIGHUP and waits until the reload has ended, one way or another.
func (s shop) hangUp(t *testing.T) told {
	t.Helper()
	before := s.inForce(t)
	s.gateway.signal(syscall.SIGHUP)
	var after told
	eventually(t, "the reload has ended", func() bool {
		after = s.inForce(t)
		return after.Reloads+after.Failures > before.Reloads+before.Failures
	})
	return after
}

// load asks for pages as fast as it can, on kept connections, until the function
// that it returns is called, which tells how many were asked for by each version.
// What is not a whole page is an error.
func (s shop) load(t *testing.T) (pages func() int64, end func() map[string]int64) {
	t.Helper()
	var over atomic.Bool
	var count atomic.Int64
	var mu sync.Mutex
	by := map[string]int64{}
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			transport := &http.Transport{}
			defer transport.CloseIdleConnections()
			client := &http.Client{Timeout: patience, Transport: transport}
			for !over.Load() {
				adapter, fault := ask(t.Context(), client, s.public)
				if fault != "" {
					t.Errorf("a lost page: %s", fault)
					return
				}
				count.Add(1)
				mu.Lock()
				by[adapter]++
				mu.Unlock()
			}
		})
	}
	return count.Load, func() map[string]int64 {
		over.Store(true)
		clients.Wait()
		return by
	}
}

// ask asks for a page and says what is wrong with it, if anything.
func ask(ctx context.Context, client *http.Client, public string) (adapter, fault string) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, public+"/productdetails?productid=p-1042", nil)
	if err != nil {
		return "", err.Error()
	}
	r.Header.Set("X-Device-Type", "phone")
	r.Header.Set("X-User-Id", "u-7")
	answer, err := client.Do(r)
	if err != nil {
		return "", err.Error()
	}
	defer answer.Body.Close() //nolint:errcheck // it was read
	body, err := io.ReadAll(answer.Body)
	if parts := answer.Header.Get("Facet-Parts"); err != nil || answer.StatusCode != http.StatusOK || parts != "" {
		return "", strconv.Itoa(answer.StatusCode) + " with parts " + parts + ": " + string(body)
	}
	return answer.Header.Get("Facet-Adapter"), ""
}

// TestReloadUnderLoad reloads again and again while pages are asked for: none is
// lost, and what the file says by then is in force.
func TestReloadUnderLoad(t *testing.T) {
	t.Parallel()
	const rounds = 20
	const other = "timeout: 50s, attempt_timeout: 40s, max_concurrent: 90, mode: observe, retry: {attempts: 2, backoff: 1ms}, " +
		"hedge: true, coalesce: true, circuit: {volume: 7, error_percent: 70, consecutive: 7, sleep: 1s}"
	s := open(t, nil)
	pages, end := s.load(t)
	for i := range rounds {
		switch i % 2 {
		case 0:
			s.rewrite(t, "log: {format: text}", "log: {format: text, requests: false, level: debug}",
				"product: {timeout: 1m", "product: {batch_window: 1ms, "+other,
				"timeout: 1m", other+", cache: {stale: 1m, entries: "+strconv.Itoa(10+i)+"}",
				"  reviews:\n", "  reviews:\n    retry_budget: {percent: 50, floor: 5}\n",
				"pages:", "adapters: {phone: v2}\ncors: {origins: [\"*\"]}\npages:")
		case 1:
			s.rewrite(t)
		}
		before := pages()
		got := s.hangUp(t)
		want := map[string]string{"adapters.phone": "v2", "services.reviews.commands.reviews.timeout": "50s", "log.requests": "false"}
		if i%2 == 1 {
			want = map[string]string{"adapters.phone": "v1", "services.reviews.commands.reviews.timeout": "1m", "log.requests": "true"}
		}
		for path, value := range want {
			if got.Settings[path] != value {
				t.Errorf("reload %d: %s is %q, want %q", i, path, got.Settings[path], value)
			}
		}
		eventually(t, "pages are asked for between two reloads", func() bool { return pages() > before+10 || t.Failed() })
	}
	by := end()
	if by["phone/v1"] < 50 || by["phone/v2"] < 50 || len(by) != 2 {
		t.Errorf("pages by %v: the test does not test", by)
	}
	if got := s.inForce(t); got.Reloads != rounds || got.Failures != 0 || got.LastError != "" || got.File != s.config {
		t.Errorf("%d reloads, %d failures: %s", got.Reloads, got.Failures, got.LastError)
	}
	eventually(t, "the log tells what has changed", func() bool {
		return strings.Contains(s.gateway.stderr.String(), "product.timeout: 1m -> 50s") // of many that are first
	})
	s.gateway.signal(syscall.SIGTERM)
	if status := s.gateway.status(); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	t.Logf("%d pages in %d reloads, none lost", pages(), rounds)
}

// TestReloadChangesWhatIsDone: a policy, a device and a document are others after it.
func TestReloadChangesWhatIsDone(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	breakService(t, s.faults, "reviews", "hang")
	s.rewrite(t,
		"    commands: {reviews: {timeout: 1m}}", "    commands: {reviews: {timeout: 100ms, cache: {stale: 0s}}}",
		"pages:", "devices: {classes: {watch: {like: phone}}}\nadapters: {phone: v2}\npages:")
	if got := s.hangUp(t); got.Failures != 0 {
		t.Fatal(got.LastError)
	}
	const requests = `facet_requests_total{code="200",device="watch",page="productdetails",version="v2"}`
	s.expectSeries(t, "a new class", map[string]string{requests: "0"})
	began := time.Now()
	a := page(t, s.public, "watch", "p-1042")
	adapter, parts := a.header.Get("Facet-Adapter"), a.header.Get("Facet-Parts")
	if a.status != http.StatusOK || adapter != "phone/v2" || parts != "reviews=missing;reason=timeout" {
		t.Errorf("%d by %q with parts %q", a.status, adapter, parts)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("the page took %v: the old timeout of a minute is in force", took)
	}
	s.expectSeries(t, "its first page", map[string]string{requests: "1"})
	if a := get(t, s.admin+"/openapi/watch.json"); a.status != http.StatusOK || !strings.Contains(a.body, "What phone/v2 answers.") {
		t.Errorf("the document of the new class: %d", a.status)
	}
	s.rewrite(t) // what the file does not say any more is as by default
	if got := s.hangUp(t); got.Failures != 0 || got.Settings["services.reviews.commands.reviews.cache.stale"] != "10m" {
		t.Errorf("%+v", got)
	}
	if a := page(t, s.public, "watch", "p-1042"); a.status != http.StatusBadRequest {
		t.Errorf("a class that is gone: %d, want 400", a.status)
	}
}

// TestReloadChangesWhatWebPagesMaySend: the header that says what is prefetched, too.
func TestReloadChangesWhatWebPagesMaySend(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	sendable := func() string {
		a, err := send(t, http.MethodOptions, s.public+"/home", "", "Origin", "https://tv.example", "Access-Control-Request-Method", "GET")
		if err != nil || a.status != http.StatusNoContent {
			t.Fatal(a.status, err)
		}
		return a.header.Get("Access-Control-Allow-Headers")
	}
	if got := sendable(); got != "" {
		t.Errorf("nobody may send anything, and is told %q", got)
	}
	for line, want := range map[string]string{
		"": "X-Request-Timeout-Ms, X-Device-Id", `"x-ahead: 1"`: "X-Request-Timeout-Ms, X-Ahead, X-Device-Id",
	} {
		s.rewrite(t, "services:\n",
			"cors: {origins: [\"https://tv.example\"]}\nadmission: {prefetch: {header: "+cmp.Or(line, `""`)+"}}\nservices:\n")
		if got := s.hangUp(t); got.Failures != 0 {
			t.Fatal(got.LastError)
		}
		if got := sendable(); !strings.HasSuffix(got, want) {
			t.Errorf("with the header %s: %q", line, got)
		}
	}
}

// TestReloadChangesTheLevelOfTheLog: a request is told of by the level in force.
func TestReloadChangesTheLevelOfTheLog(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	for level, id := range map[string]string{"error": "quiet-1", "info": "loud-1"} {
		s.rewrite(t, "{format: text}", "{format: text, level: "+level+"}")
		if got := s.hangUp(t); got.Failures != 0 {
			t.Fatal(got.LastError)
		}
		get(t, s.public+"/nowhere", "X-Request-Id", id)
	}
	s.gateway.signal(syscall.SIGTERM)
	if status := s.gateway.status(); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	if log := s.gateway.stderr.String(); !strings.Contains(log, "loud-1") || strings.Contains(log, "quiet-1") {
		t.Errorf("the log does not follow its level")
	}
}

// TestReloadKeepsTheOldConfiguration of a file that cannot be put in force.
func TestReloadKeepsTheOldConfiguration(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	before := s.inForce(t).Settings
	const live = "timeout: 2s" // in each file, and never in force
	cases := []struct {
		name, told string
		write      func()
	}{
		{
			"out of range", `facet.yaml:6:34: pages.productdetails.budget: "11m" is out of range; allowed: 1ms to 10m`,
			func() { s.rewrite(t, "timeout: 1m", live, "budget: 2m", "budget: 11m") },
		},
		{
			"unknown name", `unknown command, did you mean "reviews"?`,
			func() { s.rewrite(t, "timeout: 1m", live, "{reviews:", "{revues:") },
		},
		{
			"needs a restart", "listen: needs a restart\nauth.mode: needs a restart\nservices.catalog.instances: needs a restart",
			func() {
				s.rewrite(t, "timeout: 1m", live, "listen: 127.0.0.1:0", "listen: 127.0.0.1:1", "mode: header", "mode: none",
					"catalog:\n    instances: [", "catalog:\n    instances: [\"http://127.0.0.1:1\", ")
			},
		},
		{"no file", "no such file", func() {
			if err := os.Remove(s.config); err != nil {
				t.Fatal(err)
			}
		}},
		{"a pipe", "is not a regular file", func() {
			if err := syscall.Mkfifo(s.config, 0o600); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for i, c := range cases {
		c.write()
		got := s.hangUp(t)
		if got.Reloads != 0 || got.Failures != i+1 || !strings.Contains(got.LastError, c.told) {
			t.Errorf("%s: %d reloads, %d failures, %s", c.name, got.Reloads, got.Failures, got.LastError)
		}
		for path, value := range before {
			if got.Settings[path] != value {
				t.Errorf("%s: %s is %q, was %q", c.name, path, got.Settings[path], value)
			}
		}
		eventually(t, "the log tells of "+c.name, func() bool {
			return strings.Contains(s.gateway.stderr.String(), strings.ReplaceAll(strings.ReplaceAll(c.told, `"`, `\"`), "\n", `\n`))
		})
	}
	if a := whole(t, s.public, "phone", "p-1042"); a.status != http.StatusOK {
		t.Errorf("a page after it all: %d", a.status)
	}
}

// TestReloadWhileStoppingIsRefused, and told of.
func TestReloadWhileStoppingIsRefused(t *testing.T) {
	t.Parallel()
	s := open(t, nil)
	pages := s.waiting(t)
	s.gateway.signal(syscall.SIGTERM)
	eventually(t, "the log tells of the stop", func() bool { return strings.Contains(s.gateway.stderr.String(), "stopping; a second") })
	s.rewrite(t, "timeout: 1m", "timeout: 2s")
	got := s.hangUp(t)
	if got.Reloads != 0 || got.Failures != 1 || got.Settings["services.catalog.commands.product.timeout"] != "1m" ||
		!strings.Contains(got.LastError, "the program is stopping") {
		t.Errorf("%d reloads, %d failures: %s", got.Reloads, got.Failures, got.LastError)
	}
	breakService(t, s.faults, "inventory", "none")
	if a := <-pages; a.status != http.StatusOK || a.header.Get("Facet-Parts") != "" {
		t.Errorf("the page in progress: %d, parts %q, want a whole one", a.status, a.header.Get("Facet-Parts"))
	}
	if status := s.gateway.status(); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
}
