package balance

import "slices"

// set is what picks choose from. It never changes: it is replaced under the lock
// whenever an instance comes, goes, or changes between in and out.
type set[C any] struct {
	first       []*server[C] // that calls go to
	rest        []*server[C] // of other zones, for attempts when all of the first have had one
	out         []*server[C] // ejected, and to be tried once their time is over
	policy      Policy
	consecutive int32
	slowStart   int64 // ms
	warmUntil   int64 // when all of them have had their slow start
	alone       bool  // there is nothing to choose
	none        error // why there is none
}

// rebuild makes the set anew. Under the lock.
func (p *Pool[C]) rebuild() {
	o := p.options
	s := &set[C]{policy: o.Policy, slowStart: o.SlowStart.Milliseconds(), none: p.why()}
	s.consecutive = int32(o.Outlier.Consecutive) //nolint:gosec // at most 1000
	in := p.usable()
	s.first, s.rest = p.nearest(in)
	for _, m := range p.members {
		if m.ejection.out && !m.health.bad {
			s.out = append(s.out, m)
		}
		s.warmUntil = max(s.warmUntil, m.warmFrom.Load()+s.slowStart)
	}
	s.alone = len(s.first) == 1 && len(s.rest) == 0 && len(s.out) == 0
	p.set.Store(s)
}

func (p *Pool[C]) why() error {
	if p.closed {
		return ErrClosed
	}
	return ErrNoInstance
}

// usable returns the instances that are in, or all if those are too few: it is
// better to ask an instance that may be ill than to drown the last ones.
func (p *Pool[C]) usable() []*server[C] {
	in := slices.DeleteFunc(slices.Clone(p.members), func(s *server[C]) bool { return !s.in() })
	if len(in) == 0 || 100*len(in) < p.options.PanicPercent*len(p.members) {
		return p.members
	}
	return in
}

// nearest parts the usable instances into those that calls go to and others. The
// own zone is left as a whole when it is less than half of itself.
func (p *Pool[C]) nearest(usable []*server[C]) (first, rest []*server[C]) {
	if p.options.Zone == "" {
		return usable, nil
	}
	there := 0
	for _, s := range p.members {
		if p.near(s) && s.in() {
			first = append(first, s)
		}
		if p.near(s) {
			there++
		}
	}
	if len(first) == 0 || 2*len(first) < there {
		return usable, nil
	}
	return first, slices.DeleteFunc(slices.Clone(usable), p.near)
}

func (p *Pool[C]) near(s *server[C]) bool { return s.usual.Instance.Zone == p.options.Zone }
