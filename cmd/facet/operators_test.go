package main_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// newToken makes a token with the program, as an operator does.
func newToken(t *testing.T, name string) (token, line string) {
	t.Helper()
	status, stdout, stderr := ended(t, "token", name)
	told := regexp.MustCompile(`^token (facet_\S{43})\nline (` + name + ` sha256:[0-9a-f]{64})\n$`).FindStringSubmatch(stdout)
	if status != 0 || told == nil {
		t.Fatalf("%d %q %q", status, stdout, stderr)
	}
	return told[1], told[2]
}

// guarded is a gateway whose services are nowhere, with one operator.
type guarded struct {
	*program
	admin     string
	audit     string // its file
	tokenFile string
	token     string
}

func newGuarded(t *testing.T) guarded {
	t.Helper()
	token, line := newToken(t, "alice")
	const section = "operators: {tokens: operators.txt, audit: audit.log, hosts: [gateway.internal]}\nlog: {level: error}\n"
	config := file(t, "facet.yaml", section+emptyServices())
	folder := filepath.Dir(config)
	write(t, filepath.Join(folder, "operators.txt"), "# who may\n"+line+"\n")
	if status, stdout, stderr := ended(t, "check", config); status != 0 || !strings.Contains(stdout, ": ok\n") {
		t.Fatalf("check: %d %q %q", status, stdout, stderr)
	}
	g := guarded{audit: filepath.Join(folder, "audit.log"), tokenFile: file(t, "token", token+"\n"), token: token}
	if _, err := os.Stat(g.audit); err == nil {
		t.Error("check made the file of the audit")
	}
	g.program = start(t, "serve", "--config", config)
	g.admin = g.announced("admin")
	return g
}

// circuits runs the command with the operator's token.
func (g guarded) circuits(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	return ended(t, append([]string{"circuits", "--admin", g.admin, "--token-file", g.tokenFile}, args...)...)
}

// TestCircuitsByHand forces, lists and releases circuits of a running gateway.
func TestCircuitsByHand(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	for _, c := range []struct {
		args   string
		status int
		stdout string // matches
		stderr string // matches
	}{
		{"", 0, `(?m)^cart\.cart +closed +opened 0 times *$`, `^$`},
		{"open reviews.reviews --for 5m", 0, `^reviews\.reviews +forced_open +opened 0 times +until \d{4}-`, `^$`},
		{"list", 0, `(?m)^reviews\.reviews +forced_open .* until `, `^$`},
		{"close reviews.reviews", 0, `^reviews\.reviews +forced_closed +opened 0 times *\n$`, `^$`},
		{"release reviews.reviews", 0, `^reviews\.reviews +closed `, `^$`},
		{"open no.such", 1, `^$`, `^facet: 404 Not Found: there is no command no.such; /commands lists them \(command\)`},
		{"release ../audit", 1, `^$`, `^facet: 404 Not Found: there is no command`},
		{"open reviews.reviews --for 25h", 1, `^$`, `^facet: 400 Bad Request: must be over 0s and at most 24h \(for\)`},
		{"open reviews.reviews --for 0s", 1, `^$`, `\(for\)`},
		{"open reviews.reviews --for soon", 2, `^$`, `invalid argument "soon"`},
		{"open", 2, `^$`, `accepts 1 arg`},
		{"ajar reviews.reviews", 2, `^$`, `unknown command "ajar"`},
		{"open reviews.reviews --token x", 2, `^$`, `unknown flag: --token\n`},
	} {
		status, stdout, stderr := g.circuits(t, strings.Fields(c.args)...)
		if status != c.status || !regexp.MustCompile(c.stdout).MatchString(stdout) || !regexp.MustCompile(c.stderr).MatchString(stderr) {
			t.Errorf("%s: exit status %d, want %d; stdout %q, want %q; stderr %q, want %q",
				c.args, status, c.status, stdout, c.stdout, stderr, c.stderr)
		}
	}
	g.checkAudit(t)
}

// checkAudit reads what TestCircuitsByHand has left, after the end.
func (g guarded) checkAudit(t *testing.T) {
	t.Helper()
	g.signal(syscall.SIGTERM)
	if status := g.status(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	info, err := os.Stat(g.audit)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("the mode of the audit is %o", mode)
	}
	text, err := os.ReadFile(g.audit)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	const first = `"audit":true,"who":"alice","from":"127\.0\.0\.1:\d+","method":"PUT","path":"/circuits/reviews\.reviews",` +
		`"change":"\{\\"state\\":\\"open\\",\\"for\\":\\"5m0s\\"\}","status":200,"detail":"","unlogged":0\}$`
	if len(lines) != 7 || !regexp.MustCompile(first).MatchString(lines[0]) {
		t.Errorf("%d lines in the audit, want 7:\n%s", len(lines), text)
	}
	if all := string(text) + g.stdout.String() + g.stderr.String(); strings.Contains(all, g.token) {
		t.Error("the token is told")
	}
}

// TestTokensOfTheCommandLine: from a file or the environment, and never a bad one.
func TestTokensOfTheCommandLine(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	open := []string{"circuits", "open", "reviews.reviews", "--admin", g.admin}
	readable := file(t, "readable", g.token)
	if err := os.Chmod(readable, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		env    string
		args   []string
		status int
		output string // holds
	}{
		{"environment", g.token, nil, 0, "forced_open"},
		{"file before environment", "wrong", []string{"--token-file", g.tokenFile}, 0, "forced_open"},
		{"none", "", nil, 2, "a change needs a token: --token-file FILE, or FACET_TOKEN"},
		{"wrong", "facet_wrong", nil, 1, "401 Unauthorized: the token is nobody's"},
		{"line break", "x\ny", nil, 1, "invalid header field value"},
		{"no file", "", []string{"--token-file", "nowhere"}, 2, "--token-file: open nowhere: "},
		{"file of others", "", []string{"--token-file", readable}, 2, "others can read " + readable},
		{"file of two words", "", []string{"--token-file", file(t, "two", "a b")}, 2, "does not hold one token"},
		{"no port", g.token, []string{"--admin", "127.0.0.1:8081"}, 2, "--admin: must be of the form http://HOST:PORT"},
		{"no gateway", g.token, []string{"--admin", "http://127.0.0.1:1"}, 1, "connection refused"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cmd := exec.Command(binary, append(open, c.args...)...)
			cmd.Env = append(os.Environ(), "FACET_TOKEN="+c.env)
			output, _ := cmd.CombinedOutput() // its status is checked
			if status := cmd.ProcessState.ExitCode(); status != c.status || !strings.Contains(string(output), c.output) {
				t.Errorf("exit status %d, want %d; %s, want %q", status, c.status, output, c.output)
			}
			if strings.Contains(string(output), g.token) {
				t.Error("the token is told")
			}
		})
	}
}

// TestGuardOfTheProgram: the names that the configuration gives are known, and
// others are not.
func TestGuardOfTheProgram(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	for host, want := range map[string]int{"gateway.internal": 200, "evil.example": 403, "127.0.0.1": 200} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.admin+"/healthz", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s: %d, want %d", host, response.StatusCode, want)
		}
	}
}

// TestBadTokenFilesStopTheStart: with file and line, for check as for serve.
func TestBadTokenFilesStopTheStart(t *testing.T) {
	t.Parallel()
	_, line := newToken(t, "alice")
	for _, c := range []struct {
		name, text string
		mode       os.FileMode
		stderr     string // after the file's name
	}{
		{"bad name", line + "\nBob sha256:00\n", 0o600, `:2: name: "Bob" is none; allowed: a-z, then`},
		{"twice", line + "\n" + line, 0o600, `:2: name: "alice" is there twice, first on line 1`},
		{"others write", line, 0o666, ": file: others than its owner may write it (mode 0666)"},
	} {
		config := file(t, "facet.yaml", "operators: {tokens: operators.txt}\n"+emptyServices())
		tokens := filepath.Join(filepath.Dir(config), "operators.txt")
		write(t, tokens, c.text)
		if err := os.Chmod(tokens, c.mode); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"check", config}, {"serve", "--config", config}} {
			if status, _, stderr := ended(t, args...); status != 2 || !strings.HasPrefix(stderr, tokens+c.stderr) {
				t.Errorf("%s, %s: exit status %d, stderr %q, want %q", args[0], c.name, status, stderr, c.stderr)
			}
		}
	}
	for section, want := range map[string]string{
		"{tokens: nowhere.txt}":          "facet.yaml:1:21: operators.tokens: read the tokens: open ",
		"{audit: nowhere/audit.log}":     "facet.yaml:1:20: operators.audit: there is no folder ",
		"{audit: .}":                     "is no regular file",
		"{tokens: .}":                    "file: is no regular file",
		`{hosts: ["http://gateway"]}`:    `operators.hosts[0]: "http://gateway" is not a host's name`,
		"{tokens: operators.txt, to: 1}": "operators.to: unknown field",
	} {
		config := file(t, "facet.yaml", "operators: "+section+"\n"+emptyServices())
		if status, _, stderr := ended(t, "check", config); status != 2 || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit status %d, stderr %q, want %q", section, status, stderr, want)
		}
	}
}

// TestDemoHasAnOperator: the lines that it prints force a circuit, and nobody can
// without their token.
func TestDemoHasAnOperator(t *testing.T) {
	t.Parallel()
	p, gateway, _ := demo(t)
	admin := p.announced("admin")
	eventually(t, "the last line", func() bool { return strings.HasSuffix(p.stdout.String(), "Ctrl-C stops it.\n") })
	token := regexp.MustCompile(`curl -X PUT -H 'Authorization: Bearer (\S+)' `).FindStringSubmatch(p.stdout.String())
	if token == nil {
		t.Fatal("no token is printed")
	}
	whole(t, gateway, "phone", "p-1042")
	const path, text = "/circuits/reviews.reviews", `{"state": "open", "for": "1m"}`
	for _, credential := range []string{"", "Bearer facet_x"} {
		a, err := send(t, http.MethodPut, admin+path, text, "Content-Type", "application/json", "Authorization", credential)
		if err != nil || a.status != 401 || !strings.HasPrefix(a.header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%q: %d %s %v", credential, a.status, a.body, err)
		}
	}
	a, err := send(t, http.MethodPut, admin+path, text, "Content-Type", "application/json", "Authorization", "Bearer "+token[1])
	if err != nil || a.status != 200 {
		t.Fatalf("%d %s %v", a.status, a.body, err)
	}
	open := regexp.MustCompile(`reviews=(stale;.*|missing;)reason=open`)
	if parts := page(t, gateway, "phone", "p-1042").header.Get("Facet-Parts"); !open.MatchString(parts) {
		t.Errorf("parts %q with reviews forced open", parts)
	}
	if trail := get(t, admin+"/audit").body; strings.Count(trail, `"who": "demo"`) != 1 || strings.Contains(trail, token[1]) {
		t.Errorf("the audit: %s", trail)
	}
	if log := p.stderr.String(); strings.Contains(log, token[1]) {
		t.Error("the log has the token")
	}
}

// reload asks the private port to read the file again, with a token unless it is empty.
func (g guarded) reload(t *testing.T, token string) answer {
	t.Helper()
	var headers []string
	if token != "" {
		headers = []string{"Authorization", "Bearer " + token}
	}
	a, err := send(t, http.MethodPost, g.admin+"/reload", "", headers...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestReloadByHand: also of who may change something.
func TestReloadByHand(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	if a := g.reload(t, ""); a.status != http.StatusUnauthorized {
		t.Errorf("without a token: %d", a.status)
	}
	if a := g.reload(t, g.token); a.status != http.StatusOK || !strings.Contains(a.body, `"changes": []`) {
		t.Errorf("%d %s", a.status, a.body)
	}
	other, line := newToken(t, "bob")
	write(t, filepath.Join(filepath.Dir(g.audit), "operators.txt"), line+"\n")
	if a := g.reload(t, other); a.status != http.StatusUnauthorized {
		t.Errorf("bob before the file is read again: %d", a.status)
	}
	if a := g.reload(t, g.token); a.status != http.StatusOK {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := g.reload(t, g.token); a.status != http.StatusUnauthorized {
		t.Errorf("alice, who is not in the file any more: %d", a.status)
	}
	write(t, filepath.Join(filepath.Dir(g.audit), "facet.yaml"), "listen: nowhere\n")
	if a := g.reload(t, other); a.status != http.StatusBadRequest || !strings.Contains(a.body, "facet.yaml:1:9: listen: ") {
		t.Errorf("%d %s", a.status, a.body)
	}
	audit, err := os.ReadFile(g.audit)
	if err != nil || strings.Count(string(audit), `"who":"alice"`) != 2 || strings.Count(string(audit), `"who":"bob"`) != 1 {
		t.Errorf("%v: %s", err, audit)
	}
}
