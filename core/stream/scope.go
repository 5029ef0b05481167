package stream

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// Grace is how long the end of a request waits for calls to notice it. A call
// notices within a few milliseconds; what does not is counted as a runaway.
const Grace = 100 * time.Millisecond

// Scope is what the streams of one request share: its context, its report, and
// the memo of calls already made. It is made by [Open] and ended by Close.
type Scope struct {
	ctx     context.Context // a scoped
	cancel  context.CancelCauseFunc
	report  *report.Report
	workers *Workers              // nil: each stream has a new goroutine
	watcher Watcher               // nil: nobody watches
	earlier *Scope                // whose answers are taken; nil: of none
	failure atomic.Pointer[error] // of the first vital stream that failed

	mu      sync.Mutex
	memo    memo      // of calls, by their key
	batches []starter // that wait for more keys
	nested  []nestedPart

	busy    atomic.Int32  // goroutines that may ask for more before they wait
	running atomic.Int32  // streams that run now
	idle    chan struct{} // a token when running falls to 0
	grace   atomic.Int64  // when the wait after the end is over; 0: it has not begun; or settled
}

type scopeKey struct{}

// scoped is the context of a request: it carries the scope and the report.
type scoped struct {
	context.Context
	scope *Scope
}

// Value answers for the scope and for [report.From].
func (c scoped) Value(key any) any {
	switch key {
	case scopeKey{}:
		return c.scope
	case report.RequestKey{}:
		return c.scope.report
	}
	return c.Context.Value(key)
}

// errClosed is the cause of the context once a request has been answered.
var errClosed = fault.Because(fault.ReasonCanceled, errors.New("the request has been answered"))

// Open returns the scope of one request, and the context that carries it. The
// caller owns both and must call Close.
func Open(parent context.Context, r *report.Report) (context.Context, *Scope) {
	s := &Scope{report: r, idle: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancelCause(parent)
	s.ctx, s.cancel = scoped{ctx, s}, cancel
	return s.ctx, s
}

// scopeOf returns the scope that ctx carries, nil if it carries none.
func scopeOf(ctx context.Context) *Scope {
	s, _ := ctx.Value(scopeKey{}).(*Scope)
	return s
}

// Report returns the record of the request.
func (s *Scope) Report() *report.Report { return s.report }

// Close cancels everything that still runs and waits for it to end, at most
// [Grace]. It returns the number of runaways: streams that still run, because
// code in them ignores its context. Call it once, when the answer is made.
func (s *Scope) Close() int {
	runaways := s.end()
	if runaways == 0 {
		s.grace.Store(settled)
	}
	return runaways
}

// settled is the grace of a scope that is closed, and of which nothing runs: it is over
// since the beginning, and no other is.
const settled = 1

func (s *Scope) end() int {
	s.cancel(errClosed)
	if s.running.Load() == 0 {
		return 0
	}
	timer := time.NewTimer(s.graceLeft())
	defer timer.Stop()
	for s.running.Load() > 0 {
		select {
		case <-s.idle:
		case <-timer.C:
			return int(s.running.Load())
		}
	}
	return 0
}

// graceLeft returns what is left of the one [Grace] of this request.
func (s *Scope) graceLeft() time.Duration {
	now := int64(s.now())
	s.grace.CompareAndSwap(0, now+int64(Grace))
	return time.Duration(s.grace.Load() - now)
}

func (s *Scope) enter() { s.running.Add(1) }

func (s *Scope) leave() {
	if s.running.Add(-1) > 0 {
		return
	}
	select {
	case s.idle <- struct{}{}:
	default:
	}
}

// fail ends the request: a stream that it cannot do without has failed. To the
// calls that are cut short by it the cause is a cancel, whatever the failure
// was: none of them had too little time because another one did.
func (s *Scope) fail(err error) {
	if s.failure.CompareAndSwap(nil, &err) {
		s.cancel(fault.Because(fault.ReasonCanceled, err))
	}
}

func (s *Scope) failed() error {
	if err := s.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// over reports whether an answer can no longer be of use: the request has
// failed, or has ended a [Grace] ago. Nothing begins any more.
func (s *Scope) over() bool {
	end := s.grace.Load()
	return s.failure.Load() != nil || end != 0 && int64(s.now()) >= end
}

// ended returns why the request has ended, as a fault.
func (s *Scope) ended() error {
	if err := s.failed(); err != nil {
		return fault.Because(fault.ReasonCanceled, err)
	}
	cause := context.Cause(s.ctx)
	var f *fault.Error
	if errors.As(cause, &f) {
		return f
	}
	return fault.Because(fault.ReasonOf(cause), cause)
}

// share returns what was first shared under key in this request: n, if nothing was.
func (s *Scope) share(key, n any) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.memo.share(key, n)
}

// stamp is a moment, in nanoseconds since the request began.
type stamp time.Duration

func (s *Scope) now() stamp { return stamp(time.Since(s.report.Began)) }
