package balance

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/report"
)

// Outcome is what a call says about the instance that had it.
type Outcome uint8

// The outcomes of a call.
const (
	Success Outcome = iota // the instance has answered
	Fault                  // it has failed, or not answered in time
	Silent                 // the call was cancelled, or never made: nothing is learnt
)

// Member is an instance with a call in flight to it.
type Member[C any] struct {
	C        C
	Instance discovery.Instance

	server *server[C]
	probe  bool // the call tries whether an ejected instance is well again
}

// Done ends the call, exactly once a pick. took is what the call took of the
// instance's time; of a silent one it does not matter.
func (m *Member[C]) Done(o Outcome, took time.Duration) {
	switch s := m.server; {
	case m.probe:
		s.pool.probed(s, o, took)
	case o == Success:
		s.succeeded(took)
	case o == Fault:
		s.failed(took)
	}
	m.server.end()
}

// server is an instance and what is known of it.
type server[C any] struct {
	pool         *Pool[C]
	key          string    // by which attempts know it
	usual, trial Member[C] // what picks return: no memory is needed for one

	calls     calls
	latency   latency
	faults    atomic.Int32 // in a row
	good, bad atomic.Int32 // calls since shares of faults were last compared
	busy      atomic.Bool  // it has had calls within a millisecond: the clock is read for one in eight, and for peaks
	warmFrom  atomic.Int64 // when its slow start began
	until     atomic.Int64 // when an ejected one may be tried
	tried     atomic.Bool  // a call tries it now

	ejection ejection // these two under the pool's lock
	health   health
}

func newServer[C any](p *Pool[C], in discovery.Instance, c C) *server[C] {
	s := &server[C]{pool: p, key: in.Address + in.Path}
	s.usual = Member[C]{C: c, Instance: in, server: s}
	s.trial = Member[C]{C: c, Instance: in, server: s, probe: true}
	s.warmFrom.Store(warm)
	return s
}

// warm is when the slow start of an instance began that needs none.
const warm = math.MinInt32

func (s *server[C]) in() bool { return !s.ejection.out && !s.health.bad }

// succeeded learns from an answer. Where the clock would be read more often than it
// moves, or there is nothing to choose, peaks and some of the others are enough.
func (s *server[C]) succeeded(took time.Duration) {
	if s.faults.Load() != 0 {
		s.faults.Store(0)
	}
	alone := s.pool.set.Load().alone
	if !alone && s.good.Add(1)%8 == 0 || !alone && !s.busy.Load() || s.latency.tells(took) {
		s.learn(float32(max(took, 1)))
	}
}

func (s *server[C]) failed(took time.Duration) {
	p := s.pool
	row := s.faults.Add(1)
	s.bad.Add(1)
	s.learn(max(float32(took), asSlow(math.Float32frombits(p.median.Load()), row)))
	if limit := p.set.Load().consecutive; limit > 0 && row >= limit {
		p.eject(s)
	}
}

func (s *server[C]) learn(ns float32) {
	p := s.pool
	now := p.now()
	if p.tick.Load() != now {
		p.tick.Store(now)
	}
	busy := s.latency.observe(ns, now)
	if s.busy.Load() != busy {
		s.busy.Store(busy)
	}
	if now >= p.next.Load() {
		p.look(now)
	}
}

// load is what the next call would find: more than any other if the instance may
// be failing, and has calls in flight that are enough to tell.
func (s *server[C]) load(now int64, median float32, consecutive int32) float32 {
	inFlight := s.calls.inFlight()
	if s.suspect(inFlight, consecutive) {
		return math.MaxFloat32
	}
	return s.latency.at(now, median) * float32(inFlight+1)
}

// suspect bounds what a failing instance costs before it is out. One call at a time
// is always let through: of one that cannot be ejected, because too many are, it
// shows whether it is well again.
func (s *server[C]) suspect(inFlight, consecutive int32) bool {
	faults := s.faults.Load()
	return faults > 0 && inFlight > 0 && consecutive > 0 && inFlight+faults >= consecutive
}

// begin counts a call, and reports whether it may be made: not if the instance has left.
func (s *server[C]) begin() bool {
	if s.calls.begin() {
		return true
	}
	s.end()
	return false
}

// take begins a call unless an attempt that the spread knows of went to the instance.
func (s *server[C]) take(spread *report.Spread) bool {
	if !s.begin() {
		return false
	}
	if spread == nil || spread.Take(s.key) {
		return true
	}
	s.end()
	return false
}

// leave marks an instance that gets no call any more, and closes it if it has none.
func (s *server[C]) leave() {
	if s.calls.leave() {
		s.pool.finish(s)
	}
}

// end takes back a call, and closes the instance if it has left and this was the last.
func (s *server[C]) end() {
	if s.calls.end(1) {
		s.pool.finish(s)
	}
}

// calls counts those in flight in its low half, and checks in the high one, below
// two marks: that the instance has left, and that it is closed.
type calls struct{ word atomic.Int64 }

const (
	oneCheck = 1 << 32
	hasLeft  = 1 << 61
	isClosed = 1 << 62
)

func (c *calls) inFlight() int32 { return int32(c.word.Load()) } //nolint:gosec // the low half

// begin counts a call, and reports whether it may be made; if not, it has to end
// all the same.
func (c *calls) begin() bool { return c.word.Add(1) < hasLeft }

func (c *calls) beginCheck() bool { return c.word.Add(oneCheck) < hasLeft }

// end reports whether the instance has to be closed: once, and after the last call.
func (c *calls) end(n int64) bool {
	return c.word.Add(-n) == hasLeft && c.word.CompareAndSwap(hasLeft, isClosed)
}

func (c *calls) leave() bool {
	c.word.Or(hasLeft)
	return c.word.CompareAndSwap(hasLeft, isClosed)
}
