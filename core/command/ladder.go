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
// in which a command looks for an answer.
func (c *Command[K, V]) answer(ctx context.Context, query K) (V, report.Mark, error) {
	policy := c.policy.Load()
	call := begin(ctx, c.name)
	if hit, ok := c.recallFresh(policy, query); ok {
		call.Mark = report.Mark{Rung: report.Cached, Age: hit.Age}
		c.count(call.Mark.Rung)
		return hit.Value, call.Mark, nil
	}
	deepen(false)
	var value V
	err := c.execute(ctx, policy, call, func(ctx context.Context) (err error) {
		value, err = c.attempts(ctx, policy, query)
		return err
	})
	if err == nil {
		call.Mark = report.Mark{Rung: report.Live}
		c.remember(policy, query, value, call)
	} else {
		answered := c.substitute(policy, query, call)
		value, call.Mark, err = answered.Value, answered.Mark, answered.Err
	}
	c.count(call.Mark.Rung)
	return value, call.Mark, err
}

// attempts is the call itself, as often as the policy and the budget have it.
func (c *Command[K, V]) attempts(ctx context.Context, policy *Policy, query K) (V, error) {
	if !policy.repeats() {
		return c.run(ctx, query)
	}
	return repeat(ctx, c.Control, policy, func(ctx context.Context) (V, error) { return c.run(ctx, query) })
}

// substitute is the lower half of the ladder, for a call that failed: the stale
// copy, the default, or nothing.
func (c *Command[K, V]) substitute(policy *Policy, query K, call *report.Call) stream.Answered[V] {
	reason := fault.ReasonOf(call.Err)
	switch {
	case call.Outcome == report.CallerFault:
		c.forget(query) // that there is no such thing is an answer too
	case reason == fault.ReasonCanceled: // the request is over: nobody waits for a stand-in
	default:
		if hit, ok := c.recall(policy, query); ok {
			return stream.Answered[V]{Value: hit.Value, Mark: report.Mark{Rung: report.Stale, Age: hit.Age, Reason: reason}}
		}
		if c.standIn != nil {
			return stream.Answered[V]{Value: c.standIn(query), Mark: report.Mark{Rung: report.Default, Reason: reason}}
		}
	}
	return stream.Answered[V]{Mark: missing(call.Err), Err: call.Err}
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

// recallFresh returns an answer that spares the call.
func (c *Command[K, V]) recallFresh(policy *Policy, query K) (cache.Hit[V], bool) {
	if policy.Cache.Fresh == 0 {
		return cache.Hit[V]{}, false
	}
	hit, ok := c.recall(policy, query)
	return hit, ok && hit.Fresh
}

func (c *Command[K, V]) recall(policy *Policy, query K) (cache.Hit[V], bool) {
	remembered := c.cache.Load()
	if remembered == nil || !policy.Cache.enabled() {
		return cache.Hit[V]{}, false
	}
	hit, ok := remembered.Get(query)
	// The policy may have become shorter since the answer was stored.
	hit.Fresh = hit.Fresh && hit.Age < policy.Cache.Fresh
	return hit, ok && (hit.Fresh || hit.Age < policy.Cache.Stale)
}

// remember stores an answer for as long as both the policy and the backend allow.
func (c *Command[K, V]) remember(policy *Policy, query K, value V, call *report.Call) {
	c.store(policy, query, value, int64(call.Bytes), call.Caching)
}

func (c *Command[K, V]) store(policy *Policy, query K, value V, size int64, caching report.Caching) {
	remembered := c.cache.Load()
	if remembered == nil || !policy.Cache.enabled() {
		return
	}
	if caching.NoStore {
		remembered.Drop(query)
		return
	}
	fresh := policy.Cache.Fresh
	if caching.MaxAge != report.Unlimited {
		fresh = min(fresh, caching.MaxAge)
	}
	remembered.Put(query, value, size, fresh, policy.Cache.Stale)
}

func (c *Command[K, V]) forget(query K) {
	if remembered := c.cache.Load(); remembered != nil {
		remembered.Drop(query)
	}
}
