package balance

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/facet-gateway/facet/core/report"
)

// choose picks from a set and begins the call: to an instance whose ejection is over,
// to try it; else to one of those that are in. It fails if what it picks has left; the
// set is another one then.
func (p *Pool[C]) choose(set *set[C], s *report.Spread) (*Member[C], error) {
	if len(set.first) == 0 {
		return nil, set.none
	}
	if len(set.out) > 0 {
		if m := p.due(set, s); m != nil {
			return m, nil
		}
	}
	if s != nil {
		return p.other(set, s)
	}
	if best := p.best(set, set.first, nil); best.begin() {
		return &best.usual, nil
	}
	return nil, set.none
}

// other picks one that has had none of the attempts. What was picked and had one is
// left aside from then on, so it ends after as many rounds as there were attempts.
func (p *Pool[C]) other(set *set[C], s *report.Spread) (*Member[C], error) {
	var room [8]*server[C]
	had := room[:0]
	for _, list := range [...][]*server[C]{set.first, set.rest} {
		for {
			best := p.best(set, list, had)
			if best == nil {
				break
			}
			if best.take(s) {
				return &best.usual, nil
			}
			had = append(had, best)
		}
	}
	return nil, report.ErrNoOther
}

// best returns the better one of two of the list, nil if there is none but those that
// had an attempt.
func (p *Pool[C]) best(set *set[C], list, had []*server[C]) *server[C] {
	if len(list) == 1 && len(had) == 0 {
		return list[0]
	}
	a, b := p.draw(set.policy, list, had)
	if b == nil {
		return a
	}
	if p.worse(set, a, b) {
		a, b = b, a
	}
	if now := p.tick.Load(); now < set.warmUntil && p.cold(set, a, b, now) {
		return b
	}
	return a
}

// worse reports whether b is to be preferred to a, before any slow start.
func (p *Pool[C]) worse(set *set[C], a, b *server[C]) bool {
	if set.policy == RoundRobin {
		return a.suspect(a.calls.inFlight(), set.consecutive) && !b.suspect(b.calls.inFlight(), set.consecutive)
	}
	now, median := p.tick.Load(), math.Float32frombits(p.median.Load())
	if median == 0 {
		median = nominal
	}
	return b.load(now, median, set.consecutive) < noise*a.load(now, median, set.consecutive)
}

// cold reports whether a is passed over because it gets less than b while it is new.
func (p *Pool[C]) cold(set *set[C], a, b *server[C], now int64) bool {
	mine, other := set.share(a, now), set.share(b, now)
	return mine < other && rand.Float32()*other >= mine
}

// leastShare is what an instance gets at first of what it will get.
const leastShare = 0.1

// share returns what an instance gets of its share: all after its slow start.
func (s *set[C]) share(m *server[C], now int64) float32 {
	age := now - m.warmFrom.Load()
	if age >= s.slowStart {
		return 1
	}
	return max(leastShare, float32(age)/float32(s.slowStart))
}

// draw returns two of a list, but for those that had an attempt: two at random, or
// the next one in turn and the one after it. b is nil if there is only one, a if
// there is none.
func (p *Pool[C]) draw(policy Policy, list, had []*server[C]) (a, b *server[C]) {
	if len(list) == 0 {
		return nil, nil
	}
	n := uint32(len(list)) //nolint:gosec // a list has far fewer than 2^32 items
	var i, j uint32
	if policy == RoundRobin {
		i = (p.turn.Add(1) - 1) % n
		j = i + 1
	} else {
		r := rand.Uint64()
		i = scale(r>>32, n)
		j = i + 1 + scale(r&math.MaxUint32, n-1)
	}
	if a = from(list, had, nil, i); a != nil {
		b = from(list, had, a, j%n)
	}
	return a, b
}

// scale maps 32 random bits evenly to 0 to n-1.
func scale(bits uint64, n uint32) uint32 { return uint32(bits * uint64(n) >> 32) }

// from returns the first one from i on that had no attempt and is another one than not.
func from[C any](list, had []*server[C], not *server[C], i uint32) *server[C] {
	for range list {
		if s := list[i]; s != not && !slices.Contains(had, s) {
			return s
		}
		if i++; int(i) == len(list) {
			i = 0
		}
	}
	return nil
}
