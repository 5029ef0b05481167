package command

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/facet-gateway/facet/core/cache"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// recall returns what is remembered of a query, the zero entry if nothing is: in
// this process, or where that would not spare a call, in the shared cache, whose
// time limit holds also when the request's is over.
func (c *Command[K, V]) recall(ctx context.Context, policy *Policy, query K) (e cache.Entry[V]) {
	if c.remote.Load() != nil {
		return c.recallAll(ctx, policy, []K{query})[0]
	}
	if remembered := c.cache.Load(); remembered != nil && policy.Cache.enabled() {
		e = remembered.Get(query)
	}
	return e
}

// recallAll is recall for many queries, with one look-up in the shared cache.
func (c *Command[K, V]) recallAll(ctx context.Context, policy *Policy, queries []K) []cache.Entry[V] {
	known := make([]cache.Entry[V], len(queries))
	remembered := c.cache.Load()
	if remembered == nil || !policy.Cache.enabled() {
		return known
	}
	now := time.Now()
	unknown := make([]int, 0, len(queries))
	for i, q := range queries {
		if known[i] = remembered.Get(q); !c.suffices(policy, &known[i], now) {
			unknown = append(unknown, i)
		}
	}
	if remote := c.remote.Load(); remote != nil && len(unknown) > 0 {
		for n, e := range remote.Get(context.WithoutCancel(ctx), chosen(queries, unknown)) {
			if i := unknown[n]; e.Stored.After(known[i].Stored) {
				e.Shared = e.Stored
				known[i] = e
				remembered.PutAsked(queries[i], e, now)
			}
		}
	}
	return known
}

// elsewhere is how long a look-up took that was begun at a moment, if there is a shared
// cache: within the process it takes nothing that counts.
func (c *Command[K, V]) elsewhere(began time.Time) time.Duration {
	if c.remote.Load() == nil {
		return 0
	}
	return time.Since(began)
}

// suffices reports whether an entry is as good as any that the shared cache may
// have: it spares the call, or it could not be spared in any case and this one may
// stand in.
func (c *Command[K, V]) suffices(policy *Policy, e *cache.Entry[V], now time.Time) bool {
	if !policy.Cache.spares() {
		return e.Found() && e.Age(now) < policy.Cache.Stale
	}
	_, spared, old := c.spare(policy, e, now)
	return spared && !old
}

// remember keeps an answer for as long as both the policy and the backend allow.
func (c *Command[K, V]) remember(policy *Policy, query K, value V, size int64, call *report.Call) {
	if !policy.Cache.enabled() {
		return
	}
	if call.Caching.NoStore {
		c.drop(query)
		return
	}
	fresh := policy.Cache.Fresh
	if call.Caching.MaxAge != report.Unlimited {
		fresh = min(fresh, call.Caching.MaxAge)
	}
	stale := beyond(&call.Caching, fresh, max(policy.Cache.Stale, policy.Cache.renewal(fresh)))
	e := cache.Entry[V]{Value: value, Stored: call.Began, Size: size}
	e.Fresh, e.Stale = policy.Cache.until(call.Began, fresh, stale)
	if c.tags != nil {
		e.Tags = c.tags(query, value)
	}
	c.store(policy, query, e)
}

// beyond is until what age an answer is used that is fresh for so long, if the policy
// says until stale: no longer than the backend allows.
func beyond(said *report.Caching, fresh, stale time.Duration) time.Duration {
	life := fresh
	if said.MaxAge != report.Unlimited {
		life = said.MaxAge
	}
	switch {
	case said.NoStale:
		return min(stale, life)
	case said.StaleFor > 0:
		return min(stale, life+said.StaleFor)
	}
	return stale
}

// unlearn drops what is remembered of a query whose call says that it was at
// fault, and if it is because there is no such thing, remembers that.
func (c *Command[K, V]) unlearn(policy *Policy, query K, call *report.Call, err error) {
	negative := policy.Cache.Negative
	if call.Caching.MaxAge != report.Unlimited {
		negative = min(negative, call.Caching.MaxAge)
	}
	if negative <= 0 || fault.ReasonOf(err) != fault.ReasonNotFound || call.Caching.NoStore {
		c.drop(query)
		return
	}
	e := cache.Entry[V]{Absent: true, Stored: call.Began}
	e.Fresh, e.Stale = policy.Cache.until(call.Began, negative, negative)
	c.store(policy, query, e)
}

func (c *Command[K, V]) store(policy *Policy, query K, e cache.Entry[V]) {
	remembered := c.cache.Load()
	if remembered == nil {
		return
	}
	if remote := c.remote.Load(); remote != nil {
		if e.Shared = remembered.Get(query).Shared; policy.Cache.spares() || e.Stored.Sub(e.Shared) > policy.Cache.Stale/often {
			e.Shared = e.Stored
			remote.Put(query, e)
		}
	}
	remembered.Put(query, e)
}

// often is how often in its time an answer that only stands in is shared with
// replicas: where each call brings one, all but the first would be written in vain.
const often = 10

func (c *Command[K, V]) drop(query K) {
	if remembered := c.cache.Load(); remembered != nil {
		remembered.Drop(query)
	}
	if remote := c.remote.Load(); remote != nil {
		remote.Drop(query)
	}
}

// memory is what a control does to what its command remembers.
type memory struct {
	resize    func(before, after Cache)
	forget    func(text string) int
	forgetTag func(tag string) int
	outdate   func()
	share     func(*cache.Shared) error
}

// share has what is remembered kept in a cache that replicas share, too.
func (c *Command[K, V]) share(shared *cache.Shared) error {
	if shared == nil {
		c.remote.Store(nil)
		return nil
	}
	remote, err := cache.NewRemote[K, V](c.name, shared)
	if err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	c.remote.Store(remote)
	return nil
}

// resize makes the cache that a policy asks for, if any. One that there is keeps
// what it holds, as far as the new bounds have room.
func (c *Command[K, V]) resize(before, after Cache) {
	remembered := c.cache.Load()
	switch {
	case !after.enabled():
		c.cache.Store(nil)
	case remembered == nil:
		c.cache.Store(cache.New[K, V](after.entries(), after.bytes(), c.text, time.Now))
	case before.entries() != after.entries() || before.bytes() != after.bytes():
		remembered.Resize(after.entries(), after.bytes())
	}
}

func (c *Command[K, V]) forget(text string) int {
	if remembered := c.cache.Load(); remembered != nil {
		return remembered.Forget(text)
	}
	return 0
}

func (c *Command[K, V]) forgetTag(tag string) int {
	if remembered := c.cache.Load(); remembered != nil {
		return remembered.ForgetTag(tag)
	}
	return 0
}

func (c *Command[K, V]) outdate() {
	if remembered := c.cache.Load(); remembered != nil {
		remembered.Outdate()
	}
}

// spares reports whether a remembered answer may spare a call.
func (c *Cache) spares() bool { return c.Fresh > 0 || c.Negative > 0 }

// renewal is until what age an answer that is fresh for so long is used while it is
// renewed. One that is never fresh is never used.
func (c *Cache) renewal(fresh time.Duration) time.Duration {
	if fresh <= 0 || c.Revalidate == 0 {
		return fresh
	}
	return fresh + c.Revalidate - c.Fresh
}

// renewable reports whether an answer is used while it is renewed.
func (c *Cache) renewable(stored, fresh, now time.Time) bool {
	return c.Revalidate > 0 && now.Before(stored.Add(c.renewal(fresh.Sub(stored))))
}

// until returns the end of an answer's times, shortened at random: else all that
// was remembered at one moment would have to be asked for again at one moment.
func (c *Cache) until(stored time.Time, fresh, stale time.Duration) (freshUntil, staleUntil time.Time) {
	keep := 1 - rand.Float64()*float64(c.Jitter)/100
	shortened := func(d time.Duration) time.Time { return stored.Add(time.Duration(float64(d) * keep)) }
	return shortened(fresh), shortened(max(fresh, stale))
}
