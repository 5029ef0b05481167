package balance_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/report"
)

// world is servers that take their time and fail as they are told, and a pool of them.
// In a bubble of synctest their time passes at once.
type world struct {
	t    *testing.T
	pool *balance.Pool[*server]

	mu      sync.Mutex
	behave  map[string]behaviour // by address
	servers []*server            // all that were ever opened
	took    []time.Duration      // of all calls
}

type behaviour struct {
	takes time.Duration
	fails bool
}

// server is one that was opened.
type server struct {
	address                       string
	calls, faults, now, most      int
	closed, closedEarly, usedLate int
}

func newWorld(t *testing.T, o balance.Options, instances ...discovery.Instance) *world {
	t.Helper()
	w := &world{t: t, behave: map[string]behaviour{}}
	p, err := balance.New(o, w.open, w.shut)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	w.pool = p
	if len(instances) > 0 {
		w.update(instances)
	}
	return w
}

func (w *world) open(in discovery.Instance) (*server, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if in.Path == "/broken" {
		return nil, errors.New("is broken")
	}
	s := &server{address: in.Address}
	w.servers = append(w.servers, s)
	return s, nil
}

func (w *world) shut(s *server) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s.closed++
	if s.now > 0 {
		s.closedEarly++
	}
}

func (w *world) update(all []discovery.Instance) {
	w.t.Helper()
	if err := w.pool.Update(all); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) set(address string, b behaviour) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.behave[address] = b
}

// call makes one call, and returns where it went.
func (w *world) call(s *report.Spread) (address string, outcome balance.Outcome, err error) {
	m, err := w.pool.Pick(s)
	if err != nil {
		return "", balance.Silent, err
	}
	b := w.begin(m)
	time.Sleep(b.takes) // the server works
	outcome = w.end(m, b)
	m.Done(outcome, b.takes)
	return m.Instance.Address, outcome, nil
}

// glance makes a call that takes no time, and returns where it went.
func (w *world) glance(s *report.Spread) (address string, err error) {
	m, err := w.pool.Pick(s)
	if err != nil {
		return "", err
	}
	w.end(m, w.begin(m))
	m.Done(balance.Success, time.Millisecond)
	return m.Instance.Address, nil
}

func (w *world) begin(m *balance.Member[*server]) behaviour {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := m.C
	s.calls++
	s.now++
	s.most = max(s.most, s.now)
	if s.closed > 0 {
		s.usedLate++
	}
	b, ok := w.behave[s.address]
	if !ok {
		b.takes = 10 * time.Millisecond
	}
	return b
}

func (w *world) end(m *balance.Member[*server], b behaviour) balance.Outcome {
	w.mu.Lock()
	defer w.mu.Unlock()
	m.C.now--
	w.took = append(w.took, b.takes)
	if b.fails {
		m.C.faults++
		return balance.Fault
	}
	return balance.Success
}

// load calls from some workers at once, each again and again, for a time.
func (w *world) load(workers int, d time.Duration) {
	w.t.Helper()
	var wait sync.WaitGroup
	end := time.Now().Add(d)
	for range workers {
		wait.Go(func() {
			for time.Now().Before(end) {
				if _, _, err := w.call(nil); err != nil {
					w.t.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
}

// at returns the last server opened with an address.
func (w *world) at(address string) server {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range slices.Backward(w.servers) {
		if s.address == address {
			return *s
		}
	}
	w.t.Fatalf("there is no %s", address)
	return server{}
}

// fresh forgets the calls so far.
func (w *world) fresh() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.took = nil
	for _, s := range w.servers {
		s.calls, s.faults, s.most = 0, 0, s.now
	}
}

func (w *world) p99() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	took := slices.Sorted(slices.Values(w.took))
	return took[len(took)*99/100]
}

// checkClosed fails unless each server opened was closed once, and after its last call.
func (w *world) checkClosed() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, s := range w.servers {
		if s.closed != 1 || s.closedEarly != 0 || s.usedLate != 0 {
			w.t.Errorf("server %d at %s: closed %d times, %d with calls in flight; %d calls after that",
				i, s.address, s.closed, s.closedEarly, s.usedLate)
		}
	}
}

func (w *world) status(address string) balance.Status {
	w.t.Helper()
	for _, s := range w.pool.Status() {
		if s.Address == address {
			return s
		}
	}
	w.t.Fatalf("no status of %s", address)
	return balance.Status{}
}
