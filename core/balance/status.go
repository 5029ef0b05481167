package balance

import (
	"math"
	"time"
)

// State is what an instance gets of the calls.
type State string

// The states of an instance.
const (
	In        State = "in"        // its share
	Warming   State = "warming"   // less than its share: it is new or back
	Out       State = "out"       // none, but one at a time once its ejection is over
	Unhealthy State = "unhealthy" // none: checks say so
	Draining  State = "draining"  // none: it has left, but calls to it have not ended
)

// Status is one instance as people see it. When too few are in, those that are out or
// unhealthy get calls, too.
type Status struct {
	Address  string     `json:"address"`
	Path     string     `json:"path,omitempty"`
	Zone     string     `json:"zone,omitempty"`
	State    State      `json:"state"`
	InFlight int        `json:"in_flight"`
	EWMA     float64    `json:"ewma_ms"`                 // what a call is believed to take; 0: not known yet
	Faults   int        `json:"faults"`                  // in a row
	Until    *time.Time `json:"ejected_until,omitempty"` // of one that is out
	Check    string     `json:"check,omitempty"`         // why the last bad check was, at most 200 bytes; none since it is healthy again
}

// Status returns all instances, in the order they were told, and then those that have
// left with calls in flight.
func (p *Pool[C]) Status() []Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	now, set := p.now(), p.set.Load()
	all := make([]Status, 0, len(p.members)+len(p.leaving))
	for _, s := range p.members {
		all = append(all, s.status(set, now))
	}
	for _, s := range p.leaving {
		one := s.status(set, now)
		one.State, one.Until = Draining, nil
		all = append(all, one)
	}
	return all
}

func (s *server[C]) status(set *set[C], now int64) Status {
	in, believed := s.usual.Instance, float32(0)
	if ns, _ := s.latency.load(); ns > 0 {
		believed = s.latency.at(now, math.Float32frombits(s.pool.median.Load()))
	}
	status := Status{
		Address: in.Address, Path: in.Path, Zone: in.Zone, State: s.state(set, now),
		InFlight: int(s.calls.inFlight()), EWMA: float64(believed) / float64(time.Millisecond),
		Faults: int(s.faults.Load()), Check: s.health.cause,
	}
	if s.ejection.out {
		until := s.pool.began.Add(time.Duration(s.until.Load()) * time.Millisecond).Round(0)
		status.Until = &until
	}
	return status
}

func (s *server[C]) state(set *set[C], now int64) State {
	switch {
	case s.health.bad:
		return Unhealthy
	case s.ejection.out:
		return Out
	case set.share(s, now) < 1:
		return Warming
	}
	return In
}
