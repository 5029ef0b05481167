package command

import (
	"context"
	"errors"
	"time"

	"github.com/facet-gateway/facet/core/cache"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// BatchLimit is how many queries one batch takes.
const BatchLimit = 200

// Batch declares the form of the call that takes many queries, at most
// [BatchLimit] at once. What the backend does not know is not in its answer.
// From then on the queries that a request observes together become one call:
// a batch leaves when nothing in the request can add to it. A batch of one query
// takes the form of the call for one.
func (c *Command[K, V]) Batch(run func(context.Context, []K) (map[K]V, error)) *Command[K, V] {
	c.batch = run
	c.declare(func(p *Policy) { p.Traits.Batched = true })
	c.collapser = &stream.Collapser[K, V]{Limit: BatchLimit, Known: c.known, One: c.answer, Many: c.answerAll}
	return c
}

// errUnknown is the fault of a query that a batch has no answer to.
var errUnknown = fault.Because(fault.ReasonNotFound, errors.New("the backend does not know it"))

// answerAll is the ladder for each query of a batch. Those that are not spared the
// call are asked for in one, under one ticket of the bulkhead.
func (c *Command[K, V]) answerAll(ctx context.Context, queries []K) []stream.Answered[V] {
	policy := c.policy.Load()
	if ofShadow(ctx) {
		return c.answerAllShadow(ctx, policy, queries)
	}
	known := make([]cache.Entry[V], len(queries))
	var sought time.Duration
	if policy.Cache.spares() {
		asked := time.Now()
		known = c.recallAll(ctx, policy, queries)
		sought = c.elsewhere(asked)
	}
	answers, unasked := c.spareAll(ctx, policy, queries, known)
	if len(unasked) > 0 {
		deepen(false)
		call := begin(ctx, c.name)
		call.Sought, call.Keys, call.Mark = sought, len(unasked), report.Mark{Rung: report.Live}
		var failed []int
		for n, a := range c.askAll(ctx, policy, call, chosen(queries, unasked)) {
			if answers[unasked[n]] = a; a.Err != nil {
				failed = append(failed, unasked[n])
			}
		}
		c.substituteAll(ctx, policy, queries, known, answers, failed)
		for _, i := range failed {
			if call.Err != nil {
				call.Mark = call.Mark.Join(answers[i].Mark)
			}
		}
		c.substituted(call)
	}
	now := time.Now()
	for i := range answers {
		c.count(answers[i].Mark.Rung, now)
	}
	return answers
}

// substituteAll is substitute for the queries of a batch that failed, with one
// look-up in the shared cache for all of them.
func (c *Command[K, V]) substituteAll(
	ctx context.Context, policy *Policy, queries []K, known []cache.Entry[V], answers []stream.Answered[V], failed []int,
) {
	var wanted []int
	for _, i := range failed {
		if c.replaceable(policy, answers[i].Err) {
			wanted = append(wanted, i)
		}
	}
	if len(wanted) > 0 {
		for n, e := range c.recallAll(ctx, policy, chosen(queries, wanted)) {
			known[wanted[n]] = e
		}
	}
	for _, i := range failed {
		answers[i] = c.substitute(policy, queries[i], &known[i], answers[i].Err)
	}
}

// spareAll answers what is spared the call, and returns the indexes of the others.
func (c *Command[K, V]) spareAll(
	ctx context.Context, policy *Policy, queries []K, known []cache.Entry[V],
) (answers []stream.Answered[V], unasked []int) {
	answers, unasked = make([]stream.Answered[V], len(queries)), make([]int, 0, len(queries))
	var old []K
	now := time.Now()
	for i := range queries {
		var spared, renew bool
		if answers[i], spared, renew = c.spare(policy, &known[i], now); !spared {
			unasked = append(unasked, i)
		}
		if renew {
			old = append(old, queries[i])
		}
	}
	if len(old) > 0 {
		c.renew(policy, report.From(ctx), old)
	}
	return answers, unasked
}

// askAll is the live call for many queries.
func (c *Command[K, V]) askAll(ctx context.Context, policy *Policy, call *report.Call, queries []K) []stream.Answered[V] {
	if policy.shares() {
		return c.flights.ask(ctx, policy, call, queries)
	}
	return c.callAll(ctx, policy, call, queries)
}

// callAll makes the call, and remembers what it brought for each query. Of the
// size of the answer each value is taken to be an even share.
func (c *Command[K, V]) callAll(ctx context.Context, policy *Policy, call *report.Call, queries []K) []stream.Answered[V] {
	var got map[K]V
	call.Keys = len(queries)
	err := c.execute(ctx, policy, call, func(ctx context.Context) (err error) {
		got, err = c.batchAttempts(ctx, policy, queries)
		return err
	})
	answers := make([]stream.Answered[V], len(queries))
	for i, q := range queries {
		value, known := got[q]
		switch {
		case err != nil:
			answers[i].Err = err
		case !known:
			answers[i].Err = errUnknown
		default:
			answers[i] = stream.Answered[V]{Value: value, Mark: report.Mark{Rung: report.Live}}
			c.remember(policy, q, value, int64(call.Bytes/max(len(got), 1)), call)
		}
		if callersFault(fault.CodeOf(answers[i].Err)) {
			c.unlearn(policy, q, call, answers[i].Err)
		}
	}
	return answers
}

func (c *Command[K, V]) batchAttempts(ctx context.Context, policy *Policy, queries []K) (map[K]V, error) {
	if !policy.repeats() {
		return c.batch(ctx, queries)
	}
	return repeat(ctx, c.Control, policy, func(ctx context.Context) (map[K]V, error) { return c.batch(ctx, queries) })
}

func chosen[K any](all []K, indexes []int) []K {
	some := make([]K, len(indexes))
	for n, i := range indexes {
		some[n] = all[i]
	}
	return some
}
