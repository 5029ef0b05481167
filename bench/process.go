package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// A program gets this long to say where it listens, and to end when told to.
const (
	patience = 15 * time.Second
	lookEach = 20 * time.Millisecond
)

// process is a program that this one started. Its output goes to a file, which
// costs no reader on the machine that is being measured.
type process struct {
	name string
	log  string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// start runs a program until stop, or the end of ctx.
func start(ctx context.Context, dir, name string, gogc int, program string, args ...string) (*process, error) {
	p := &process{name: name, log: filepath.Join(dir, name+".log"), done: make(chan struct{})}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	defer func() { _ = log.Close() }() // the program has its own copy
	p.cmd = exec.CommandContext(ctx, program, args...)
	p.cmd.Env = environment(os.Environ(), gogc)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = patience
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // how it ended shows in what it no longer does
	}()
	return p, nil
}

// environment gives every program the same collector setting and no other hint.
func environment(inherited []string, gogc int) []string {
	var env []string
	for _, pair := range inherited {
		name, _, _ := strings.Cut(pair, "=")
		if name != "GOGC" && name != "GOMEMLIMIT" && name != "GOMAXPROCS" && name != "GODEBUG" {
			env = append(env, pair)
		}
	}
	return append(env, fmt.Sprintf("GOGC=%d", gogc))
}

// pid is the process's own id.
func (p *process) pid() int { return p.cmd.Process.Pid }

// stop ends the process and waits until it has ended.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// announced waits for the line "<what> http://…" of the process's output.
func (p *process) announced(ctx context.Context, what string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	line := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(what) + `\s+(http://\S+)$`)
	look := time.NewTicker(lookEach)
	defer look.Stop()
	for {
		text, err := os.ReadFile(p.log)
		if err != nil {
			return "", fmt.Errorf("%s: %w", p.name, err)
		}
		if found := line.FindSubmatch(text); found != nil {
			return string(found[1]), nil
		}
		select {
		case <-look.C:
		case <-p.done:
			return "", fmt.Errorf("%s ended before it said %q:\n%s", p.name, what, p.lastWords())
		case <-ctx.Done():
			return "", fmt.Errorf("%s did not say %q: %w\n%s", p.name, what, context.Cause(ctx), p.lastWords())
		}
	}
}

// forget empties the output, so that a run of hours does not fill the disk.
func (p *process) forget() error {
	select {
	case <-p.done:
		return errors.New(p.name + " has ended")
	default:
		return os.Truncate(p.log, 0)
	}
}

// lastWords are read anew: a program says most just before it ends.
func (p *process) lastWords() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return tail(text)
}

func tail(text []byte) string {
	const most = 2000
	return string(text[max(0, len(text)-most):])
}
