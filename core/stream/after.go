package stream

import (
	"context"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// OpenAfter is [Open] of what answers a request once more: by another version of an
// adapter, beside the first or in its place. What the earlier scope has asked is not
// asked again: whoever asks the same (a [Question], a key of a [Source] or of a
// [Collapser]) gets the earlier answer at once, with its mark, be it a value or an
// error. But an error that only says that the earlier run had come to its end, for
// the reason "canceled" or "budget", is no answer: that is asked for.
//
// The earlier scope must be closed. While it is not, and if its Close has told of
// runaways, nothing of it is taken, for what still runs may go on writing to what it
// was given; then all is asked for again, and nothing fails.
//
// The answers of the earlier scope, and of those that it was itself opened after,
// live for as long as anybody has this one: a caller that keeps it waiting bounds
// how many wait. A scope that is opened after none pays for it with looks at nil.
func OpenAfter(parent context.Context, r *report.Report, earlier *Scope) (context.Context, *Scope) {
	ctx, s := Open(parent, r)
	if earlier != nil && earlier.grace.Load() == settled {
		s.earlier = earlier
	}
	return ctx, s
}

// shared returns what was shared under key in the request, nil if nothing was.
func (s *Scope) shared(key any) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, _ := s.memo.find(key)
	return found
}

// final reports whether an error is an answer also to who asks later, and not the
// mere end of who asked before.
func final(err error) bool {
	if err == nil {
		return true
	}
	reason := fault.ReasonOf(err)
	return reason != fault.ReasonCanceled && reason != fault.ReasonBudget
}

// inherit takes the answer that an earlier scope has to the source's key, if there
// is one. n.mu is held.
func (n *source[T]) inherit(s *Scope) bool {
	if s.earlier == nil || n.key == nil {
		return false
	}
	for e := s.earlier; e != nil; e = e.earlier {
		first, ok := e.shared(n.key).(*source[T])
		if ok && first.done.Load() && final(first.answer.err) {
			n.answer = first.answer
			n.answer.ready = s.now()
			n.done.Store(true)
			return true
		}
	}
	return false
}

// inherit returns the seat of a key that an earlier scope has the answer to.
func (b *batches[K, V]) inherit(s *Scope, key K) (at seat[K, V], ok bool) {
	for e := s.earlier; e != nil; e = e.earlier {
		of, asked := e.shared(b.collapser).(*batches[K, V])
		if !asked {
			continue
		}
		if a := of.answered(key); a != nil && final(a.Err) {
			return seat[K, V]{known: a, since: s.now()}, true
		}
	}
	return at, false
}

// answered returns the answer to a key once its scope has ended, nil if there is none.
func (b *batches[K, V]) answered(key K) *Answered[V] {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, asked := b.find(key)
	switch {
	case !asked:
		return nil
	case at.known != nil:
		return at.known
	case !at.batch.done.Load():
		return nil
	case at.batch.answer.err != nil:
		return &Answered[V]{Err: at.batch.answer.err}
	case at.index >= len(at.batch.answer.value): // a call that does not answer each key
		return nil
	}
	return &at.batch.answer.value[at.index]
}
