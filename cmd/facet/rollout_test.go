package main_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// releasing is a gateway with simulated services, whose rollouts an operator changes.
type releasing struct {
	*program
	public    string
	admin     string
	faults    string
	tokenFile string
	token     string
	folder    string
}

// newReleasing starts both; more is added to the configuration.
func newReleasing(t *testing.T, more string) releasing {
	t.Helper()
	token, line := newToken(t, "alice")
	services := start(t, "simulate")
	text := "listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nauth: {mode: header}\nlog: {level: warn}\n" +
		"server: {drain_delay: 0s, write_timeout: 1m}\n" +
		"pages: {productdetails: {budget: 20s}, home: {budget: 20s}}\noperators: {tokens: operators.txt}\n" + more + "services:\n"
	for _, name := range serviceNames {
		text += fmt.Sprintf("  %s: {instances: [%q], commands: {", name, services.announced("service "+name))
		for _, command := range slowly[name] { // so that a busy machine degrades no page
			text += command + ": {timeout: 10s}, "
		}
		text += "}}\n"
	}
	config := file(t, "facet.yaml", text)
	r := releasing{
		folder: filepath.Dir(config), faults: services.announced("control"), token: token, tokenFile: file(t, "token", token+"\n"),
	}
	write(t, filepath.Join(r.folder, "operators.txt"), line+"\n")
	return r.serve(t, config)
}

// slowly are the commands of the pages that these tests ask for.
var slowly = map[string][]string{
	"catalog": {"product"}, "cart": {"cart"}, "orders": {"orders"}, "reviews": {"reviews", "summaries"}, "inventory": {"stock"},
	"shipping": {"options"}, "recommendations": {"recommendations", "rows"},
}

func (r releasing) serve(t *testing.T, config string) releasing {
	t.Helper()
	r.program = start(t, "serve", "--config", config)
	r.public, r.admin = r.announced("gateway"), r.announced("admin")
	return r
}

// rollout runs the command with the operator's token.
func (r releasing) rollout(t *testing.T, args string) (status int, stdout, stderr string) {
	t.Helper()
	return ended(t, append([]string{"rollout", "--admin", r.admin, "--token-file", r.tokenFile}, strings.Fields(args)...)...)
}

// must runs the command, which must not fail, and returns what it prints.
func (r releasing) must(t *testing.T, args string) string {
	t.Helper()
	status, stdout, stderr := r.rollout(t, args)
	if status != 0 {
		t.Fatalf("facet rollout %s: %d %s", args, status, stderr)
	}
	return stdout
}

// versions asks for a page as many users, and returns how many had each adapter.
func (r releasing) versions(t *testing.T, users int, header ...string) map[string]int {
	t.Helper()
	got := map[string]int{}
	for n := range users {
		lines := append([]string{"X-Device-Type", "phone", "X-User-Id", fmt.Sprint("u-", n)}, header...)
		a, err := send(t, http.MethodGet, r.public+"/productdetails?productid=p-1042", "", lines...)
		if err != nil || a.status != http.StatusOK {
			t.Fatalf("%d %v", a.status, err)
		}
		got[a.header.Get("Facet-Adapter")]++
	}
	return got
}

// TestARolloutByHand plays one on the command line, and what cannot be.
func TestARolloutByHand(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, "")
	if got := r.versions(t, 20); got["phone/v1"] != 20 {
		t.Errorf("before there is one, %v", got)
	}
	for _, c := range []struct {
		args   string
		status int
		stdout string // matches
		stderr string // matches
	}{
		{"", 0, `^$`, `^$`},
		{"status", 0, `^1 of 1 replicas at revision 0; the store is available\n$`, `^$`},
		{"start phone/reviews-first --candidate v2 --plan 50:10m,100", 0, `^phone/reviews-first +v2 +50 % +running +since \d{4}-`, `^$`},
		{"start phone/reviews-first --candidate v2 --share 1", 1, `^$`, `412 Precondition Failed: reviews-first runs already`},
		{"start phone/other --candidate v2 --share 1", 1, `^$`, `overlaps that of reviews-first \(classes.phone.rollouts\[1\].slice\)`},
		{"start phone/other --candidate v9 --share 1", 1, `^$`, `there is no version "v9"; known: v1, v2 \(classes.phone.*candidate\)`},
		{"start boat/other --candidate v2 --share 1", 1, `^$`, `no adapter for this class; known: phone, tablet, tv \(classes.boat\)`},
		{"start phone/other --candidate v2 --plan 1:x", 2, `^$`, `--plan: "x" is not a duration`},
		{
			"start phone/other --candidate v2 --share 1 --guard errors=1,min_samples=0", 1, `^$`,
			`20 to 1000000 requests \(classes.phone.rollouts\[1\].guard.min_samples\)`,
		},
		{"start phone/other --candidate v2 --guard latency=1", 2, `^$`, `--guard: "latency=1" is not LIMIT=NUMBER; limits are alpha, bytes`},
		{"start phone/other --candidate v2", 2, `^$`, `nobody would have it: --share, --plan`},
		{"start phone/other --candidate v2 --share NaN", 2, `^$`, `--share: NaN is not a number`},
		{"start phone/other --candidate v2 --share 1 --guard errors=1e999", 2, `^$`, `--guard: "errors=1e999" is not LIMIT=NUMBER`},
		{"start phone/other --candidate v2 --share 1 --guard hold", 1, `^$`, `has no limit.* \(classes.phone.rollouts\[1\].guard\)`},
		{"start phone/other --candidate v2 --slice x", 2, `^$`, `--slice: "x" is not FROM-TO`},
		{"start other --candidate v2", 2, `^$`, `named CLASS/NAME`},
		{"step phone/reviews-first --share 101", 1, `^$`, `0 to 100 percent, in steps of 0.01 \(classes.phone.rollouts\[0\].share\)`},
		{"step phone/none", 1, `^$`, `404 Not Found: there is no rollout "none" of "phone" \(rollout\)`},
		{"pause phone/reviews-first --reason lunch", 0, `paused .* lunch\n$`, `^$`},
		{"resume phone/reviews-first", 0, `running `, `^$`},
		{"resume phone/reviews-first", 1, `^$`, `reviews-first is running`},
		{"promote", 2, `^$`, `accepts 1 arg`},
		{"put nowhere --revision 1", 2, `^$`, `nowhere`},
		{"release phone/v2", 1, `^$`, `not in quarantine`},
	} {
		status, stdout, stderr := r.rollout(t, c.args)
		if status != c.status || !regexp.MustCompile(c.stdout).MatchString(stdout) || !regexp.MustCompile(c.stderr).MatchString(stderr) {
			t.Errorf("%s: exit status %d, want %d; stdout %q, want %q; stderr %q, want %q",
				c.args, status, c.status, stdout, c.stdout, stderr, c.stderr)
		}
	}
	if got := r.versions(t, 60); got["phone/v1"] < 12 || got["phone/v2"] < 12 {
		t.Errorf("at 50 %% they have %v", got)
	}
	r.must(t, "step phone/reviews-first")
	if got := r.versions(t, 20); got["phone/v2"] != 20 {
		t.Errorf("at 100 %% they have %v", got)
	}
	r.must(t, "abort phone/reviews-first --reason wrong")
	if got := r.versions(t, 20); got["phone/v1"] != 20 {
		t.Errorf("after the abort they have %v", got)
	}
	r.must(t, "restart phone/reviews-first --share 25")
	r.must(t, "promote phone/reviews-first")
	if got := r.versions(t, 20); got["phone/v2"] != 20 {
		t.Errorf("after the promotion they have %v", got)
	}
	r.must(t, "quarantine phone/v2 --reason broken")
	if got := r.versions(t, 20); got["phone/v1"] != 20 {
		t.Errorf("in quarantine they have %v", got)
	}
	r.must(t, "release phone/v2")
	history := r.must(t, "history")
	for i, what := range []string{"start", "pause", "resume", "step", "abort", "restart", "promote", "quarantine", "release"} {
		if !regexp.MustCompile(fmt.Sprintf(`(?m)^%d +\d{4}-.* alice +%s +phone`, i+1, what)).MatchString(history) {
			t.Errorf("the history has no %d: %s:\n%s", i+1, what, history)
		}
	}
}

// TestRolloutsOutliveTheProgram: whoever had a version has it after a kill, too.
func TestRolloutsOutliveTheProgram(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, "rollout: {file: rollouts.json}\n")
	r.must(t, "start phone/reviews-first --candidate v2 --share 50")
	had := map[int]string{}
	ask := func(n int) string {
		a := get(t, r.public+"/productdetails?productid=p-1042", "X-Device-Type", "phone", "X-User-Id", fmt.Sprint("u-", n))
		return a.header.Get("Facet-Adapter")
	}
	for n := range 40 {
		had[n] = ask(n)
	}
	for range 3 {
		if err := r.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-r.ended
		r = r.serve(t, filepath.Join(r.folder, "facet.yaml"))
		eventually(t, "the rollouts are known", func() bool { return strings.Contains(r.must(t, "status"), "at revision 1") })
		for n := range 40 {
			if got := ask(n); got != had[n] {
				t.Fatalf("the user %d had %s, and has %s", n, had[n], got)
			}
		}
	}
	if err := r.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-r.ended
	write(t, filepath.Join(r.folder, "rollouts.json"), `{"revision": 1, "classes": {"phone": {"rollouts": [{"shares": 1}]}}}`)
	if status, _, stderr := ended(t, "serve", "--config", filepath.Join(r.folder, "facet.yaml")); status != 2 ||
		!strings.Contains(stderr, "rollouts.json") || !strings.Contains(stderr, "classes.phone.rollouts[0].shares") {
		t.Errorf("a file that is no state: %d %s", status, stderr)
	}
}

// TestRolloutDocument is read, changed and put back, under its precondition.
func TestRolloutDocument(t *testing.T) {
	t.Parallel()
	r := newReleasing(t, "")
	r.must(t, "start phone/reviews-first --candidate v2 --share 1")
	read := get(t, r.admin+"/rollouts")
	if read.header.Get("ETag") != `"1"` || !strings.Contains(read.body, `"reviews-first"`) {
		t.Fatalf("it is %q %s", read.header.Get("ETag"), read.body)
	}
	put := func(body string, header ...string) answer {
		lines := append([]string{"Authorization", "Bearer " + r.token, "Content-Type", "application/json"}, header...)
		a, err := send(t, http.MethodPut, r.admin+"/rollouts", body, lines...)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	const one = "classes.phone.rollouts[0]."
	instead := func(old, now string) string { return strings.Replace(read.body, old, now, 1) }
	grown := instead(`"share": 1`, `"share": 7`)
	for _, c := range []struct {
		name, body string
		header     []string
		status     int
		field      string
	}{
		{"no precondition", grown, nil, http.StatusPreconditionRequired, "If-Match"},
		{"a stale one", grown, []string{"If-Match", `"0"`}, http.StatusPreconditionFailed, "If-Match"},
		{"any", grown, []string{"If-Match", "*"}, http.StatusBadRequest, "If-Match"},
		{"a weak one", grown, []string{"If-Match", `W/"1"`}, http.StatusBadRequest, "If-Match"},
		{"no number", grown, []string{"If-Match", `"x"`}, http.StatusBadRequest, "If-Match"},
		{"nothing", "", []string{"If-Match", `"1"`}, http.StatusBadRequest, "body"},
		{"no JSON", "{", []string{"If-Match", `"1"`}, http.StatusBadRequest, "body"},
		{"a share over 100", instead(`"share": 1`, `"share": 101`), []string{"If-Match", `"1"`}, http.StatusBadRequest, one + "share"},
		{"an unknown field", instead(`"share"`, `"shares"`), []string{"If-Match", `"1"`}, http.StatusBadRequest, one + "shares"},
		{"5 MiB", strings.Repeat(" ", 5<<20) + grown, []string{"If-Match", `"1"`}, http.StatusRequestEntityTooLarge, ""},
	} {
		got := put(c.body, c.header...)
		if got.status != c.status || c.field != "" && !strings.Contains(got.body, `"field": "`+c.field+`"`) {
			t.Errorf("%s: %d %s", c.name, got.status, got.body)
		}
		if now := get(t, r.admin+"/rollouts"); now.body != read.body {
			t.Errorf("%s: the document has changed: %s", c.name, now.body)
		}
	}
	got := put(grown, "If-Match", `"1"`)
	if got.status != http.StatusOK || got.header.Get("ETag") != `"2"` || !strings.Contains(got.body, `"share": 7`) {
		t.Errorf("%d %q %s", got.status, got.header.Get("ETag"), got.body)
	}
	name := filepath.Join(r.folder, "document.json")
	if err := os.WriteFile(name, []byte(r.must(t, "get")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := r.must(t, "put "+name+" --revision 2"); !strings.Contains(out, "7 %") {
		t.Errorf("put back it is %s", out)
	}
	if status, _, stderr := r.rollout(t, "put "+name+" --revision 2"); status != 1 || !strings.Contains(stderr, "412") {
		t.Errorf("put back twice: %d %s", status, stderr)
	}
}

// TestATestersToken gives its bearer a version that nobody else has.
func TestATestersToken(t *testing.T) {
	t.Parallel()
	key := file(t, "force.key", "0123456789abcdef0123456789abcdef\n")
	r := newReleasing(t, "rollout: {force_key: "+key+"}\n")
	status, token, stderr := ended(t, "rollout", "token", "phone/v2", "--key", key, "--who", "bob", "--for", "1h")
	if status != 0 {
		t.Fatal(stderr)
	}
	if got := r.versions(t, 3, "Facet-Force", strings.TrimSpace(token)); got["phone/v2"] != 3 {
		t.Errorf("with the token they have %v", got)
	}
	if got := r.versions(t, 3, "Facet-Force", "phone/v2"); got["phone/v1"] != 3 {
		t.Errorf("without a signature they have %v", got)
	}
	short := file(t, "short.key", "0123\n")
	for _, args := range [][]string{
		{"phone/v2", "--who", "bob"}, {"phone/v2", "--key", short, "--who", "bob"}, {"phone", "--key", key, "--who", "bob"},
		{"phone/v2", "--key", key, "--who", "b b"}, {"phone/v2", "--key", key, "--who", "bob", "--for", "800h"},
	} {
		if status, stdout, _ := ended(t, append([]string{"rollout", "token"}, args...)...); status != 2 || stdout != "" {
			t.Errorf("%v: %d %q", args, status, stdout)
		}
	}
	if status, _, stderr := ended(t, "check", file(t, "facet.yaml", "rollout: {force_key: "+short+"}\n"+emptyServices())); status != 2 ||
		!strings.Contains(stderr, "rollout.force_key: the key has 4 bytes") {
		t.Errorf("a short key: %d %s", status, stderr)
	}
}
