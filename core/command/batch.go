package command

import (
	"context"
	"errors"

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
	c.collapser = &stream.Collapser[K, V]{Limit: BatchLimit, One: c.answer, Many: c.answerAll}
	return c
}

// errUnknown is the fault of a query that a batch has no answer to.
var errUnknown = fault.Because(fault.ReasonNotFound, errors.New("the backend does not know it"))

// answerAll is the ladder for each query of a batch. Those that are not remembered
// fresh are asked for in one call, under one ticket of the bulkhead.
func (c *Command[K, V]) answerAll(ctx context.Context, queries []K) []stream.Answered[V] {
	b := batch[K, V]{
		command: c, policy: c.policy.Load(), queries: queries,
		answers: make([]stream.Answered[V], len(queries)), unasked: make([]int, 0, len(queries)),
	}
	b.recallFresh()
	if len(b.unasked) > 0 {
		deepen(false)
		b.ask(ctx)
	}
	for i := range b.answers {
		c.count(b.answers[i].Mark.Rung)
	}
	return b.answers
}

// batch is one call for many queries as it runs.
type batch[K comparable, V any] struct {
	command *Command[K, V]
	policy  *Policy
	queries []K
	answers []stream.Answered[V] // to the queries, in order
	unasked []int                // indexes of those without an answer yet
}

// recallFresh answers what is remembered fresh.
func (b *batch[K, V]) recallFresh() {
	for i, q := range b.queries {
		if hit, ok := b.command.recallFresh(b.policy, q); ok {
			b.answers[i] = stream.Answered[V]{Value: hit.Value, Mark: report.Mark{Rung: report.Cached, Age: hit.Age}}
			continue
		}
		b.unasked = append(b.unasked, i)
	}
}

// ask makes the call; when it fails, what stands in does so for each query by itself.
func (b *batch[K, V]) ask(ctx context.Context) {
	call := begin(ctx, b.command.name)
	call.Keys = len(b.unasked)
	got, err := b.execute(ctx, call)
	call.Mark = report.Mark{Rung: report.Live}
	for _, i := range b.unasked {
		if err != nil {
			b.answers[i] = b.command.substitute(b.policy, b.queries[i], call)
			call.Mark = call.Mark.Join(b.answers[i].Mark)
		} else {
			b.answers[i] = b.take(got, b.queries[i], call)
		}
	}
}

func (b *batch[K, V]) execute(ctx context.Context, call *report.Call) (got map[K]V, err error) {
	queries := make([]K, len(b.unasked))
	for n, i := range b.unasked {
		queries[n] = b.queries[i]
	}
	err = b.command.execute(ctx, b.policy, call, func(ctx context.Context) (err error) {
		got, err = b.command.batchAttempts(ctx, b.policy, queries)
		return err
	})
	return got, err
}

func (c *Command[K, V]) batchAttempts(ctx context.Context, policy *Policy, queries []K) (map[K]V, error) {
	if !policy.repeats() {
		return c.batch(ctx, queries)
	}
	return repeat(ctx, c.Control, policy, func(ctx context.Context) (map[K]V, error) { return c.batch(ctx, queries) })
}

// take is the answer to a query in that of the whole call, of whose size it is
// taken to be an even share.
func (b *batch[K, V]) take(got map[K]V, query K, call *report.Call) stream.Answered[V] {
	value, known := got[query]
	if !known {
		b.command.forget(query)
		return stream.Answered[V]{Mark: missing(errUnknown), Err: errUnknown}
	}
	b.command.store(b.policy, query, value, int64(call.Bytes/max(len(got), 1)), call.Caching)
	return stream.Answered[V]{Value: value, Mark: report.Mark{Rung: report.Live}}
}
