package command

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// hedgeAt is the share of runs of late that are over when a second attempt begins:
// then one in twenty is made twice (J. Dean, L. A. Barroso, "The Tail at Scale",
// CACM 56/2, 2013).
const hedgeAt = 0.95

// hedged makes an attempt, and a second one beside it if the first takes longer
// than most have taken of late: on another instance, with a ticket of its own, and
// out of the service's budget. The first answer ends the other attempt. While it
// is not known how long runs take, there is no second one.
func hedged[V any](ctx context.Context, c *Control, p *Policy, run func(context.Context) (V, error)) (V, error) {
	call := report.CallFrom(ctx)
	patience, known := c.latencyQuantile(hedgeAt)
	if !known {
		return attempt(ctx, c, call, p, run)
	}
	racing, end := context.WithCancelCause(ctx)
	defer end(errOvertaken)
	r := &race[V]{control: c, policy: p, run: run, ended: make(chan try[V], 2)}
	if !r.start(racing, call.Attempt(), false) { // the command is closed
		return attempt(ctx, c, call, p, run)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	won := r.wait(racing, call, timer.C)
	r.leave()
	call.Bytes, call.Caching = won.call.Bytes, won.call.Caching
	call.Attempts += won.call.Attempts + r.running
	return won.value, won.err
}

// errOvertaken is the cause of the end of an attempt that another was quicker than.
var errOvertaken = fault.Because(fault.ReasonCanceled, errors.New("another attempt has answered"))

// race is one or two attempts beside each other.
type race[V any] struct {
	control *Control
	policy  *Policy
	run     func(context.Context) (V, error)
	ended   chan try[V] // with room for both: none of them waits
	running int         // attempts whose end has not been seen

	mu        sync.Mutex // of the ticket of the run, which the first attempt uses
	firstOver bool
	left      bool // the run has its answer, and gives its ticket back
}

// try is what an attempt came to.
type try[V any] struct {
	value  V
	err    error
	call   *report.Call
	second bool
}

// wait returns the first answer, or the fault of the attempt that was the last to
// fail; that there was no other instance is none. The second attempt begins when
// the patience with the first is over.
func (r *race[V]) wait(ctx context.Context, call *report.Call, impatient <-chan time.Time) try[V] {
	var failed try[V]
	for {
		select {
		case t := <-r.ended:
			r.running--
			if t.err == nil {
				return r.won(t)
			}
			if failed.call == nil || !errors.Is(t.err, report.ErrNoOther) {
				failed = t
			}
			if r.running == 0 {
				return failed
			}
		case <-impatient:
			r.hedge(ctx, call)
		}
	}
}

func (r *race[V]) won(t try[V]) try[V] {
	if t.second {
		r.control.hedgesWon.Add(1)
	}
	return t
}

// hedge begins the second attempt, if the budget and the bulkhead allow one.
func (r *race[V]) hedge(ctx context.Context, call *report.Call) {
	c := r.control
	if ctx.Err() != nil || !c.budget.Load().spend() {
		return
	}
	if !c.bulkhead.enter(r.policy.MaxConcurrent) {
		if !c.onlyObserved(r.policy, report.Rejected) {
			c.budget.Load().refund()
			return
		}
		c.bulkhead.exceed()
	}
	if !r.start(ctx, call.Attempt(), true) {
		c.bulkhead.leave()
	}
}

// start makes an attempt on a goroutine of its own. The command waits for it when
// it is closed.
func (r *race[V]) start(ctx context.Context, call *report.Call, second bool) bool {
	began := r.control.background.run(func(context.Context) {
		deepen(false)
		t := try[V]{call: call, second: second}
		t.value, t.err = r.attempt(report.WithCall(ctx, call), call)
		r.control.hedged(second, t.err)
		r.over(second)
		r.ended <- t
	})
	if began {
		r.running++
	}
	return began
}

// hedged counts a second attempt. Where there was no other instance, nothing was
// asked, and nothing is spent.
func (c *Control) hedged(second bool, err error) {
	switch {
	case !second:
	case errors.Is(err, report.ErrNoOther):
		c.budget.Load().refund()
	default:
		c.hedges.Add(1)
	}
}

func (r *race[V]) attempt(ctx context.Context, call *report.Call) (value V, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = stream.Panicked(v)
		}
	}()
	return attempt(ctx, r.control, call, r.policy, r.run)
}

// over gives back the ticket of an attempt: the second's is its own, the first's is
// the run's for as long as the run holds it.
func (r *race[V]) over(second bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if second || r.left {
		r.control.bulkhead.leave()
	}
	r.firstOver = r.firstOver || !second
}

// leave ends the run's part in the race: an attempt of its that is not over yet has
// a ticket from now on, as the run's is given back.
func (r *race[V]) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left = true
	if !r.firstOver {
		r.control.bulkhead.exceed()
	}
}
