package main_test

import (
	"net"
	"regexp"
	"strings"
	"testing"
)

// ended runs the program to its end.
func ended(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	p := start(t, args...)
	status = p.status()
	return status, p.stdout.String(), p.stderr.String()
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	cases := []struct {
		args   string
		status int
		stdout string // matches
		stderr string // matches
	}{
		{"", 0, `(?s)Signals:.*Exit status:.*Examples:.*  facet demo\n.*serve .*simulate `, `^$`},
		{"--help", 0, `GOGC`, `^$`},
		{"demo --help", 0, `facet demo --fault reviews=hang`, `^$`},
		{"version", 0, `^facet \S+ go1\.\S+ \w+/\w+\n$`, `^$`},
		{"device --help", 0, `facet device --config facet.yaml 'X-Device-Type: tv'`, `^$`},
		{"bogus", 2, `^$`, `^facet: unknown command "bogus" for "facet"\nRun 'facet --help'`},
		{"demo --bogus", 2, `^$`, `^facet: unknown flag: --bogus\nRun 'facet demo --help'`},
		{"demo extra", 2, `^$`, `unknown command "extra"`},
		{"demo --listen 8080", 2, `^$`, `must be of the form HOST:PORT`},
		{"demo --listen :65536", 2, `^$`, `must be of the form HOST:PORT`},
		{"demo --listen no/host:0", 2, `^$`, `listen: "no/host:0" is not an address`},
		{"demo --fault reviews", 2, `^$`, `must be of the form SERVICE=FAULT`},
		{"demo --fault reviews=hank", 2, `^$`, `hank: there is no such field`},
		{"demo --fault nobody=hang", 2, `^$`, `there is no service "nobody"`},
		{"simulate --fault nobody=hang", 2, `^$`, `there is no service "nobody"`},
		{"simulate --listen 127.0.0.1:65530", 2, `^$`, `not enough ports`},
		{"serve", 2, `^$`, `required flag\(s\) "config" not set`},
		{"serve --config nowhere.yaml", 2, `^$`, `^facet: read the configuration: open nowhere.yaml: `},
		{"openapi", 2, `^$`, `required flag\(s\) "device" not set`},
		{"openapi --device watch", 2, `^$`, `^facet: device: there is no class "watch"; there are tv, phone, tablet\nRun 'facet openapi --help'`},
		{"openapi --device phone --version v3", 2, `^$`, `^facet: version: phone has no "v3"; there are v1, v2\n`},
		{"openapi --device phone --config nowhere.yaml", 2, `^$`, `open nowhere.yaml: `},
		{"diff one.json", 2, `^$`, `accepts 2 arg`},
		{"diff one.json two.json", 2, `^$`, `^facet: open one.json: .*\nopen two.json: .*\n$`},
		{"token alice", 0, `^token facet_\S{43}\nline alice sha256:[0-9a-f]{64}\n$`, `^$`},
		{"token Alice", 2, `^$`, `^facet: the name must be a-z, then at most 31 of a-z, 0-9, _ and -\n`},
		{"token", 2, `^$`, `accepts 1 arg`},
		{"circuits --help", 0, `FACET_TOKEN`, `^$`},
		{"check", 2, `^$`, `accepts 1 arg`},
		{"check nowhere.yaml", 2, `^$`, `open nowhere.yaml: `},
	}
	for _, c := range cases {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := ended(t, strings.Fields(c.args)...)
			if status != c.status {
				t.Errorf("exit status %d, want %d", status, c.status)
			}
			if !regexp.MustCompile(c.stdout).MatchString(stdout) || !regexp.MustCompile(c.stderr).MatchString(stderr) {
				t.Errorf("stdout %q, want %q; stderr %q, want %q", stdout, c.stdout, stderr, c.stderr)
			}
		})
	}
}

// exampleOfHelp is the file in the help of check, as a reader would copy it.
func exampleOfHelp(t *testing.T) string {
	t.Helper()
	_, help, _ := ended(t, "check", "--help")
	_, text, found := strings.Cut(help, "This is a whole one:\n\n")
	text, _, ends := strings.Cut(text, "\n\n")
	if !found || !ends {
		t.Fatalf("the help shows no file: %s", help)
	}
	return strings.ReplaceAll(text, "\n  ", "\n")[2:] + "\n"
}

func TestCheck(t *testing.T) {
	t.Parallel()
	good := exampleOfHelp(t)
	cases := []struct {
		name, text string
		status     int
		stdout     string // after FILE, a line each
		stderr     string // after FILE
	}{
		{"good", good, 0, ": ok\n", ""},
		{"warned", strings.Replace(good, "timeout: 250ms", "timeout: 900ms", 1), 0,
			": ok\nFILE: warning: services.catalog.commands.product.timeout: 900ms is longer than", ""},
		{"unknown field", strings.Replace(good, "admin:", "amdin:", 1), 2, "", `:2:1: amdin: unknown field, did you mean "admin"?`},
		{"missing unit", strings.Replace(good, "250ms", "250", 1), 2, "", ":10:26: services.catalog.commands.product.timeout: missing unit"},
		{"unknown service", good + "  stock:\n    instances: [http://127.0.0.1:1]\n", 2, "", ":27:3: services.stock: unknown service"},
		{"later mode", strings.Replace(good, "mode: none", "mode: jwt", 1), 2, "", ":3:14: auth.mode: "},
		{"empty", "", 2, "", ":1:1: "},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			name := file(t, "facet.yaml", c.text)
			for _, args := range [][]string{{"check", name}, {"serve", "--config", name}} {
				if args[0] == "serve" && c.status == 0 {
					continue // it would
				}
				status, stdout, stderr := ended(t, args...)
				if status != c.status {
					t.Errorf("%s: exit status %d, want %d", args[0], status, c.status)
				}
				if !strings.HasPrefix(strings.ReplaceAll(stdout, name, "FILE"), prefixed("FILE", c.stdout)) {
					t.Errorf("%s: stdout %q, want %q", args[0], stdout, c.stdout)
				}
				if !strings.HasPrefix(stderr, prefixed(name, c.stderr)) {
					t.Errorf("%s: stderr %q, want %q", args[0], stderr, c.stderr)
				}
			}
		})
	}
}

// TestCheckOfTheFullConfig takes the file that the README points to.
func TestCheckOfTheFullConfig(t *testing.T) {
	t.Parallel()
	const name = "../../core/config/testdata/full.yaml"
	if status, stdout, stderr := ended(t, "check", name); status != 0 || stdout != name+": ok\n" || stderr != "" {
		t.Errorf("exit status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}

// prefixed is nothing where nothing is expected.
func prefixed(name, text string) string {
	if text == "" {
		return ""
	}
	return name + text
}

func TestAddressInUseIsAFailure(t *testing.T) {
	t.Parallel()
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }() // nobody connected
	for _, args := range [][]string{
		{"demo", "--listen", taken.Addr().String(), "--admin", ":0"},
		{"demo", "--admin", taken.Addr().String(), "--listen", ":0"},
		{"simulate", "--control", taken.Addr().String()},
	} {
		if status, _, stderr := ended(t, args...); status != 1 || !strings.Contains(stderr, "address already in use") {
			t.Errorf("%v: exit status %d, want 1; stderr %q", args, status, stderr)
		}
	}
}

// TestCheckConnectsToNothing, not even to the cache: it may be run anywhere.
func TestCheckConnectsToNothing(t *testing.T) {
	t.Parallel()
	there, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	came := make(chan bool)
	go func() {
		_, err := there.Accept()
		came <- err == nil
	}()
	address := there.Addr().String()
	text := regexp.MustCompile(`127\.0\.0\.1:90\d\d`).ReplaceAllString(exampleOfHelp(t), address) +
		"cache: {redis: \"redis://" + address + "\"}\n"
	if status, stdout, stderr := ended(t, "check", file(t, "facet.yaml", text)); status != 0 || stderr != "" {
		t.Errorf("exit status %d: %s %s", status, stdout, stderr)
	}
	_ = there.Close()
	if <-came {
		t.Error("it connects")
	}
}
