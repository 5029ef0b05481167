package main_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// newAway is a gateway whose phones are all answered by phone/v9, which lives at a URL.
// more is added to what is said of it.
func newAway(t *testing.T, url, more string) releasing {
	t.Helper()
	r := newReleasing(t, fmt.Sprintf("rollout: {remotes: {phone/v9: {instances: [%q]%s}}}\n", url, more))
	r.must(t, "start phone/away --candidate v9 --share 100")
	return r
}

// phonePage asks for a page of phones.
func phonePage(t *testing.T, gateway, target string, header ...string) answer {
	t.Helper()
	return get(t, gateway+target, append([]string{"X-Device-Type", "phone", "X-User-Id", "u-7"}, header...)...)
}

// TestAVersionThatLivesElsewhere is asked for every page of its class: what comes is
// what it has sent, also when it is degraded, or refused.
func TestAVersionThatLivesElsewhere(t *testing.T) {
	t.Parallel()
	there := newReleasing(t, "adapters: {phone: v2}\n")
	here := newAway(t, there.public, ", timeout: 700ms")
	same := func(target, adapter string, status int, parts *regexp.Regexp, header ...string) {
		t.Helper()
		var got, want answer
		eventually(t, "the page "+target+" of "+adapter, func() bool { // on a busy machine control helps out at first
			want, got = phonePage(t, there.public, target, header...), phonePage(t, here.public, target, header...)
			told := want.header.Get("Facet-Parts")
			return got.header.Get("Facet-Adapter") == adapter && parts.MatchString(told) && got.header.Get("Facet-Parts") == told
		})
		if status != http.StatusOK { // a problem has the id of its request
			cut := regexp.MustCompile(`"request_id":"[^"]*"`)
			got.body, want.body = cut.ReplaceAllString(got.body, ""), cut.ReplaceAllString(want.body, "")
		}
		if got.status != status || want.status != status || got.body != want.body || got.header.Get("ETag") != want.header.Get("ETag") {
			t.Errorf("%s: %d %s\nwant %d %s", target, got.status, got.body, want.status, want.body)
		}
	}
	whole := regexp.MustCompile(`^$`)
	same("/productdetails?productid=p-1042&postcode=1011AB", "phone/v9", http.StatusOK, whole)
	same("/productdetails?productid=p-1042", "phone/v9", http.StatusOK, whole, "X-User-Id", "u-1")
	same("/wishlist", "phone/v9", http.StatusOK, whole)
	same("/home", "phone/v9", http.StatusOK, whole)
	same("/productdetails?productid=none", "phone/v9", http.StatusNotFound, whole)
	same("/productdetails?productid=a%23b%20c", "phone/v9", http.StatusBadRequest, whole)
	breakService(t, there.faults, "orders", "status=503")
	lost := regexp.MustCompile(`^orders=missing;reason=(error|open)$`)
	same("/productdetails?productid=p-1042&postcode=1011AB", "phone/v9", http.StatusOK, lost)
	breakService(t, there.faults, "orders", "none")

	// It cannot make the page, and control can.
	breakService(t, there.faults, "catalog", "down")
	eventually(t, "a page of control", func() bool {
		got := phonePage(t, here.public, "/productdetails?productid=p-1001")
		return got.status == http.StatusOK && got.header.Get("Facet-Adapter") == "phone/v1"
	})
	const counter = `facet_command_runs_total{command="remote.phone_v9",outcome="success",service="remote"}`
	if metrics := get(t, here.admin+"/metrics").body; !strings.Contains(metrics, counter) {
		t.Error("the metrics do not tell of its command")
	} else if !strings.Contains(metrics, `page="productdetails",version="v9"`) {
		t.Error("the metrics do not tell of its pages")
	}
}

// asking asks for pages of phones until the function that it returns is called, which
// tells how many there were by each adapter, and how long the slowest took. A page
// that does not come is an error.
func asking(t *testing.T, gateway string) (pages func() int64, end func() (by map[string]int, slowest time.Duration)) {
	t.Helper()
	var over atomic.Bool
	var count atomic.Int64
	var mu sync.Mutex
	by, slowest := map[string]int{}, time.Duration(0)
	var clients sync.WaitGroup
	for n := range 4 {
		clients.Go(func() {
			for i := 0; !over.Load(); i++ {
				began := time.Now()
				a, err := send(t, http.MethodGet, gateway+"/productdetails?productid=p-1042", "",
					"X-Device-Type", "phone", "X-User-Id", fmt.Sprintf("u-%d-%d", n, i))
				took := time.Since(began)
				if err != nil || a.status != http.StatusOK {
					t.Errorf("a lost page: %d %s %v", a.status, a.body, err)
					return
				}
				count.Add(1)
				mu.Lock()
				by[a.header.Get("Facet-Adapter")]++
				slowest = max(slowest, took)
				mu.Unlock()
			}
		})
	}
	return count.Load, func() (map[string]int, time.Duration) {
		over.Store(true)
		clients.Wait()
		return by, slowest
	}
}

// more waits for so many more pages.
func more(t *testing.T, pages func() int64, n int64) {
	t.Helper()
	until := pages() + n
	eventually(t, fmt.Sprint(n, " more pages"), func() bool { return pages() >= until || t.Failed() })
}

// circuitOf is the state of the circuit of phone/v9.
func circuitOf(t *testing.T, r releasing) string {
	t.Helper()
	return decode[struct {
		Circuit string `json:"circuit"`
	}](t, get(t, r.admin+"/commands/remote.phone_v9").body).Circuit
}

// TestARemoteIsKilled under load, and started again: no page is lost.
func TestARemoteIsKilled(t *testing.T) {
	t.Parallel()
	there := newReleasing(t, "adapters: {phone: v2}\n")
	here := newAway(t, there.public, ", timeout: 700ms, circuit: {sleep: 500ms}")
	pages, end := asking(t, here.public)
	defer end()
	more(t, pages, 50)
	if err := there.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-there.ended
	more(t, pages, 50)
	eventually(t, "the circuit opens", func() bool { return circuitOf(t, here) == "open" })
	if got := phonePage(t, here.public, "/productdetails?productid=p-1042"); got.header.Get("Facet-Adapter") != "phone/v1" {
		t.Errorf("without its remote it is answered by %s", got.header.Get("Facet-Adapter"))
	}
	config := filepath.Join(there.folder, "facet.yaml")
	text, err := os.ReadFile(config) //nolint:gosec // the test's own
	if err != nil {
		t.Fatal(err)
	}
	write(t, config, strings.Replace(string(text), "listen: 127.0.0.1:0", "listen: "+strings.TrimPrefix(there.public, "http://"), 1))
	there.serve(t, config)
	eventually(t, "the remote answers again", func() bool {
		return phonePage(t, here.public, "/productdetails?productid=p-1042").header.Get("Facet-Adapter") == "phone/v9"
	})
	by, slowest := end()
	if by["phone/v9"] < 20 || by["phone/v1"] < 20 || len(by) != 2 {
		t.Errorf("pages by adapter: %v", by)
	}
	t.Logf("pages by adapter: %v, the slowest took %v", by, slowest)
	if log := here.stderr.String(); !strings.Contains(log, `"instead_of":"phone/v9"`) || !strings.Contains(log, "remote.phone_v9: ") {
		t.Error("the log does not tell why control answered")
	}
}

// TestARemoteHangs, and pages come within their budget.
func TestARemoteHangs(t *testing.T) {
	t.Parallel()
	there := newReleasing(t, "adapters: {phone: v2}\n")
	here := newAway(t, there.public, ", timeout: 400ms, circuit: {consecutive: 10}")
	eventually(t, "the remote answers", func() bool {
		return phonePage(t, here.public, "/productdetails?productid=p-1042").header.Get("Facet-Adapter") == "phone/v9"
	})
	there.signal(syscall.SIGSTOP)
	defer there.signal(syscall.SIGCONT)
	pages, end := asking(t, here.public)
	more(t, pages, 10)
	eventually(t, "the circuit opens", func() bool { return circuitOf(t, here) == "open" })
	more(t, pages, 50)
	by, slowest := end()
	const budget, machine = 800 * time.Millisecond, 700 * time.Millisecond // which runs other tests beside
	if slowest > budget+machine {
		t.Errorf("a page took %v", slowest)
	}
	t.Logf("pages by adapter: %v, the slowest took %v", by, slowest)
}

// TestAnyServerCanBeAVersion: what it is sent, and what becomes of rubbish.
func TestAnyServerCanBeAVersion(t *testing.T) {
	t.Parallel()
	var does atomic.Pointer[http.HandlerFunc]
	var mu sync.Mutex
	var last *http.Request
	become := func(h http.HandlerFunc) { does.Store(&h) }
	said := func(status int, kind, text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(text)) // the gateway may have had enough
		}
	}
	become(said(http.StatusOK, "application/json", `{"any":"server"}`))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		last = r
		mu.Unlock()
		(*does.Load())(w, r)
	}))
	t.Cleanup(server.Close)
	here := newAway(t, server.URL+"/team", ", timeout: 450ms, circuit: {consecutive: 1000, volume: 1000}")
	ask := func(header ...string) answer {
		return phonePage(t, here.public, "/productdetails?productid=p-1042", header...)
	}

	got := ask("X-Request-Id", "req-7", "Cookie", "secret=1", "Authorization", "Bearer secret", "X-Request-Timeout-Ms", "300",
		"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	mu.Lock()
	sent := last
	mu.Unlock()
	if got.body != `{"any":"server"}` || got.header.Get("Facet-Adapter") != "phone/v9" || sent == nil {
		t.Fatalf("%d %s by %s", got.status, got.body, got.header.Get("Facet-Adapter"))
	}
	left, err := strconv.Atoi(sent.Header.Get("X-Request-Timeout-Ms"))
	if sent.RequestURI != "/team/productdetails?productid=p-1042" || err != nil || left < 1 || left > 300 {
		t.Errorf("it was asked %s within %q ms", sent.RequestURI, sent.Header["X-Request-Timeout-Ms"])
	}
	for name, want := range map[string]string{
		"X-Device-Type": "phone", "X-User-Id": "u-7", "X-Request-Id": "req-7", "Cookie": "", "Authorization": "",
	} {
		if lines := strings.Join(sent.Header[name], "|"); lines != want {
			t.Errorf("%s: %q, want %q", name, lines, want)
		}
	}
	trace := sent.Header.Get("traceparent")
	if !strings.HasPrefix(trace, "00-0af7651916cd43dd8448eb211c80319c-") || strings.Contains(trace, "b7ad6b7169203331") {
		t.Errorf("traceparent %q", trace)
	}

	for name, h := range map[string]http.HandlerFunc{
		"a sign-in page":        said(http.StatusOK, "text/html", "<p>Sign in"),
		"half a page":           said(http.StatusOK, "application/json", `{"any":`),
		"no such path":          said(http.StatusNotFound, "text/plain", "404 page not found"),
		"does not believe us":   said(http.StatusUnauthorized, "application/problem+json", `{"code":"unauthenticated"}`),
		"a defect":              said(http.StatusInternalServerError, "application/json", `{}`),
		"sends us away":         said(http.StatusFound, "application/json", `{}`),
		"1 GiB":                 pourJSON,
		"hangs up in mid-page":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"takes longer than all": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		become(h)
		if got := ask(); got.status != http.StatusOK || got.header.Get("Facet-Adapter") != "phone/v1" || !strings.Contains(got.body, "Arden") {
			t.Errorf("%s: %d by %s: %.200s", name, got.status, got.header.Get("Facet-Adapter"), got.body)
		}
	}
	become(said(http.StatusBadRequest, "application/problem+json", `{"code":"invalid","field":"productid","detail":"is sold out"}`))
	const told = `"detail":"is sold out","code":"invalid","field":"productid"`
	if got := ask(); got.status != http.StatusBadRequest || !strings.Contains(got.body, told) {
		t.Errorf("a refusal: %d %s", got.status, got.body)
	}
	here.must(t, "abort phone/away --reason enough")
	if got := ask(); got.header.Get("Facet-Adapter") != "phone/v1" {
		t.Errorf("after the abort it is %s", got.header.Get("Facet-Adapter"))
	}
}

// pourJSON sends what could be a page but for its gibibyte.
func pourJSON(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	piece := []byte(strings.Repeat("x", 1<<20))
	_, err := w.Write([]byte(`"`))
	for n := 0; n < 1024 && err == nil; n++ {
		_, err = w.Write(piece)
	}
}

// TestRemotesInTheConfiguration: what names one, and what a reload may change of it.
func TestRemotesInTheConfiguration(t *testing.T) {
	t.Parallel()
	here := newReleasing(t, `rollout: {remotes: {phone/v9: {instances: ["http://127.0.0.1:1"]}}}`+"\n")
	for args, wants := range map[string]string{
		"start tv/away --candidate v9 --share 1":    `no version "v9"; known: v1, v2 (`,
		"start phone/away --candidate v8 --share 1": `no version "v8"; known: v1, v2, v9 (`,
	} {
		if status, _, stderr := here.rollout(t, args); status != 1 || !strings.Contains(stderr, wants) {
			t.Errorf("%s: %d %s", args, status, stderr)
		}
	}
	config := filepath.Join(here.folder, "facet.yaml")
	text, err := os.ReadFile(config) //nolint:gosec // the test's own
	if err != nil {
		t.Fatal(err)
	}
	reload := func(from, to string) told {
		t.Helper()
		before := decode[told](t, get(t, here.admin+"/config").body)
		write(t, config, strings.Replace(string(text), from, to, 1))
		here.signal(syscall.SIGHUP)
		var after told
		eventually(t, "the reload has ended", func() bool {
			after = decode[told](t, get(t, here.admin+"/config").body)
			return after.Reloads+after.Failures > before.Reloads+before.Failures
		})
		return after
	}
	const setting = `rollout.remotes."phone/v9".timeout`
	if after := reload(`:1"]`, `:1"], timeout: 123ms, max_concurrent: 7`); after.Reloads != 1 || after.Settings[setting] != "123ms" {
		t.Errorf("a timeout: %s, is %s", after.LastError, after.Settings[setting])
	}
	if stats := get(t, here.admin+"/commands/remote.phone_v9").body; !regexp.MustCompile(`"max_concurrent": ?7\b`).MatchString(stats) {
		t.Errorf("its command is told as %s", stats)
	}
	if after := reload(`:1"]`, `:2"]`); after.Failures != 1 || !strings.Contains(after.LastError, `rollout.remotes."phone/v9".instances`) {
		t.Errorf("an instance: %s", after.LastError)
	}
	if after := reload(`phone/v9`, `phone/v8`); after.Failures != 2 || !strings.Contains(after.LastError, `rollout.remotes."phone/v8"`) {
		t.Errorf("another name: %s", after.LastError)
	}
	for text, wants := range map[string]string{
		`rollout: {remotes: {phone/v2: {instances: ["http://127.0.0.1:1"]}}}`:                `"phone/v2": is a version of this build`,
		`rollout: {remotes: {boat/v9: {instances: ["http://127.0.0.1:1"]}}}`:                 `"boat/v9": unknown adapter`,
		"adapters: {phone: v9}\nrollout: {remotes: {phone/v9: {instances: [\"http://a\"]}}}": `adapters.phone: unknown value "v9"`,
	} {
		status, _, stderr := ended(t, "check", file(t, "facet.yaml", text+"\n"+emptyServices()))
		if status != 2 || !strings.Contains(stderr, wants) {
			t.Errorf("%s: %d %s", text, status, stderr)
		}
	}
}
