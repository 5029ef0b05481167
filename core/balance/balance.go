// Package balance says which instance of a service gets a call, and which are out.
//
// Of two instances drawn at random the less loaded one is taken: nearly as good as
// the best of all, without looking at all, and without all callers running to the
// same one (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing",
// 2001). The load is the latency times the calls in flight, this one included. The
// latency is a peak EWMA, as Finagle's balancer has it: a slower answer counts at
// once, a faster one little by little over ten seconds. Three things are other than
// in Finagle: what is known of an idle instance is forgotten towards the median of
// all, not towards nothing, so that a slow one that was left alone is not flooded
// when it is tried again; a fault counts as slow, so that failing fast attracts
// nobody; and loads that differ by less than a tenth are equal.
//
// Instances that fail are ejected, after Envoy's outlier detection: for faults in a
// row at once, and for a bad share of faults at intervals; for longer each time, and
// never too many of them. One call at a time then tries whether it is well again,
// where Envoy lets all traffic back. So of an instance that fails everything clients
// see, until it is out, as many faults as there may be in a row, or as many as were
// in flight to it when the first one came back, if those are more; and then one each
// time that it is tried: with the defaults, after 10, 30, 70, 150 and 310 s, and
// every 5 min from then on. Where it may not be ejected, because too many are out, it
// gets one call at a time, unless the other one drawn fails, too.
//
// The share of faults is compared with the others' mean by plain percent points.
// Envoy's rule, 1.9 standard deviations below the mean of all, cannot see one bad
// instance of four, nor two of five: k of n that are alike bad are √((n-k)/k)
// deviations away, which is 1.73 and 1.22. And where all are nearly perfect, it takes
// out who is a little less so.
package balance

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/report"
)

var (
	// ErrNoInstance is how a pick fails before the pool has been told any instance.
	ErrNoInstance = errors.New("no instance is known")
	// ErrClosed is how picks and updates of a closed pool fail.
	ErrClosed = errors.New("the pool is closed")
)

// Pool is the instances of one service, each with what a protocol needs to call it.
// Safe for concurrent use; a call costs it no lock and no memory.
type Pool[C any] struct {
	open  func(discovery.Instance) (C, error)
	shut  func(C)
	began time.Time // what times are counted from, in milliseconds

	set    atomic.Pointer[set[C]] // what is picked from; never changed, but replaced
	turn   atomic.Uint32          // of round robin
	tick   atomic.Int64           // when an outcome was last told
	median atomic.Uint32          // the latency of most instances, as [latency] holds it
	next   atomic.Int64           // when the instances are looked at again

	mu       sync.Mutex // for all below, and to replace the set
	options  Options
	probe    func(context.Context, C) error
	members  []*server[C] // in the order they were told
	leaving  []*server[C] // that have calls in flight still
	closed   bool
	judged   int64         // when shares of faults were last compared
	scratch  []float32     // of the median
	reformed chan struct{} // told that the checks are others
}

// New returns a pool that knows no instance yet. open makes what is needed to call
// an instance, and shut ends it, once for each; both are called without a lock
// held, and must not be slow. It fails with a [*RangeError].
func New[C any](o Options, open func(discovery.Instance) (C, error), shut func(C)) (*Pool[C], error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	p := &Pool[C]{open: open, shut: shut, began: time.Now(), options: o, reformed: make(chan struct{}, 1)}
	p.rebuild()
	return p, nil
}

// Configure changes the options while calls are in flight; what is known of the
// instances stays. It fails with a [*RangeError], and changes nothing then.
func (p *Pool[C]) Configure(o Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.options = o
	for _, s := range p.members {
		if !o.Outlier.ejects() {
			s.restore()
		}
		if o.Check == nil {
			s.health = health{asked: s.health.asked}
		}
	}
	p.rebuild()
	p.recheck()
	return nil
}

// Close ends the pool: each instance is closed once its calls have ended, and later
// picks fail. It does not wait, and may be called more than once.
func (p *Pool[C]) Close() {
	p.mu.Lock()
	gone := p.members
	p.members, p.closed = nil, true
	p.leaving = append(p.leaving, gone...)
	p.rebuild()
	p.mu.Unlock()
	for _, s := range gone {
		s.leave()
	}
}

// Pick returns the instance of a call, which is in flight until its [Member.Done].
// With what the attempts of one command know of each other, it is one that has had
// none of them; it fails with [report.ErrNoOther] when all that are in have. It fails
// with [ErrNoInstance] and [ErrClosed], too. It never waits.
func (p *Pool[C]) Pick(s *report.Spread) (*Member[C], error) {
	for {
		set := p.set.Load()
		m, err := p.choose(set, s)
		if err == nil || set == p.set.Load() {
			return m, err
		}
		// what there was has left, or come, meanwhile
	}
}

// now returns the milliseconds since the pool was made.
func (p *Pool[C]) now() int64 { return int64(time.Since(p.began) / time.Millisecond) }
