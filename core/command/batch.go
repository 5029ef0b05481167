package command

import (
	"context"
	"slices"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// BatchLimit is how many queries one batch takes; more are asked for in turn.
const BatchLimit = 200

// ObserveAll returns the stream of the answers to many queries: of those that
// are not remembered fresh, in the batch form of the call. A query that the
// backend does not know has no answer in the map. When a call fails, stale
// copies or the default stand in one by one; a query for which there is neither
// has no answer, and the rest is at best on the rung "default", so that what is
// not there does not pass for what does not exist. Without any answer the
// stream fails. It needs a command that declares a Batch.
func (c *Command[K, V]) ObserveAll(queries []K) stream.Stream[map[K]V] {
	if c.batch == nil {
		return stream.Fail[map[K]V](fault.New(fault.Internal, c.name+" declares no batch"))
	}
	return stream.Source(nil, func(ctx context.Context) (map[K]V, report.Mark, error) {
		return c.answerAll(ctx, queries)
	})
}

// answerAll is the ladder, item by item: it stands on the worst rung of all.
func (c *Command[K, V]) answerAll(ctx context.Context, queries []K) (map[K]V, report.Mark, error) {
	b := batch[K, V]{command: c, policy: c.policy.Load(), values: make(map[K]V, len(queries))}
	for chunk := range slices.Chunk(b.recallFresh(queries), BatchLimit) {
		b.ask(ctx, chunk)
	}
	if len(b.values) == 0 && b.err != nil {
		c.count(report.Missing)
		return nil, missing(b.err), b.err
	}
	c.count(b.mark.Rung)
	return b.values, b.mark, nil
}

// batch is one ObserveAll as it runs.
type batch[K comparable, V any] struct {
	command *Command[K, V]
	policy  *Policy
	values  map[K]V
	mark    report.Mark
	err     error // of the last chunk that failed
}

// recallFresh takes what is remembered fresh and returns the rest, each once.
func (b *batch[K, V]) recallFresh(queries []K) []K {
	rest := make([]K, 0, len(queries))
	seen := make(map[K]struct{}, len(queries))
	for _, q := range queries {
		if _, again := seen[q]; again {
			continue
		}
		seen[q] = struct{}{}
		if hit, ok := b.command.recall(b.policy, q); ok && hit.Fresh {
			b.take(q, hit.Value, report.Mark{Rung: report.Cached, Age: hit.Age})
			continue
		}
		rest = append(rest, q)
	}
	return rest
}

func (b *batch[K, V]) take(query K, value V, mark report.Mark) {
	b.values[query] = value
	b.mark = b.mark.Join(mark)
}

// ask makes one call for a chunk of queries, and falls back to stale copies.
func (b *batch[K, V]) ask(ctx context.Context, chunk []K) {
	c := b.command
	call := begin(ctx, c.name)
	var got map[K]V
	err := c.execute(ctx, b.policy, call, func(ctx context.Context) (err error) {
		got, err = c.batch(ctx, chunk)
		return err
	})
	if err != nil {
		b.err = err
		b.standIn(chunk, call)
		return
	}
	call.Mark = report.Mark{Rung: report.Live}
	b.mark = b.mark.Join(call.Mark)
	for _, q := range chunk {
		value, ok := got[q]
		if !ok {
			c.forget(q)
			continue
		}
		b.values[q] = value
		c.store(b.policy, q, value, int64(call.Bytes/max(len(got), 1)), call.Caching)
	}
}

// standIn takes, for each query of a chunk that failed, its stale copy, else the
// command's default; after a fault of the caller's neither, as for one query.
func (b *batch[K, V]) standIn(chunk []K, call *report.Call) {
	c, reason := b.command, fault.ReasonOf(call.Err)
	absent := report.Mark{Rung: report.Default, Reason: reason}
	found := 0
	for _, q := range chunk {
		value, mark, ok := c.substitute(b.policy, q, call.Outcome, reason)
		if !ok {
			mark = absent
		} else {
			b.values[q] = value
			found++
		}
		call.Mark = call.Mark.Join(mark)
	}
	b.mark = b.mark.Join(call.Mark)
	if found == 0 {
		call.Mark = missing(call.Err)
	}
}

// substitute returns what stands in for the answer to one query of a batch.
func (c *Command[K, V]) substitute(
	policy *Policy, query K, outcome report.Outcome, reason fault.Reason,
) (value V, mark report.Mark, ok bool) {
	if outcome == report.CallerFault {
		c.forget(query)
		return value, mark, false
	}
	if hit, ok := c.recall(policy, query); ok {
		return hit.Value, report.Mark{Rung: report.Stale, Age: hit.Age, Reason: reason}, true
	}
	if c.standIn != nil {
		return c.standIn(query), report.Mark{Rung: report.Default, Reason: reason}, true
	}
	return value, mark, false
}
