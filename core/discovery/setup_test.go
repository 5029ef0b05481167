package discovery_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/discovery"
)

// watched is what a resolver has told.
type watched struct {
	t    *testing.T
	end  context.CancelFunc
	done chan struct{}

	mu       sync.Mutex
	lists    [][]discovery.Instance
	failures []error
}

// watch watches until the test ends, which Watch has to notice within a second, and
// looks at what each list promises.
func watch(t *testing.T, r discovery.Resolver) *watched {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w := &watched{t: t, end: cancel, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		r.Watch(ctx, w.told, w.failed)
	}()
	t.Cleanup(w.stop)
	return w
}

// stop ends the watch. A second time it does nothing.
func (w *watched) stop() {
	w.end()
	select {
	case <-w.done:
	case <-time.After(time.Second):
		w.t.Error("Watch goes on a second after its end")
		<-w.done
	}
}

func (w *watched) told(list []discovery.Instance) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(list) == 0 || len(list) > discovery.MaxInstances {
		w.t.Errorf("%d instances were told", len(list))
	}
	seen := make(map[string]bool)
	for _, i := range list {
		if seen[i.Address+i.Path] {
			w.t.Errorf("%s was told twice", i.Address)
		}
		seen[i.Address+i.Path] = true
	}
	w.lists = append(w.lists, list)
}

func (w *watched) failed(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failures = append(w.failures, err)
}

// last returns the addresses that were told last, and "@zone" behind those that have one.
func (w *watched) last() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.lists) == 0 {
		return ""
	}
	return addresses(w.lists[len(w.lists)-1])
}

func addresses(list []discovery.Instance) string {
	all := make([]string, len(list))
	for n, i := range list {
		all[n] = i.Address + i.Path
		if i.Zone != "" {
			all[n] += "@" + i.Zone
		}
	}
	return strings.Join(all, " ")
}

func (w *watched) counts() (lists, failures int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.lists), len(w.failures)
}

// why returns why nothing could be told, the last time.
func (w *watched) why() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.failures) == 0 {
		return nil
	}
	return w.failures[len(w.failures)-1]
}

// wants waits until a list was told last, for at most a time.
func (w *watched) wants(within time.Duration, list ...string) {
	w.t.Helper()
	slices.Sort(list)
	want := strings.Join(list, " ")
	soon(w.t, within, want, func() bool { return w.last() == want })
}

// fails waits until one more failure is told than there were, whose text has a part.
func (w *watched) fails(within time.Duration, before int, part string) {
	w.t.Helper()
	soon(w.t, within, "a failure with "+part, func() bool {
		_, n := w.counts()
		return n > before && strings.Contains(w.why().Error(), part)
	})
}

const patience = 20 * time.Second

// soon waits until something holds, and fails if that took longer than it may.
func soon(t *testing.T, within time.Duration, what string, holds func() bool) {
	t.Helper()
	began := time.Now()
	for !holds() {
		if time.Since(began) > patience {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
	if took := time.Since(began); took > within {
		t.Errorf("%s: after %v, want %v", what, took, within)
	}
}
