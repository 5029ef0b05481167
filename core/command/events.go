package command

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/afex/hystrix-go/hystrix"
)

// events hands over to hystrix-go what calls came to. Each hand-over wakes its
// monitor, which costs more than the rest of a command. So while the window
// holds no fault, when no percentage can come of it, successes wait for each
// other; from the first fault on all are handed over at once. hystrix-go
// counts them from then on: up to a batch of them stays in its window longer
// than it ought to, by less than the window.
type events struct {
	breaker  *hystrix.CircuitBreaker
	kinds    eventKinds
	refused  atomic.Uint64 // by hystrix-go, whose channel was full
	faultyTo atomic.Int64  // until when the window holds a fault, in Unix nanoseconds

	mu      sync.Mutex
	waiting int // of batch
	batch   [32]success
}

// eventKinds are hystrix-go's words.
type eventKinds struct{ success, failure, timeout []string }

// success is a call that succeeded and is not yet handed over.
type success struct {
	began time.Time
	took  time.Duration
}

// window is what hystrix-go looks back on; its buckets are a second wide.
const (
	window = 10 * time.Second
	bucket = time.Second
)

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
	e.batch[e.waiting] = success{began, took}
	e.waiting++
	if e.waiting == len(e.batch) {
		e.flush(end)
	}
}

// failed counts a fault, after the successes that came before it.
func (e *events) failed(kind []string, began time.Time, took time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	end := began.Add(took)
	e.flush(end)
	e.report(kind, began, took)
	e.faultyTo.Store(end.Add(window + bucket).UnixNano())
}

// flush hands over the successes that wait, but for those that the window no
// longer holds.
func (e *events) flush(now time.Time) {
	for _, s := range e.batch[:e.waiting] {
		if now.Sub(s.began.Add(s.took)) < window {
			e.report(e.kinds.success, s.began, s.took)
		}
	}
	e.waiting = 0
}

// forget begins an empty window, which the caller has made hystrix-go open for:
// the success of a probe closes it, and it forgets only then.
func (e *events) forget(began time.Time, took time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiting = 0
	e.faultyTo.Store(0)
	e.report(e.kinds.success, began, took)
}

func (e *events) report(kind []string, began time.Time, took time.Duration) {
	if err := e.breaker.ReportEvent(kind, began, took); err != nil {
		e.refused.Add(1)
	}
}
