package command

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/facet-gateway/facet/core/cache"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// A shadow is a page that nobody waits for (see [report.Report]): what it asks for
// must not be felt by pages that somebody does. So its runs have tickets of their
// own, a tenth of the command's, and never take one of the live bulkhead. An open
// circuit refuses them, by hand or not, but they are no probes, and whatever they
// come to moves no circuit. They are not repeated, hedged or shared with live
// requests: a live page must not wait for a call that began with a shadow's ticket
// and may be refused one, nor a shadow's outcome count because a live page was there
// first. They use what this process remembers, and neither renew nor write it; nor
// do they look into a cache that replicas share, whose own breaker would hear of it.
// They are counted, apart from everything else.
//
// What they have in common with live runs is what lies beneath: the backend, and the
// client's connections.

// ofShadow reports whether a run is made for a shadow.
func ofShadow(ctx context.Context) bool {
	r := report.From(ctx)
	return r != nil && r.Shadow
}

// shadowShare is how many tickets a command has for each one that shadows have.
const shadowShare = 10

// shadows are the runs of a command for shadows.
type shadows struct {
	tickets  bulkhead
	outcomes [outcomes]atomic.Uint64
}

// count counts how a run ended.
func (s *shadows) count(call *report.Call, outcome report.Outcome, err error) error {
	call.Outcome, call.Err = outcome, err
	s.outcomes[outcome].Add(1)
	return err
}

// read returns the counters by outcome, nil if all are zero.
func (s *shadows) read() map[string]uint64 {
	var sum uint64
	told := make(map[string]uint64, outcomes)
	for _, o := range report.Outcomes() {
		n := s.outcomes[o].Load()
		told[o.String()] = n
		sum += n
	}
	if sum == 0 {
		return nil
	}
	return told
}

// shadowed returns the policy of a run for a shadow: one attempt, whose limits hold
// also where those of live runs are only observed.
func (p *Policy) shadowed() *Policy {
	q := *p
	q.Mode, q.Retry.Attempts, q.Hedge, q.Coalesce, q.BatchWindow = Enforce, 1, false, false, 0
	if q.AttemptTimeout > 0 {
		q.Timeout, q.AttemptTimeout = q.AttemptTimeout, 0
	}
	q.MaxConcurrent = max(1, p.MaxConcurrent/shadowShare)
	return &q
}

// executeShadow is execute for a shadow.
func (c *Control) executeShadow(ctx context.Context, policy *Policy, call *report.Call, run func(context.Context) error) error {
	policy = policy.shadowed()
	if !c.affordable(ctx, policy, call.Began) {
		return c.shadows.count(call, report.OutOfBudget, ErrBudget)
	}
	if !c.shadows.tickets.enter(policy.MaxConcurrent) {
		return c.shadows.count(call, report.Rejected, ErrFull)
	}
	defer c.shadows.tickets.leave()
	if c.circuit.shut(call.Began) {
		return c.shadows.count(call, report.ShortCircuited, ErrOpen)
	}
	timed := newRunContext(ctx, call, call.Began.Add(policy.Timeout))
	defer timed.end()
	err := protect(timed, run)
	call.Took = time.Since(call.Began)
	outcome, err := c.verdict(ctx, timed, policy, call.Began, err)
	return c.shadows.count(call, outcome, err)
}

// shut reports whether a run is refused that takes no part in the circuit: the sleep
// of an open one may be over, but the probe is for a live run.
func (c *circuit) shut(now time.Time) bool {
	if c.forced.Load() != nil {
		if d := c.decree(now); d != nil {
			return d.state == ForcedOpen
		}
	}
	return c.open.Load()
}

// peek returns what this process remembers of a query.
func (c *Command[K, V]) peek(policy *Policy, query K) (e cache.Entry[V]) {
	if remembered := c.cache.Load(); remembered != nil && policy.Cache.enabled() {
		e = remembered.Get(query)
	}
	return e
}

// answerShadow is the ladder for a shadow.
func (c *Command[K, V]) answerShadow(ctx context.Context, policy *Policy, query K) (V, report.Mark, error) {
	known, call := c.peek(policy, query), begin(ctx, c.name)
	a, spared, _ := c.spare(policy, &known, call.Began)
	if !spared {
		a.Err = c.executeShadow(ctx, policy, call, func(ctx context.Context) (err error) {
			a.Value, err = c.run(ctx, query)
			return err
		})
		a.Mark = report.Mark{Rung: report.Live}
		if a.Err != nil {
			a = c.substitute(policy, query, &known, a.Err)
		}
	}
	call.Mark = a.Mark
	return a.Value, a.Mark, a.Err
}

// answerAllShadow is the ladder for each query of a shadow's batch.
func (c *Command[K, V]) answerAllShadow(ctx context.Context, policy *Policy, queries []K) []stream.Answered[V] {
	answers, known := make([]stream.Answered[V], len(queries)), make([]cache.Entry[V], len(queries))
	now, unasked := time.Now(), make([]int, 0, len(queries))
	for i, q := range queries {
		var spared bool
		known[i] = c.peek(policy, q)
		if answers[i], spared, _ = c.spare(policy, &known[i], now); !spared {
			unasked = append(unasked, i)
		}
	}
	if len(unasked) > 0 {
		c.askShadow(ctx, policy, queries, unasked, known, answers)
	}
	return answers
}

// askShadow makes the call for the queries that nothing spares one.
func (c *Command[K, V]) askShadow(
	ctx context.Context, policy *Policy, queries []K, unasked []int, known []cache.Entry[V], answers []stream.Answered[V],
) {
	var got map[K]V
	call := begin(ctx, c.name)
	call.Keys, call.Mark = len(unasked), report.Mark{Rung: report.Live}
	err := c.executeShadow(ctx, policy, call, func(ctx context.Context) (err error) {
		got, err = c.batch(ctx, chosen(queries, unasked))
		return err
	})
	for _, i := range unasked {
		value, there := got[queries[i]]
		switch {
		case err != nil:
			answers[i] = c.substitute(policy, queries[i], &known[i], err)
			call.Mark = call.Mark.Join(answers[i].Mark)
		case !there:
			answers[i] = c.substitute(policy, queries[i], &known[i], errUnknown)
		default:
			answers[i] = stream.Answered[V]{Value: value, Mark: report.Mark{Rung: report.Live}}
		}
	}
}
