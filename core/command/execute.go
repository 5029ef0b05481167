package command

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// The faults of a run that was not made, and of one that had its time.
var (
	ErrFull    = fault.Because(fault.ReasonFull, errors.New("as many calls as allowed are in progress"))
	ErrOpen    = fault.Because(fault.ReasonOpen, errors.New("the circuit is open"))
	ErrBudget  = fault.Because(fault.ReasonBudget, errors.New("the page has not the time left that a call takes"))
	ErrTimeout = fault.Because(fault.ReasonTimeout, fmt.Errorf("the call had its time: %w", context.DeadlineExceeded))
)

// execute is one run of a command: enough time left, a ticket of the bulkhead,
// the circuit's leave, the deadline, the call itself with its attempts on this
// goroutine, and the verdict. A command that is only observed is refused nothing.
func (c *Control) execute(ctx context.Context, policy *Policy, call *report.Call, run func(context.Context) error) error {
	began := call.Began
	if !c.affordable(ctx, policy, began) {
		return c.refused(call, report.OutOfBudget, ErrBudget)
	}
	if !c.bulkhead.enter(policy.MaxConcurrent) {
		if !c.onlyObserved(policy, report.Rejected) {
			return c.refused(call, report.Rejected, ErrFull)
		}
		c.bulkhead.exceed()
	}
	defer c.bulkhead.leave()
	permit, ok := c.circuit.allow(began, &policy.Circuit)
	if !ok && (permit.byHand() || !c.onlyObserved(policy, report.ShortCircuited)) {
		return c.refused(call, report.ShortCircuited, ErrOpen)
	}

	timed := newRunContext(ctx, call, began.Add(policy.limit()))
	defer timed.end()
	err := protect(timed, run)

	call.Took = time.Since(began)
	call.Outcome, call.Err = c.verdict(ctx, timed, policy, began, err)
	c.ran(call, began.Add(call.Took))
	if ok {
		c.circuit.settle(permit, c.observed(policy, call), began, call.Took, &policy.Circuit)
	}
	return call.Err
}

// least is the time without which no call is made: none can be answered in less.
const least = time.Millisecond

// affordable reports whether the request has the time for a call: as much as the
// quickest of late have taken.
func (c *Control) affordable(ctx context.Context, policy *Policy, now time.Time) bool {
	deadline, ok := ctx.Deadline()
	if !ok {
		return true
	}
	left := deadline.Sub(now)
	if left >= policy.Timeout { // the usual case: nothing to look up
		return true
	}
	quickest, known := c.ledger.quickest(now)
	return left >= least && (!known || left >= quickest)
}

// protect turns a panic of the service layer into an error.
func protect(ctx context.Context, run func(context.Context) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = stream.Panicked(v)
		}
	}()
	return run(ctx)
}

// verdict says how a run ended, and returns its error with the reason for the
// page. Only what the backend did counts against it: not that the client left,
// not that the question was wrong, not that the page had no time left for it.
func (c *Control) verdict(ctx, timed context.Context, policy *Policy, began time.Time, err error) (report.Outcome, error) {
	switch {
	case err == nil:
		return report.Success, nil
	case timed.Err() != nil && endedBy(timed, err):
		return c.late(ctx, timed, policy, began)
	case errors.Is(err, ErrTimeout): // of the last attempt
		return report.TimedOut, err
	case answered(err):
		return report.CallerFault, err
	}
	return report.Failure, reasoned(err)
}

// answered reports whether an error says that the backend did answer, or refused to,
// and the question was at fault.
func answered(err error) bool {
	return callersFault(fault.CodeOf(err)) || errors.Is(err, fault.ErrRefused)
}

// callersFault reports whether a code says that the backend did answer, and the
// question was at fault.
func callersFault(code fault.Code) bool {
	return code != fault.OK && code.Status() < 500 && code != fault.Canceled && code != fault.Limited
}

// endedBy reports whether err is what a call returns because its context ended.
// After that, only an error that carries a code is the backend's own: clients
// say that they were interrupted in words of many protocols.
func endedBy(ctx context.Context, err error) bool {
	var coded *fault.Error
	return !errors.As(err, &coded) || errors.Is(err, context.Cause(ctx)) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// late is the verdict of a run that its context ended: by its own timeout, by
// the page's deadline, or by the end of the request.
func (c *Control) late(ctx, timed context.Context, policy *Policy, began time.Time) (report.Outcome, error) {
	cause := context.Cause(ctx)
	switch {
	case cause == nil || hadItsOwn(timed, policy, began):
		return report.TimedOut, ErrTimeout
	// A part that the page needs may have failed for want of time: then its own
	// fault ends this call, but no deadline does.
	case !errors.Is(ctx.Err(), context.DeadlineExceeded) && fault.ReasonOf(cause) != fault.ReasonBudget:
		return report.Canceled, fault.Because(fault.ReasonCanceled, cause)
	case c.hadItsTime(ctx, policy, began):
		return report.TimedOut, fault.Because(fault.ReasonBudget, cause)
	}
	return report.Canceled, fault.Because(fault.ReasonBudget, cause)
}

// hadItsOwn reports whether the run's own deadline came first, and the end of
// the request only while the run was returning.
func hadItsOwn(timed context.Context, policy *Policy, began time.Time) bool {
	return errors.Is(context.Cause(timed), ErrTimeout) && time.Since(began) >= policy.limit()
}

// hadItsTime reports whether a call that the page's deadline cut short counts
// as a timeout of its backend: it had at least half of the time that a call
// made at the start of the page could have had. If it is the client that wanted its
// page so soon, it had as long as calls have taken of late, too: else clients in a
// hurry could open the circuit of a backend that is as quick as ever.
func (c *Control) hadItsTime(ctx context.Context, policy *Policy, began time.Time) bool {
	deadline, ok := ctx.Deadline()
	if !ok {
		return false
	}
	had, whole := deadline.Sub(began), policy.Timeout
	if r := report.From(ctx); r != nil && r.Budget > 0 {
		whole = min(whole, r.Budget)
		if deadline.Before(r.Began.Add(r.Budget)) {
			usual, known := c.ledger.quantile(hedgeAt, time.Now())
			return known && had >= max(whole/2, usual)
		}
	}
	return had >= whole/2
}

// reasoned gives an error without a code the reason "error".
func reasoned(err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	return fault.Because(fault.ReasonError, err)
}
