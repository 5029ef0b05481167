package stream

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/facet-gateway/facet/core/report"
)

// Workers are goroutines that run the streams of many requests, one after the
// other. They belong to no request: when one has ended, they run nothing of it.
//
// A new goroutine begins with a small stack, which a call to a backend grows by
// copying it: 6 % of the CPU of a page of seven calls, which one that has run a
// call before does not spend. A worker that found nothing to do for a [rest] ends,
// and at once if there are maxIdle beside it. The zero value is ready, and safe for
// concurrent use.
type Workers struct {
	mu      sync.Mutex
	idle    []worker // the one that ran last comes last, and is taken first
	unused  int      // how many have been idle ever since the last look
	looking bool
}

// rest is how long a worker waits for work, at least; twice as long at most.
const rest = 100 * time.Millisecond

// maxIdle is how many workers wait for work at most: 16 KiB of stack each, or so.
const maxIdle = 1024

// worker is the channel on which an idle goroutine is given work; closed, it ends.
type worker chan task

// task is what a worker runs. It does not panic.
type task interface{ work() }

// Open is [Open] of a request whose streams the workers run.
func (w *Workers) Open(parent context.Context, r *report.Report) (context.Context, *Scope) {
	ctx, s := Open(parent, r)
	s.workers = w
	return ctx, s
}

// OpenAfter is [OpenAfter] of a request whose streams the workers run.
func (w *Workers) OpenAfter(parent context.Context, r *report.Report, earlier *Scope) (context.Context, *Scope) {
	ctx, s := OpenAfter(parent, r, earlier)
	s.workers = w
	return ctx, s
}

// run runs a task beside the caller. Nil workers have a new goroutine for each.
func (w *Workers) run(t task) {
	if w == nil {
		go t.work()
		return
	}
	if idle := w.take(); idle != nil {
		idle <- t // it has room for one, and only who takes it sends
		return
	}
	go w.work(t)
}

func (w *Workers) take() worker {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := len(w.idle) - 1
	if last < 0 {
		return nil
	}
	taken := w.idle[last]
	w.idle[last] = nil
	w.idle = w.idle[:last]
	w.unused = min(w.unused, last)
	return taken
}

// work is the goroutine of a worker.
func (w *Workers) work(t task) {
	me := make(worker, 1)
	for given := true; given; t, given = <-me {
		t.work()
		if !w.wait(me) {
			return
		}
	}
}

// wait puts a worker among the idle ones, and sees to it that somebody looks. It
// reports false if there are enough of them.
func (w *Workers) wait(me worker) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.idle) >= maxIdle {
		return false
	}
	w.idle = append(w.idle, me)
	if !w.looking {
		w.looking = true
		time.AfterFunc(rest, w.look)
	}
	return true
}

// look ends the workers that nobody needed since the last look. It happens only
// while there are any.
func (w *Workers) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, unused := range w.idle[:w.unused] {
		close(unused)
	}
	w.idle = slices.Delete(w.idle, 0, w.unused)
	w.unused = len(w.idle)
	w.looking = len(w.idle) > 0
	if w.looking {
		time.AfterFunc(rest, w.look)
	}
}
