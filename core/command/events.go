package command

import (
	"math"
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
// past weighs for at most one window more, and never more than carried calls. With
// it, 60 % of faults opened a circuit after 10 s and not after 8.3. So the share of
// the last ten seconds is also taken from what is counted here, while there are faults.
type events struct {
	breaker  *hystrix.CircuitBreaker
	kinds    eventKinds
	refused  atomic.Uint64 // by hystrix-go, whose channel was full
	faultyTo atomic.Int64  // until when the window holds a fault, in Unix nanoseconds

	mu   sync.Mutex
	past [window/bucket + 1]second // as many as hystrix-go sums up: the one that has begun, too
}

// eventKinds are hystrix-go's words.
type eventKinds struct{ success, failure, timeout []string }

// second is what calls came to in one second.
type second struct {
	at        int64 // which one
	successes int64
	waiting   int64 // of the successes, those that were not handed over
	faults    int64
}

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
	s := e.second(end)
	s.successes++
	if e.faulty(end) {
		e.report(e.kinds.success, began, took)
		return
	}
	s.waiting++
}

// failed counts a fault, after the successes that came before it.
func (e *events) failed(kind []string, began time.Time, took time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	end := began.Add(took)
	for range e.recall(end.Unix()) {
		e.report(e.kinds.success, began, took)
	}
	e.second(end).faults++
	e.report(kind, began, took)
	e.faultyTo.Store(end.Add(window + bucket).UnixNano())
}

// second returns where a moment is counted.
func (e *events) second(t time.Time) *second {
	now := t.Unix()
	s := &e.past[now%int64(len(e.past))]
	if s.at != now {
		*s = second{at: now}
	}
	return s
}

// recall returns how many successes the window holds that were not handed over,
// and forgets that.
func (e *events) recall(now int64) int64 {
	var n int64
	for i := range e.past {
		s := &e.past[i]
		if now-s.at < int64(len(e.past)) {
			n += s.waiting
		}
		s.waiting = 0
	}
	return min(n, carried)
}

// over reports whether the faults of the last ten seconds are too many, as hystrix-go
// reckons: of at least so many calls, so many percent, rounded.
func (e *events) over(now time.Time, p *Circuit) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	var calls, faults int64
	for _, s := range e.past {
		if now.Unix()-s.at < int64(len(e.past)) {
			calls += s.successes + s.faults
			faults += s.faults
		}
	}
	return calls >= int64(p.Volume) && int64(math.Round(100*float64(faults)/float64(calls))) >= int64(p.ErrorPercent)
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
