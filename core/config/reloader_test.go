package config_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/config"
)

// stand is a reloader whose file the test writes, and what it has put in force.
type stand struct {
	*config.Reloader
	file    atomic.Pointer[string]
	prepare error
	applied atomic.Pointer[config.Config]
}

func newStand(t *testing.T) *stand {
	t.Helper()
	s := &stand{}
	first := parse(t, base)
	s.applied.Store(first)
	s.write(base)
	s.Reloader = config.NewReloader(first,
		func() (*config.Config, error) { return config.Parse("facet.yaml", []byte(*s.file.Load()), known()) },
		func(c *config.Config) (func(), error) {
			if s.prepare != nil {
				return nil, s.prepare
			}
			return func() { s.applied.Store(c) }, nil
		})
	return s
}

// Config and Status are each half of what is in force.
func (s *stand) Config() *config.Config      { c, _ := s.InForce(); return c }
func (s *stand) Status() config.ReloadStatus { return status(s.Reloader) }

func status(r *config.Reloader) config.ReloadStatus {
	_, status := r.InForce()
	return status
}

func (s *stand) write(text string) { s.file.Store(&text) }

func TestReload(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	began := time.Now()
	steps := []struct {
		file    string
		changes []string
		err     string // "": none
	}{
		{base, nil, ""},
		{base + "pages: {home: {budget: 1s}}\n", []string{"pages.home.budget: 800ms -> 1s"}, ""},
		{base + "pages: {home: {budget: 1}}\n", nil, `facet.yaml:6:24: pages.home.budget: missing unit after "1"`},
		{base + "listen: 127.0.0.1:0\npages: {home: {budget: 2s}}\n", nil, "listen: needs a restart"},
		{base + "pages: {home: {budget: 2s}}\n", []string{"pages.home.budget: 1s -> 2s"}, ""},
		{base, []string{"pages.home.budget: 2s -> 800ms"}, ""},
	}
	var want config.ReloadStatus
	for i, step := range steps {
		before := s.Config()
		s.write(step.file)
		got, err := s.Reload(t.Context())
		if step.err == "" {
			want.Reloads++
			if err != nil || strings.Join(texts(got.Changes), "\n") != strings.Join(step.changes, "\n") || got.Changes == nil {
				t.Errorf("step %d: %v, %v", i, got, err)
			}
		} else {
			want.Failures++
			if err == nil || !strings.HasPrefix(err.Error(), step.err) || s.Config() != before {
				t.Errorf("step %d: %v, want %s and nothing changed", i, err, step.err)
			}
		}
		if s.applied.Load() != s.Config() {
			t.Errorf("step %d: what is told to be in force is not what was applied", i)
		}
		status := s.Status()
		if status.Reloads != want.Reloads || status.Failures != want.Failures || (err != nil && status.LastError != err.Error()) {
			t.Errorf("step %d: %+v", i, status)
		}
		last := status.LastReload
		if err != nil {
			last = status.LastFailure
		}
		if last.Before(began) || last.After(time.Now()) {
			t.Errorf("step %d: it was at %v", i, last)
		}
	}
	if status := s.Status(); !strings.HasPrefix(status.LastError, "listen: needs") {
		t.Errorf("the last error is gone after a success: %+v", status)
	}
}

func TestReloadThatCannotBePrepared(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	before := s.Config()
	s.prepare = errors.New("no adapter answers")
	s.write(base + "pages: {home: {budget: 1s}}\n")
	if _, err := s.Reload(t.Context()); !errors.Is(err, s.prepare) || s.Config() != before || s.applied.Load() != before {
		t.Errorf("%v", err)
	}
	s.prepare = nil
	if got, err := s.Reload(t.Context()); err != nil || len(got.Changes) != 1 {
		t.Errorf("after it: %v, %v", got, err)
	}
}

// TestReloadTellsOfWarnings: what is hardly meant is told as at the start.
func TestReloadTellsOfWarnings(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	s.write(base + "pages: {home: {budget: 9m}, productdetails: {budget: 9m}}\n")
	got, err := s.Reload(t.Context())
	if err != nil || len(got.Warnings) != 1 || !strings.HasPrefix(got.Warnings[0], "server.write_timeout") {
		t.Errorf("%v, %v", got, err)
	}
}

// TestReloadsTakeTurns: no two at a time, whoever waits waits no longer than its
// context, and each reads the file when it is its turn.
func TestReloadsTakeTurns(t *testing.T) {
	t.Parallel()
	var inside, over atomic.Int64
	begun, goOn := make(chan struct{}), make(chan struct{})
	c := parse(t, base)
	r := config.NewReloader(c, func() (*config.Config, error) {
		if inside.Add(1) > 1 {
			over.Add(1)
		}
		begun <- struct{}{}
		<-goOn
		return c, nil
	}, func(*config.Config) (func(), error) { return func() { inside.Add(-1) }, nil })
	var all sync.WaitGroup
	var succeeded atomic.Int64
	for range 8 {
		all.Go(func() {
			if _, err := r.Reload(t.Context()); err == nil {
				succeeded.Add(1)
			}
		})
	}
	<-begun
	hurried, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := r.Reload(hurried); !errors.Is(err, config.ErrBusy) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("who does not wait for its turn: %v", err)
	}
	for range 7 {
		goOn <- struct{}{}
		<-begun
	}
	goOn <- struct{}{}
	all.Wait()
	if succeeded.Load() != 8 || over.Load() != 0 || status(r).Reloads != 8 || status(r).Failures != 1 {
		t.Errorf("%d succeeded, %d at a time with another, %+v", succeeded.Load(), over.Load(), status(r))
	}
}

func TestClosedReloaderRefuses(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	before := s.Config()
	s.write(base + "pages: {home: {budget: 1s}}\n")
	s.Close()
	if _, err := s.Reload(t.Context()); !errors.Is(err, config.ErrClosed) || s.Config() != before {
		t.Errorf("%v", err)
	}
	if status := s.Status(); status.Failures != 1 || status.LastError == "" {
		t.Errorf("%+v", status)
	}
}

// TestReloadThatPanics, wherever it does: it is counted, the defect is the caller's
// to tell of, and the next one is not kept waiting for ever.
func TestReloadThatPanics(t *testing.T) {
	t.Parallel()
	c := parse(t, base)
	for _, place := range []string{"load", "prepare", "apply"} {
		broken := place
		at := func(here string) {
			if here == broken {
				panic("a defect of " + here)
			}
		}
		r := config.NewReloader(c,
			func() (*config.Config, error) { at("load"); return c, nil },
			func(*config.Config) (func(), error) { at("prepare"); return func() { at("apply") }, nil })
		func() {
			defer func() {
				if v := recover(); v != "a defect of "+place {
					t.Errorf("%s: the panic was kept from the caller: %v", place, v)
				}
			}()
			_, _ = r.Reload(t.Context())
		}()
		if s := status(r); s.Failures != 1 || s.Reloads != 0 || s.LastError != "a defect: a defect of "+place || s.LastFailure.IsZero() {
			t.Errorf("%s: %+v", place, s)
		}
		broken = ""
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := r.Reload(ctx); err != nil || status(r).Reloads != 1 || status(r).Failures != 1 {
			t.Errorf("%s: after it %v, %+v", place, err, status(r))
		}
	}
}

func TestRestartErrorIsBounded(t *testing.T) {
	t.Parallel()
	e := &config.RestartError{}
	for range 1000 {
		e.Changes = append(e.Changes, config.Change{Path: "listen"})
	}
	lines := strings.Split(e.Error(), "\n")
	if len(lines) != 51 || lines[0] != "listen: needs a restart" || lines[50] != "and 950 more" {
		t.Errorf("%d lines, %q", len(lines), lines)
	}
}

// TestInForceIsOfOneMoment: nobody reads the settings of one reload with the
// count of another.
func TestInForceIsOfOneMoment(t *testing.T) {
	t.Parallel()
	s := newStand(t)
	files := []string{base, base + "pages: {home: {budget: 1s}}\n"} // after an even and an odd number of reloads
	var over atomic.Bool
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for !over.Load() {
				c, status := s.InForce()
				if odd := c.Pages["home"].Budget == time.Second; odd != (status.Reloads%2 == 1) {
					t.Errorf("a budget of %v after %d reloads", c.Pages["home"].Budget, status.Reloads)
					return
				}
			}
		})
	}
	for i := range 50 {
		s.write(files[(i+1)%2])
		if _, err := s.Reload(t.Context()); err != nil {
			t.Error(err)
		}
	}
	over.Store(true)
	readers.Wait()
}
