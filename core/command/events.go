package command

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/afex/hystrix-go/hystrix"
)

// events hands over to hystrix-go what calls came to. A hand-over wakes its
// monitor and costs 3 µs, more than the rest of a command. So while the window
// holds no fault, when no percentage can come of it, successes are only counted
// here, second by second. The first fault brings those of the last 10 s along,
// at most as many as carried says; from then on, until the window holds no fault
// again, everything is handed over as it happens.
//
// hystrix-go counts what was brought along from that moment on, so a healthy
// past weighs for at most one window more, and never more than carried calls.
type events struct {
	breaker  *hystrix.CircuitBreaker
	kinds    eventKinds
	refused  atomic.Uint64 // by hystrix-go, whose channel was full
	faultyTo atomic.Int64  // until when the window holds a fault, in Unix nanoseconds

	mu   sync.Mutex
	past [window / bucket]second
}

// eventKinds are hystrix-go's words.
type eventKinds struct{ success, failure, timeout []string }

// second is how many calls succeeded in one second.
type second struct{ at, count int64 }

// window is what hystrix-go looks back on; its buckets are a second wide.
const (
	window = 10 * time.Second
	bucket = time.Second
)

// carried is how many successes the first fault brings along: half of what
// hystrix-go's channel holds.
const carried = 1000

func newEvents(breaker *hystrix.CircuitBreaker) *events {
	return &events{
		breaker: breaker,
		kinds:   eventKinds{success: []string{"success"}, failure: []string{"failure"}, timeout: []string{"timeout"}},
	}
}

// faulty reports whether the window may hold a fault.
func (e *events) faulty(now time.Time) bool {
	until := e.faultyTo.Load()
	return until != 0 && now.UnixNano() < until
}

// succeeded counts a success.
func (e *events) succeeded(began time.Time, took time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	end := began.Add(took)
	if e.faulty(end) {
		e.report(e.kinds.success, began, took)
		return
	}
	now := end.Unix()
	s := &e.past[now%int64(len(e.past))]
	if s.at != now {
		*s = second{at: now}
	}
	s.count++
}

// failed counts a fault, after the successes that came before it.
func (e *events) failed(kind []string, began time.Time, took time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	end := began.Add(took)
	for range e.recall(end.Unix()) {
		e.report(e.kinds.success, began, took)
	}
	e.report(kind, began, took)
	e.faultyTo.Store(end.Add(window + bucket).UnixNano())
}

// recall returns how many successes the window holds that were not handed over,
// and forgets them.
func (e *events) recall(now int64) int64 {
	var n int64
	for _, s := range e.past {
		if now-s.at < int64(len(e.past)) {
			n += s.count
		}
	}
	clear(e.past[:])
	return min(n, carried)
}

// forget begins an empty window, which the caller has made hystrix-go open for:
// the success of a probe closes it, and it forgets only then.
func (e *events) forget(began time.Time, took time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	clear(e.past[:])
	e.faultyTo.Store(0)
	e.report(e.kinds.success, began, took)
}

func (e *events) report(kind []string, began time.Time, took time.Duration) {
	if err := e.breaker.ReportEvent(kind, began, took); err != nil {
		e.refused.Add(1)
	}
}
