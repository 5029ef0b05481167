package discovery_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/fault"
)

// script is a resolver that does what a test says, one thing after the other.
type script chan func(told func([]discovery.Instance), failed func(error))

func (s script) Watch(ctx context.Context, told func([]discovery.Instance), failed func(error)) {
	for {
		select {
		case do := <-s:
			do(told, failed)
		case <-ctx.Done():
			return
		}
	}
}

func (script) String() string { return "a script" }

func (s script) tell(addresses ...string) {
	list := make([]discovery.Instance, len(addresses))
	for n, a := range addresses {
		list[n].Address = a
	}
	s <- func(told func([]discovery.Instance), _ func(error)) { told(list) }
}

func (s script) fail(err error) {
	s <- func(_ func([]discovery.Instance), failed func(error)) { failed(err) }
}

// settled waits until all that was said before has been done.
func (s script) settled() { s <- func(func([]discovery.Instance), func(error)) {} }

// safeBuffer is a log that is read while it is written.
type safeBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *safeBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(text)
}

func (b *safeBuffer) count(part string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.String(), part)
}

type followed struct {
	*discovery.Follower
	script
	log safeBuffer

	mu      sync.Mutex
	changes []string
	panics  bool
}

func follow(t *testing.T) *followed {
	t.Helper()
	f := &followed{script: make(script)}
	f.Follower = discovery.Follow(discovery.Options{
		Service: "catalog", Resolver: f.script, Log: slog.New(slog.NewTextHandler(&f.log, nil)),
		Changed: func(list []discovery.Instance) {
			f.mu.Lock()
			defer f.mu.Unlock()
			if f.panics {
				f.panics = false
				panic("a defect")
			}
			f.changes = append(f.changes, addresses(list))
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { f.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return f
}

func (f *followed) changed() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.changes, ", ")
}

// TestFollowerKeepsTheLastKnownGood: nothing but a list that has something in it
// changes what is there.
func TestFollowerKeepsTheLastKnownGood(t *testing.T) {
	t.Parallel()
	f := follow(t)
	if s := f.Status(); s.Changes != 0 || !s.Stale || len(s.Instances) != 0 || !s.Since.IsZero() {
		t.Errorf("before all: %+v", s)
	}
	f.tell("a:1", "b:2")
	f.Await(t.Context())
	first := f.Status()
	if first.Stale || first.Error != "" || first.Changes != 1 || addresses(first.Instances) != "a:1 b:2" || first.Since.IsZero() {
		t.Errorf("after a list: %+v", first)
	}
	f.Status().Instances[0].Address = "z:9"
	for _, row := range []struct {
		do    func()
		part  string
		stale bool
	}{
		{func() { f.fail(errors.New("gone")) }, "gone", true},
		{func() { f.tell() }, "knows no instance", true},
		{func() { f.fail(fault.New(fault.BadAnswer, "rubbish")) }, "rubbish", true},
		{func() { f.tell("a:1", "b:2") }, "", false},
	} {
		row.do()
		row.do() // a second time it is no news
		f.settled()
		s := f.Status()
		if addresses(s.Instances) != "a:1 b:2" || s.Changes != 1 || !s.Since.Equal(first.Since) {
			t.Errorf("%q changed the instances: %+v", row.part, s)
		}
		if s.Stale != row.stale || !strings.Contains(s.Error, row.part) || (s.Error == "") != (row.part == "") {
			t.Errorf("want %q, stale %v: %+v", row.part, row.stale, s)
		}
		if row.part != "" && f.log.count(row.part) != 1 {
			t.Errorf("%q is in the log %d times", row.part, f.log.count(row.part))
		}
	}
	f.tell("c:3")
	f.settled()
	if s := f.Status(); addresses(s.Instances) != "c:3" || s.Changes != 2 || f.changed() != "a:1 b:2, c:3" {
		t.Errorf("after another list: %+v, told %q", s, f.changed())
	}
}

func TestFollowerOutlivesPanics(t *testing.T) {
	t.Parallel()
	f := follow(t)
	f.tell("a:1")
	f.settled()
	f.script <- func(func([]discovery.Instance), func(error)) { panic("rubbish was too much") }
	soon(t, time.Second, "it is told", func() bool { return strings.Contains(f.Status().Error, "rubbish was too much") })
	f.tell("a:1")
	f.settled()
	if s := f.Status(); s.Stale || addresses(s.Instances) != "a:1" {
		t.Errorf("%+v", s)
	}
	f.mu.Lock()
	f.panics = true
	f.mu.Unlock()
	f.tell("b:2")
	f.tell("b:2") // the resolver has begun anew, and tells all again
	f.settled()
	if !strings.HasSuffix(f.changed(), ", b:2") {
		t.Errorf("told %q: what was lost in a panic is not told again", f.changed())
	}
}

func TestAwait(t *testing.T) {
	t.Parallel()
	f := follow(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	f.Await(ended) // returns, though nothing was told
	f.fail(errors.New("gone"))
	f.Await(t.Context())
	if f.Status().Error != "gone" {
		t.Errorf("%+v", f.Status())
	}
}

func TestStatusAsJSON(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(discovery.Follow(discovery.Options{Service: "catalog", Resolver: make(script)}).Status())
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"service":"catalog","resolver":"a script","instances":[],"stale":true,"changes":0}`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
