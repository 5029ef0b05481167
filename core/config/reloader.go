package config

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Reloader holds the configuration in force, and exchanges it for what the file
// says by then: all of it or nothing. Safe for concurrent use.
type Reloader struct {
	load    func() (*Config, error)
	prepare func(*Config) (apply func(), err error)
	turn    chan struct{} // holds one while a reload runs

	mu      sync.Mutex
	current *Config
	status  ReloadStatus
	closed  bool
}

// ReloadStatus is what has become of the reloads so far.
type ReloadStatus struct {
	Reloads     uint64    `json:"reloads"`  // that put a file in force
	Failures    uint64    `json:"failures"` // that left the configuration as it was
	LastReload  time.Time `json:"last_reload,omitzero"`
	LastFailure time.Time `json:"last_failure,omitzero"`
	LastError   string    `json:"last_error,omitempty"` // of the last failure, and stays after a success
}

// Reloaded is what a reload has put in force.
type Reloaded struct {
	Changes  []Change `json:"changes"`            // none, if the file says what it said before
	Warnings []string `json:"warnings,omitempty"` // of the file
}

// Errors of a reload that was not tried.
var (
	ErrClosed = errors.New("the program is stopping: nothing is reloaded any more")
	ErrBusy   = errors.New("another reload is in progress")
)

// RestartError says which settings a file has changed that no reload changes.
type RestartError struct{ Changes []Change }

// Error returns a line for each of the first 50, such as
// "services.catalog.instances: needs a restart".
func (e *RestartError) Error() string {
	var lines []string
	for _, c := range e.Changes[:min(len(e.Changes), maxPrinted)] {
		lines = append(lines, c.Path+": needs a restart")
	}
	if more := len(e.Changes) - maxPrinted; more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(lines, "\n")
}

// NewReloader returns a reloader of the configuration in force. load reads the
// file anew; prepare checks all that a configuration comes to and returns what
// puts it in force, which cannot fail. Neither runs twice at a time.
func NewReloader(current *Config, load func() (*Config, error), prepare func(*Config) (apply func(), err error)) *Reloader {
	return &Reloader{load: load, prepare: prepare, turn: make(chan struct{}, 1), current: current}
}

// Reload reads the file and puts it in force. When it returns an error, nothing
// has changed: [Errors] of a bad file, a [*RestartError] of one that would need a
// restart, [ErrClosed] after Close, [ErrBusy] where ctx ended while another
// reload was in progress. Reloads take place one after the other; each reads the
// file when it is its turn. A panic of load, prepare or what puts in force counts
// as a failure, and goes on to the caller.
func (r *Reloader) Reload(ctx context.Context) (Reloaded, error) {
	select {
	case r.turn <- struct{}{}:
		defer func() { <-r.turn }()
	case <-ctx.Done():
		return Reloaded{}, r.failed(fmt.Errorf("%w: %w", ErrBusy, ctx.Err()))
	}
	defer r.panicked()
	after, changes, err := r.exchange()
	if err != nil {
		return Reloaded{}, r.failed(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.current = after
	r.status.Reloads++
	r.status.LastReload = time.Now()
	return Reloaded{Changes: append([]Change{}, changes...), Warnings: after.Warnings}, nil // a list in JSON, even without elements
}

// exchange puts in force what the file says, if nothing speaks against it.
func (r *Reloader) exchange() (after *Config, changes []Change, err error) {
	before, closed := r.now()
	if closed {
		return nil, nil, ErrClosed
	}
	if after, err = r.load(); err != nil {
		return nil, nil, err
	}
	changes, restart := Diff(before, after)
	if len(restart) > 0 {
		return nil, nil, &RestartError{restart}
	}
	apply, err := r.prepare(after)
	if err != nil {
		return nil, nil, err
	}
	apply()
	return after, changes, nil
}

// panicked counts a reload that ends by a panic, which goes on.
func (r *Reloader) panicked() {
	if v := recover(); v != nil {
		_ = r.failed(fmt.Errorf("a defect: %v", v)) // who recovers tells where
		panic(v)
	}
}

func (r *Reloader) failed(err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status.Failures++
	r.status.LastFailure, r.status.LastError = time.Now(), err.Error()
	return err
}

func (r *Reloader) now() (current *Config, closed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current, r.closed
}

// InForce returns the configuration in force, and what had become of the reloads
// by then.
func (r *Reloader) InForce() (*Config, ReloadStatus) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current, r.status
}

// Close refuses every reload that has not begun.
func (r *Reloader) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
}
