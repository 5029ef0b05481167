package command

import (
	"context"
	"sync"

	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// renewals are the queries whose remembered answer is being renewed, while it is
// still used: one call each at a time.
type renewals[K comparable] struct {
	mu    sync.Mutex
	calls int
	of    map[K]struct{}
}

// begin returns those of the queries that nobody renews yet, at most as many as
// there is room for, for one more call if fewer than limit are under way; the others
// are for who asks next.
func (r *renewals[K]) begin(queries []K, limit int) []K {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.calls >= limit {
		return nil
	}
	if r.of == nil {
		r.of = make(map[K]struct{})
	}
	mine := make([]K, 0, len(queries))
	for _, q := range queries {
		if _, known := r.of[q]; !known && len(r.of) < maxRenewals {
			r.of[q] = struct{}{}
			mine = append(mine, q)
		}
	}
	if len(mine) > 0 {
		r.calls++
	}
	return mine
}

func (r *renewals[K]) end(queries []K) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls--
	for _, q := range queries {
		delete(r.of, q)
	}
}

// maxRenewals is how many answers of a command are renewed at once. They take half
// of its tickets at most: who waits for an answer comes first.
const maxRenewals = 2 * BatchLimit

// renew has queries asked for again, beside the request that found their answers
// old: in one call, if there are several and the command has a form for many.
// What fails leaves the old answer where it is.
func (c *Command[K, V]) renew(policy *Policy, origin *report.Report, queries []K) {
	mine := c.renewals.begin(queries, max(policy.MaxConcurrent/2, 1))
	if len(mine) == 0 {
		return
	}
	began := c.background.run(func(life context.Context) {
		defer c.renewals.end(mine)
		defer func() { _ = recover() }() // what a callback of the declaration may do is no request's fault
		c.askAgain(inBackground(life, origin), policy, mine)
	})
	if !began {
		c.renewals.end(mine)
	}
}

// askAgain asks for the queries that no other replica is asking for. The leave lasts
// until the call has ended; of a command that is only observed, whose calls nothing
// ends, for as long as the call should take, and then another replica may ask, too.
func (c *Command[K, V]) askAgain(ctx context.Context, policy *Policy, queries []K) {
	if remote := c.remote.Load(); remote != nil {
		queries = remote.Claim(ctx, queries, policy.Timeout)
	}
	switch len(queries) {
	case 0:
		return
	case 1:
	default:
		c.tell(c.callAll(ctx, policy, begin(ctx, c.name), queries))
		return
	}
	c.tell([]stream.Answered[V]{c.call(ctx, policy, begin(ctx, c.name), queries[0])})
}

// tell counts what renewals came to.
func (c *Command[K, V]) tell(answers []stream.Answered[V]) {
	for i := range answers {
		if answers[i].Err == nil {
			c.renewed.Add(1)
		}
	}
}
