package balance

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/facet-gateway/facet/core/report"
)

const (
	lookEvery = 100 // ms between two looks at the median

	// volume is how many calls in an interval say something about an instance. The
	// share of faults of one that fails as often as all others is more than 30 points
	// above theirs less than once in a thousand intervals, then.
	volume = 30
)

// ejection is what is known of the ejections of an instance. The zero value is in.
type ejection struct {
	out  bool
	row  int   // of ejections, after each of which the next one is longer
	back int64 // when the last one ended
}

// start begins an ejection, and returns when it ends. For each time that the instance
// has been in for as long as it was out, one of them is forgotten.
func (e *ejection) start(now int64, base time.Duration) (until int64) {
	if !e.out {
		for in := now - e.back; e.row > 0 && in >= lasts(base, e.row-1); e.row-- {
			in -= lasts(base, e.row-1)
		}
	}
	e.out = true
	until = now + lasts(base, e.row)
	e.row = min(e.row+1, 30)
	return until
}

// lasts returns how many ms an ejection lasts after others.
func lasts(base time.Duration, others int) int64 {
	for ; others > 0 && base < longest; others-- {
		base *= 2
	}
	return min(base, longest).Milliseconds()
}

// eject takes an instance out, if it is not, and not too many are.
func (p *Pool[C]) eject(s *server[C]) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.takeOut(s, p.now()) {
		p.rebuild()
	}
}

// takeOut reports whether it did. Under the lock.
func (p *Pool[C]) takeOut(s *server[C], now int64) bool {
	o := p.options.Outlier
	if s.ejection.out || !o.ejects() {
		return false
	}
	out := 1
	for _, other := range p.members {
		if other != s && !other.in() {
			out++
		}
	}
	if 100*out > o.MaxPercent*len(p.members) {
		return false
	}
	s.until.Store(s.ejection.start(now, o.Ejection))
	return true
}

// due returns an ejected instance that is to be tried now, nil if there is none. Only
// one call at a time tries it.
func (p *Pool[C]) due(set *set[C], spread *report.Spread) *Member[C] {
	now := p.tick.Load()
	for _, s := range set.out {
		if now < s.until.Load() || s.tried.Load() || !s.tried.CompareAndSwap(false, true) {
			continue
		}
		if now >= s.until.Load() && s.take(spread) {
			return &s.trial
		}
		s.tried.Store(false)
	}
	return nil
}

// probed ends the call that has tried an ejected instance: it is back, with a slow
// start, or out for longer.
func (p *Pool[C]) probed(s *server[C], o Outcome, took time.Duration) {
	now := p.now()
	p.tick.Store(now)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !s.ejection.out: // the options have changed
	case o == Success:
		s.restore()
		s.ejection.back = now
		s.warmFrom.Store(now)
		s.latency.observe(float32(max(took, 1)), now)
		p.rebuild()
	case o == Fault:
		s.faults.Add(1)
		s.until.Store(s.ejection.start(now, p.options.Outlier.Ejection))
	}
	s.tried.Store(false)
}

// restore lets an ejected instance in: what it did before says nothing any more.
func (s *server[C]) restore() {
	if s.ejection.out {
		s.ejection.out = false
		s.faults.Store(0)
		s.good.Store(0)
		s.bad.Store(0)
		s.latency.forget()
	}
}

// look keeps the median, and compares shares of faults once an interval. It leaves
// that to the next call if the lock is taken.
func (p *Pool[C]) look(now int64) {
	if !p.mu.TryLock() {
		return
	}
	defer p.mu.Unlock()
	p.next.Store(now + lookEvery)
	p.measure(now)
	if now-p.judged >= p.options.Outlier.Interval.Milliseconds() {
		p.judged = now
		if p.judge(now) {
			p.rebuild()
		}
	}
}

// measure finds the median of the latencies that are known; of an even number, the
// faster one of the middle.
func (p *Pool[C]) measure(now int64) {
	known, before := p.scratch[:0], math.Float32frombits(p.median.Load())
	for _, s := range p.members {
		if ns, _ := s.latency.load(); ns > 0 && s.in() {
			known = append(known, s.latency.at(now, before))
		}
	}
	if p.scratch = known; len(known) == 0 {
		return
	}
	slices.Sort(known)
	p.median.Store(math.Float32bits(known[(len(known)-1)/2]))
}

// record is what an instance did in an interval.
type record[C any] struct {
	server *server[C]
	rate   float64 // of its calls that were good
}

// judge takes out who is far worse than the others, the worst first, and reports
// whether there was one.
func (p *Pool[C]) judge(now int64) (changed bool) {
	records, sum := p.records()
	points := float64(p.options.Outlier.SuccessRate) / 100
	if points == 0 || len(records) < 2 {
		return false
	}
	slices.SortStableFunc(records, func(a, b record[C]) int { return cmp.Compare(a.rate, b.rate) })
	for _, r := range records {
		others := (sum - r.rate) / float64(len(records)-1)
		if r.rate <= others-points && p.takeOut(r.server, now) {
			changed = true
		}
	}
	return changed
}

// records takes what the instances did in the interval that ends.
func (p *Pool[C]) records() (all []record[C], sum float64) {
	for _, s := range p.members {
		good, bad := s.good.Swap(0), s.bad.Swap(0)
		if good+bad < volume || !s.in() {
			continue
		}
		rate := float64(good) / float64(good+bad)
		all, sum = append(all, record[C]{s, rate}), sum+rate
	}
	return all, sum
}
