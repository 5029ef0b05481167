package rollout

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

// Memory is a [Store] of one process, which ends with it: for demonstrations and
// tests. The zero value is ready.
type Memory struct {
	mu      sync.Mutex
	state   *State
	reports map[string]Replica
	news    chan struct{} // closed by the next change
}

// forgotten is how long ago the last report of a replica was that lives no more.
const forgotten = 5 * time.Second

// Watch tells each state until ctx ends.
func (m *Memory) Watch(ctx context.Context, changed func(*State), available func(error)) error {
	available(nil)
	for {
		m.mu.Lock()
		if m.news == nil {
			m.news = make(chan struct{})
		}
		s, news := m.state, m.news
		m.mu.Unlock()
		if s == nil {
			s = &State{}
		}
		changed(s)
		select {
		case <-ctx.Done():
			return nil
		case <-news:
		}
	}
}

// Swap keeps a state.
func (m *Memory) Swap(_ context.Context, next *State) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var now uint64
	if m.state != nil {
		now = m.state.Revision
	}
	if next.Revision != now+1 {
		return ErrConflict
	}
	m.state = next
	if m.news != nil {
		close(m.news)
	}
	m.news = make(chan struct{})
	return nil
}

// Report keeps the report.
func (m *Memory) Report(_ context.Context, r Replica) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.reports == nil {
		m.reports = make(map[string]Replica)
	}
	m.reports[r.ID] = r
	maps.DeleteFunc(m.reports, func(_ string, other Replica) bool { return r.At.Sub(other.At) > forgotten })
	return nil
}

// Replicas returns the last reports.
func (m *Memory) Replicas(context.Context) ([]Replica, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.reports)), nil
}
