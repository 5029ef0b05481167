package command

import (
	"context"
	"sync"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// flights are the calls of a command that requests share: each query is asked for
// once at a time, whoever else asks for it meanwhile, and with a window those of
// different requests are one batch. A flight has a ticket and a deadline of its
// own; who waits for it has its own deadline, too, and the end of none of them
// ends the flight.
type flights[K comparable, V any] struct {
	command *Command[K, V]

	mu      sync.Mutex
	of      map[K]*flight[V]
	waiting []K            // for the window to close
	origin  *report.Report // of the request that opened it
	closing *time.Timer    // closes it; nil: no window is open
	ended   bool           // no window is opened any more
}

// flight is one query under way.
type flight[V any] struct {
	landed   chan struct{} // closed when the rest is there
	answered stream.Answered[V]
	outcome  report.Outcome
}

// shares reports whether requests share calls.
func (p *Policy) shares() bool { return p.Coalesce || p.BatchWindow > 0 }

// ask returns the answers to queries, in order, each live or an error.
func (f *flights[K, V]) ask(ctx context.Context, policy *Policy, call *report.Call, queries []K) []stream.Answered[V] {
	answers := make([]stream.Answered[V], len(queries))
	if !f.command.affordable(ctx, policy, call.Began) {
		return f.fail(answers, f.command.refused(call, report.OutOfBudget, ErrBudget))
	}
	timed := newRunContext(ctx, call, call.Began.Add(policy.limit()))
	defer timed.end()
	call.Outcome = report.CallerFault // unless one query says otherwise
	for i, under := range f.join(policy, call, queries) {
		select {
		case <-under.landed:
		case <-timed.Done():
			call.Outcome, call.Err = f.command.late(ctx, timed, policy, call.Began)
			call.Took = time.Since(call.Began)
			return f.fail(answers, call.Err)
		}
		answers[i] = under.answered
		if under.outcome != report.CallerFault {
			call.Outcome = under.outcome
		}
		if answers[i].Err != nil {
			call.Err = answers[i].Err
		}
	}
	call.Took = time.Since(call.Began)
	return answers
}

// fail gives the error to all that have no answer yet.
func (f *flights[K, V]) fail(answers []stream.Answered[V], err error) []stream.Answered[V] {
	for i := range answers {
		if answers[i].Mark.Rung != report.Live {
			answers[i] = stream.Answered[V]{Err: err}
		}
	}
	return answers
}

// join returns the flight of each query. Those that are not under way depart, or
// wait for the window to close.
func (f *flights[K, V]) join(policy *Policy, call *report.Call, queries []K) []*flight[V] {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of == nil {
		f.of = make(map[K]*flight[V])
	}
	all, fresh := make([]*flight[V], len(queries)), make([]K, 0, len(queries))
	for i, q := range queries {
		if f.of[q] == nil {
			f.of[q] = &flight[V]{landed: make(chan struct{})}
			fresh = append(fresh, q)
		}
		all[i] = f.of[q]
	}
	f.command.coalesced.Add(uint64(len(queries) - len(fresh))) //nolint:gosec // fresh are of the queries
	switch {
	case len(fresh) == 0:
	case policy.BatchWindow == 0 || f.ended:
		f.depart(call.Request(), fresh)
	default:
		f.queue(policy, call.Request(), fresh)
	}
	return all
}

// queue has queries wait for those of other requests; a full batch departs at once.
func (f *flights[K, V]) queue(policy *Policy, origin *report.Report, queries []K) {
	if f.closing == nil {
		f.closing = time.AfterFunc(policy.BatchWindow, f.close)
	}
	switch {
	case len(f.waiting) == 0:
		f.origin = origin
	case f.origin != origin:
		f.command.coalesced.Add(uint64(min(len(queries), BatchLimit-len(f.waiting)))) //nolint:gosec // fewer wait
	}
	f.waiting = append(f.waiting, queries...)
	for len(f.waiting) >= BatchLimit {
		f.depart(f.origin, f.waiting[:BatchLimit:BatchLimit])
		f.waiting, f.origin = f.waiting[BatchLimit:], origin
	}
}

// end closes the window for good, when the command is closed.
func (f *flights[K, V]) end() {
	f.mu.Lock()
	f.ended = true
	if f.closing != nil {
		f.closing.Stop()
	}
	f.mu.Unlock()
	f.close()
}

// close ends the window.
func (f *flights[K, V]) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closing = nil
	if len(f.waiting) > 0 {
		f.depart(f.origin, f.waiting)
	}
	f.waiting, f.origin = nil, nil
}

// errClosed is the fault of a call that is to be shared when the command is closed.
var errClosed = fault.New(fault.Unavailable, "the gateway is stopping")

func (f *flights[K, V]) depart(origin *report.Report, queries []K) {
	if !f.command.background.run(func(life context.Context) { f.fly(life, origin, queries) }) {
		f.land(queries, f.fail(make([]stream.Answered[V], len(queries)), errClosed), report.Canceled)
	}
}

// fly makes the call of a flight, in the trace of the request that it was begun for.
func (f *flights[K, V]) fly(life context.Context, origin *report.Report, queries []K) {
	answers, outcome := make([]stream.Answered[V], len(queries)), report.Failure
	defer func() {
		if v := recover(); v != nil {
			f.fail(answers, stream.Panicked(v))
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.land(queries, answers, outcome)
	}()
	policy := f.command.policy.Load()
	ctx := inBackground(life, origin)
	call := begin(ctx, f.command.name)
	if len(queries) == 1 {
		answers[0] = f.command.call(ctx, policy, call, queries[0])
	} else {
		answers = f.command.callAll(ctx, policy, call, queries)
	}
	outcome = call.Outcome
}

// land tells the answers to all that wait for them. The caller holds the lock.
func (f *flights[K, V]) land(queries []K, answers []stream.Answered[V], outcome report.Outcome) {
	for i, q := range queries {
		under := f.of[q]
		delete(f.of, q)
		under.answered, under.outcome = answers[i], outcome
		close(under.landed)
	}
}

// inBackground returns a context that outlives a request and has its trace.
func inBackground(life context.Context, origin *report.Report) context.Context {
	if origin == nil {
		return life
	}
	return context.WithValue(life, report.RequestKey{}, report.New(origin.RequestID, origin.Trace))
}
