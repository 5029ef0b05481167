package command

import (
	"context"
	"time"

	"github.com/facet-gateway/facet/core/cache"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// answer is the ladder: fresh → live → stale → default → missing, the one order
// in which a command looks for an answer. (answerAll is the same for many queries
// at once.)
func (c *Command[K, V]) answer(ctx context.Context, query K) (V, report.Mark, error) {
	policy := c.policy.Load()
	if ofShadow(ctx) {
		return c.answerShadow(ctx, policy, query)
	}
	var known cache.Entry[V]
	var sought time.Duration
	if policy.Cache.spares() {
		asked := time.Now()
		known = c.recall(ctx, policy, query)
		sought = c.elsewhere(asked)
	}
	call := begin(ctx, c.name) // its time is the backend's alone
	call.Sought = sought
	answered, spared, old := c.spare(policy, &known, call.Began)
	switch {
	case old:
		c.renew(policy, call.Request(), []K{query})
	case !spared:
		deepen(false)
		if answered = c.ask(ctx, policy, call, query); answered.Err != nil {
			if c.replaceable(policy, answered.Err) {
				known = c.recall(ctx, policy, query)
			}
			answered = c.substitute(policy, query, &known, answered.Err)
			c.substituted(call)
		}
	}
	call.Mark = answered.Mark
	c.count(answered.Mark.Rung, call.Began.Add(call.Took))
	return answered.Value, answered.Mark, answered.Err
}

// known is the first rung at its cheapest: an answer that this process remembers and
// that spares the call is given before anything is begun for it. An old one is left
// to answer where a replica may have renewed it, or several are renewed in one call.
func (c *Command[K, V]) known(ctx context.Context, query K) (a stream.Answered[V], spared bool) {
	policy, remembered := c.policy.Load(), c.cache.Load()
	if remembered == nil || !policy.Cache.spares() {
		return a, false
	}
	now := time.Now()
	e := remembered.Get(query)
	a, spared, old := c.spare(policy, &e, now)
	if !spared || old && (c.remote.Load() != nil || c.collapser != nil) {
		return a, false
	}
	if ofShadow(ctx) {
		return a, true
	}
	if old {
		c.renew(policy, report.From(ctx), []K{query})
	}
	c.count(a.Mark.Rung, now)
	return a, true
}

// spare is the upper part of the ladder: a remembered answer that spares the call,
// because it is fresh, or because it is used while it is renewed (it is old then).
// That there is no such thing is an answer, too.
func (c *Command[K, V]) spare(policy *Policy, e *cache.Entry[V], now time.Time) (a stream.Answered[V], spared, old bool) {
	age, fresh := e.Age(now), now.Before(e.Fresh)
	switch {
	case !e.Found():
		return a, false, false
	case e.Absent:
		return stream.Answered[V]{Mark: missing(errUnknown), Err: errUnknown}, fresh && age < policy.Cache.Negative, false
	case fresh && age < policy.Cache.Fresh:
	case policy.Cache.renewable(e.Stored, e.Fresh, now):
		old = true
	default:
		return a, false, false
	}
	return stream.Answered[V]{Value: e.Value, Mark: report.Mark{Rung: report.Cached, Age: age}}, true, old
}

// ask is the live call: shared with other requests, if the policy says so.
func (c *Command[K, V]) ask(ctx context.Context, policy *Policy, call *report.Call, query K) stream.Answered[V] {
	if policy.shares() {
		return c.flights.ask(ctx, policy, call, []K{query})[0]
	}
	return c.call(ctx, policy, call, query)
}

// call makes the call, and remembers what it brought.
func (c *Command[K, V]) call(ctx context.Context, policy *Policy, call *report.Call, query K) (a stream.Answered[V]) {
	a.Err = c.execute(ctx, policy, call, func(ctx context.Context) (err error) {
		a.Value, err = c.attempts(ctx, policy, query)
		return err
	})
	switch {
	case a.Err == nil:
		a.Mark = report.Mark{Rung: report.Live}
		c.remember(policy, query, a.Value, int64(call.Bytes), call)
	case callersFault(fault.CodeOf(a.Err)):
		c.unlearn(policy, query, call, a.Err)
	}
	return a
}

// attempts is the call itself, as often as the policy and the budget have it.
func (c *Command[K, V]) attempts(ctx context.Context, policy *Policy, query K) (V, error) {
	if !policy.repeats() {
		return c.run(ctx, query)
	}
	return repeat(ctx, c.Control, policy, func(ctx context.Context) (V, error) { return c.run(ctx, query) })
}

// substitute is the lower part of the ladder, for a call that failed: the stale
// copy, the default, or nothing. It makes no call: the one look-up in the shared
// cache, with its own limit, was made before.
func (c *Command[K, V]) substitute(policy *Policy, query K, known *cache.Entry[V], err error) stream.Answered[V] {
	if final(err) {
		return stream.Answered[V]{Mark: missing(err), Err: err}
	}
	reason, now := fault.ReasonOf(err), time.Now()
	if age := known.Age(now); known.Found() && !known.Absent && now.Before(known.Stale) && age < policy.Cache.Stale {
		return stream.Answered[V]{Value: known.Value, Mark: report.Mark{Rung: report.Stale, Age: age, Reason: reason}}
	}
	if c.standIn != nil {
		return stream.Answered[V]{Value: c.standIn(query), Mark: report.Mark{Rung: report.Default, Reason: reason}}
	}
	return stream.Answered[V]{Mark: missing(err), Err: err}
}

// final reports whether nothing may stand in: that there is no such thing is an
// answer too, and for a request that is over nobody waits.
func final(err error) bool {
	return callersFault(fault.CodeOf(err)) || fault.ReasonOf(err) == fault.ReasonCanceled
}

// replaceable reports whether what is remembered is to be looked up now that a call
// has failed: it was not before, if it could not have spared the call.
func (c *Command[K, V]) replaceable(policy *Policy, err error) bool {
	return !policy.Cache.spares() && policy.Cache.enabled() && !final(err)
}

func missing(err error) report.Mark {
	return report.Mark{Rung: report.Missing, Reason: fault.ReasonOf(err)}
}

// begin returns the record of a call, in the report of the request if there is one.
func begin(ctx context.Context, name string) *report.Call {
	if r := report.From(ctx); r != nil {
		return r.Begin(name)
	}
	return &report.Call{Command: name, Began: time.Now(), Caching: report.Caching{MaxAge: report.Unlimited}}
}
