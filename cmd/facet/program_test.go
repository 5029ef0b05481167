package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything may take before a test gives up: the machine
// may be slow, and the program runs with the race detector.
const patience = 60 * time.Second

// program is the real one, started.
type program struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdout output
	stderr output
	ended  chan struct{}
}

// start runs the program until it ends, and at the latest until the test does.
func start(t *testing.T, args ...string) *program {
	t.Helper()
	p := &program{t: t, cmd: exec.Command(binary, args...), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // ProcessState tells how it ended
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // it has ended already, unless the test failed
		<-p.ended
		if t.Failed() {
			t.Logf("facet %s\nstdout:\n%s\nstderr:\n%s", strings.Join(args, " "), p.stdout.String(), p.stderr.String())
		}
	})
	return p
}

// announced returns the URL that the program prints after a name.
func (p *program) announced(name string) string {
	p.t.Helper()
	line := regexp.MustCompile(`(?m)^` + name + ` ([a-z]+://\S+)$`)
	var found []string
	eventually(p.t, "facet prints where "+name+" is", func() bool {
		found = line.FindStringSubmatch(p.stdout.String())
		select {
		case <-p.ended:
			p.t.Fatalf("facet ended before it printed where %s is", name)
		default:
		}
		return found != nil
	})
	return found[1]
}

func (p *program) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("signal: %v", err)
	}
}

// status waits for the end and returns the exit status, -1 after a signal.
func (p *program) status() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.t.Fatal("facet does not end")
	}
	return p.cmd.ProcessState.ExitCode()
}

// output collects what a program prints. Safe for concurrent use.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// eventually looks until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	end := time.After(patience)
	for !holds() {
		select {
		case <-look.C:
		case <-end:
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// file writes a file of this test and returns its name.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
