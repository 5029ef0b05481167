package command

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// repeats reports whether a command may make more than one attempt, or one with a
// time limit of its own.
func (p *Policy) repeats() bool { return p.Retry.Attempts > 1 || p.Hedge || p.AttemptTimeout != 0 }

// repeat makes the attempts of a run, one after the other: each on an instance
// that none has been on, and each further one after a pause, out of the service's
// budget. The ticket and the deadline of the run hold for all of them, and the
// circuit hears of the run only. It returns what the last attempt came to.
func repeat[V any](ctx context.Context, c *Control, p *Policy, run func(context.Context) (V, error)) (V, error) {
	call := report.CallFrom(ctx)
	call.Spread = &report.Spread{}
	budget := c.budget.Load()
	budget.deposit()
	value, err := firstOf(ctx, c, p, run)
	for n := 1; n < p.Retry.Attempts && worthRepeating(ctx, err) && budget.spend(); n++ {
		if !pause(ctx, p.Retry.pause(n)) {
			break
		}
		again, failure := attempt(ctx, c, call, p, run)
		if errors.Is(failure, report.ErrNoOther) { // nothing was asked
			budget.refund()
			break
		}
		c.retries.Add(1)
		value, err = again, failure
	}
	return value, err
}

// firstOf makes the first attempt of a run, hedged if the policy says so.
func firstOf[V any](ctx context.Context, c *Control, p *Policy, run func(context.Context) (V, error)) (V, error) {
	if p.Hedge {
		return hedged(ctx, c, p, run)
	}
	return attempt(ctx, c, report.CallFrom(ctx), p, run)
}

// attempt makes one attempt, which has its own time limit if the policy says so.
func attempt[V any](
	ctx context.Context, c *Control, call *report.Call, p *Policy, run func(context.Context) (V, error),
) (V, error) {
	if p.AttemptTimeout == 0 {
		return run(ctx)
	}
	if p.Mode == Observe {
		defer c.observedAttempt(p, time.Now())
		return run(ctx)
	}
	timed := newRunContext(ctx, call, time.Now().Add(p.AttemptTimeout))
	defer timed.end()
	value, err := run(timed)
	if err != nil && ctx.Err() == nil && timed.Err() != nil && endedBy(timed, err) {
		err = ErrTimeout
	}
	return value, err
}

// worthRepeating reports whether another instance may answer what this one did
// not: not if the question was at fault, or the request is over; and a backend
// that asks for fewer calls gets no more.
func worthRepeating(ctx context.Context, err error) bool {
	code := fault.CodeOf(err)
	return err != nil && ctx.Err() == nil && code != fault.Limited && !answered(err)
}

// pause waits, unless the run is over or would be by then.
func pause(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d+least {
		return false
	}
	if d == 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// pause is how long to wait after the n-th attempt: doubled each time, and half of
// it at random, so that calls that failed together do not come again together.
func (r Retry) pause(n int) time.Duration {
	d := min(r.Backoff<<(n-1), maxBackoff)
	return d/2 + rand.N(d/2+1)
}
