// Package process runs the programs that a benchmark measures or hurts: it learns from
// their output where they listen, keeps that output for their last words, and ends
// them, and nothing else, by their process id.
package process

import (
	"bytes"
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

// Process is a program that this one started. Its output goes to a file, which
// costs no reader on the machine that is being measured. Safe for concurrent use.
type Process struct {
	Name string

	log  string
	cmd  *exec.Cmd
	done chan struct{} // closed when it has ended
}

// Start runs a program until [Process.Stop], or the end of ctx. Its output goes to a
// file of its name in dir, its collector runs with GOGC=gogc.
func Start(ctx context.Context, dir, name string, gogc int, program string, args ...string) (*Process, error) {
	p := &Process{Name: name, log: filepath.Join(dir, name+".log"), done: make(chan struct{})}
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

// PID is the process's own id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Stop ends the process and waits until it has ended: 15 s, then it is killed.
func (p *Process) Stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// Announced waits up to 15 s for the line "<what> SCHEME://…" of the process's output.
func (p *Process) Announced(ctx context.Context, what string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	line := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(what) + `\s+([a-z]+://\S+)$`)
	look := time.NewTicker(lookEach)
	defer look.Stop()
	for {
		text, err := os.ReadFile(p.log)
		if err != nil {
			return "", fmt.Errorf("%s: %w", p.Name, err)
		}
		if found := line.FindSubmatch(text); found != nil {
			return string(found[1]), nil
		}
		select {
		case <-look.C:
		case <-p.done:
			return "", fmt.Errorf("%s ended before it said %q:\n%s", p.Name, what, p.LastWords())
		case <-ctx.Done():
			return "", fmt.Errorf("%s did not say %q: %w\n%s", p.Name, what, context.Cause(ctx), p.LastWords())
		}
	}
}

// Forget empties the output, so that a run of hours does not fill the disk.
func (p *Process) Forget() error {
	select {
	case <-p.done:
		return errors.New(p.Name + " has ended")
	default:
		return os.Truncate(p.log, 0)
	}
}

// Count returns how often the output holds a text.
func (p *Process) Count(text string) (int, error) {
	all, err := os.ReadFile(p.log)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", p.Name, err)
	}
	return bytes.Count(all, []byte(text)), nil
}

// Signal sends the process a signal.
func (p *Process) Signal(s os.Signal) error {
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	return nil
}

// LastWords is the end of the output. It is read anew: a program says most just before it ends.
func (p *Process) LastWords() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return Tail(text)
}

// Tail is the end of a text, 2,000 bytes at most.
func Tail(text []byte) string {
	const most = 2000
	return string(text[max(0, len(text)-most):])
}
