package guard

import (
	"sync"
	"sync/atomic"
	"time"
)

// Meter counts what the requests of both arms of a rollout come to on one replica
// during one step, window by window. It is safe for concurrent use, and takes some 13 KiB.
type Meter struct {
	since   time.Time
	current atomic.Pointer[window]

	mu                 sync.Mutex // held to begin a window, and to read
	last               *window    // before the current one; a request may still be counted in it
	control, candidate Counts     // of all windows before
}

type window struct {
	index              int
	control, candidate Recorder
}

// NewMeter counts a step that began at a moment.
func NewMeter(since time.Time) *Meter {
	m := &Meter{since: since, last: new(window)}
	m.current.Store(new(window))
	return m
}

// Control counts a request of control that ended now.
func (m *Meter) Control(now time.Time, o Outcome) { m.at(now).control.Record(o) }

// Candidate counts a request of the candidate that ended now.
func (m *Meter) Candidate(now time.Time, o Outcome) { m.at(now).candidate.Record(o) }

// Tally returns what has been counted.
func (m *Meter) Tally(now time.Time) Tally {
	m.at(now)
	m.mu.Lock()
	defer m.mu.Unlock()
	w := m.current.Load()
	return Tally{
		Since: m.since, Window: w.index,
		Control:   arm(m.control, &m.last.control, &w.control),
		Candidate: arm(m.candidate, &m.last.candidate, &w.candidate),
	}
}

func arm(before Counts, last, current *Recorder) Arm {
	window, closing := current.Snapshot(), last.Snapshot()
	before.Add(closing)
	before.Add(window)
	return Arm{Window: window, Step: before}
}

// at returns the window of a moment, or a later one that somebody has begun.
func (m *Meter) at(now time.Time) *window {
	w := m.current.Load()
	if index := Window(m.since, now); index > w.index {
		return m.begin(index)
	}
	return w
}

func (m *Meter) begin(index int) *window {
	m.mu.Lock()
	defer m.mu.Unlock()
	w := m.current.Load()
	if index <= w.index { // somebody else was first
		return w
	}
	m.control.Add(m.last.control.Snapshot())
	m.candidate.Add(m.last.candidate.Snapshot())
	next := &window{index: index}
	m.last = w
	m.current.Store(next)
	return next
}
