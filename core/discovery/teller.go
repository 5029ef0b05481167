package discovery

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

// teller keeps the promises of Watch about what is told, and when. One goroutine has it.
type teller struct {
	registry string
	told     func([]Instance)
	failed   func(error)

	last  []Instance // what was told; nil: nothing yet
	wrong string     // which kind of reason was told since; "": none
}

// flawed is why a part of the list that was just told is missing.
type flawed struct{ error }

func (f flawed) Unwrap() error { return f.error }

// tell takes an answer of the registry. flaw says what was left out of it; nil: nothing.
func (t *teller) tell(found []Instance, flaw error) {
	list, over := settle(found)
	if over > 0 {
		flaw = errors.Join(flaw, rubbish(t.registry, fmt.Sprintf("knows %d instances too many; allowed: %d", over, MaxInstances)))
	}
	if len(list) == 0 {
		if flaw == nil {
			flaw = empty(t.registry)
		}
		t.fail(flaw)
		return
	}
	wrong := ""
	if flaw != nil {
		wrong = "flaw: " + flaw.Error()
	}
	if wrong == t.wrong && slices.Equal(list, t.last) {
		return
	}
	t.last, t.wrong = list, wrong
	t.told(slices.Clone(list))
	if flaw != nil {
		t.failed(flawed{flaw})
	}
}

// fail takes why the registry has no answer.
func (t *teller) fail(err error) {
	if kind := fault.CodeOf(err).String(); kind != t.wrong {
		t.wrong = kind
		t.failed(err)
	}
}

// out reports whether nothing could be told of late.
func (t *teller) out() bool { return t.last == nil || t.wrong != "" }

// The bounds of tries.
const (
	shortest = 100 * time.Millisecond // between two of them
	longest  = 2 * time.Second
	limit    = 2 * time.Second // of each
)

// backoff is how long to wait before the next try.
type backoff time.Duration

// pause waits longer from time to time.
func (b *backoff) pause(ctx context.Context) {
	d := max(time.Duration(*b), shortest)
	*b = backoff(min(2*d, longest))
	wait(ctx, d/2+rand.N(d/2)) // replicas do not come back in step
}

func (b *backoff) reset() { *b = 0 }

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
