package edge

import (
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

// Limiter admits pages. Safe for concurrent use; a page costs it two short locks
// and no memory.
type Limiter struct {
	rules atomic.Pointer[rules]

	mu         sync.Mutex
	options    Options
	persons    float64 // pages in progress from which on persons are refused
	ahead      float64 // the same of prefetches; at most persons
	inProgress int
	window     window
	base       float64   // the share of its budget that a page takes in quiet times; 0: not known yet
	cut        time.Time // the last one: what began before tells of a time that is over
	raised     time.Time // the last time: what began before does not show what that does
	pressed    time.Time // when pages were last late, or a person was refused
	cutsInRow  int       // without a raise between them
	firstPeak  int       // of the window before the first of these
	firstMean  float64
	counts     counts
}

type counts struct {
	admitted, refused [2]int64 // by priority
	late, lost, cuts  int64
}

// New returns a limiter. It fails with a [*RangeError].
func New(o Options) (*Limiter, error) {
	l := &Limiter{}
	if err := l.Configure(o); err != nil {
		return nil, err
	}
	l.persons, l.ahead = float64(o.Max), float64(startTimes*o.Min)
	l.bound()
	return l, nil
}

// Configure changes the options while pages are in progress; what was learnt
// stays, within the new bounds. It fails with a [*RangeError], and changes
// nothing then.
func (l *Limiter) Configure(o Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	r := newRules(o.Prefetch)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.persons >= float64(l.options.Max) { // not limited: nor by the old maximum
		l.persons = float64(o.Max)
	}
	l.options = o
	l.bound()
	l.rules.Store(&r)
	return nil
}

// Priority returns the priority of a request with this header.
func (l *Limiter) Priority(h http.Header) Priority { return l.rules.Load().of(h) }

// ErrOverload is how a page fails that is not admitted: 503, reason "overload".
var ErrOverload = fault.Because(fault.ReasonOverload, errors.New("as many pages as can be made in time are in progress"))

// Permit is the place of a page in progress. It has to be given back, once.
type Permit struct {
	limiter *Limiter
	began   time.Time
}

// Admit gives a page that begins now a place, or fails with [ErrOverload] at once.
func (l *Limiter) Admit(p Priority, now time.Time) (Permit, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.options.Enabled && float64(l.inProgress) >= l.limit(p) {
		l.counts.refused[p]++
		l.window.refused[p] = true
		if p == Person {
			l.pressed = now
		}
		return Permit{}, ErrOverload
	}
	l.counts.admitted[p]++
	if l.inProgress++; l.inProgress == 1 && l.window.pages() == 0 {
		l.window.began = now // an idle time is none of a window
	}
	l.window.peak = max(l.window.peak, l.inProgress)
	return Permit{l, now}, nil
}

// limit returns from how many pages in progress on a priority is refused.
func (l *Limiter) limit(p Priority) float64 {
	if p == Ahead {
		return l.ahead
	}
	return l.persons
}

// Done gives the place back, and tells what became of the page within its budget.
// Without a budget (0: it was not made) nothing is learnt from it.
func (p Permit) Done(v Verdict, budget time.Duration, now time.Time) {
	l := p.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inProgress--
	if budget <= 0 || !l.options.Enabled {
		return
	}
	took := now.Sub(p.began)
	l.learn(v, p.began, took, float64(took)/float64(budget))
	if l.window.over(now) {
		l.adjust(now)
		l.window = window{began: now, peak: l.inProgress}
	}
}
