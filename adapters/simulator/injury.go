package simulator

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

// injury is a fault that a service has now.
type injury struct {
	Fault
	slots    chan struct{} // taken by requests being served; nil: no limit
	waiting  atomic.Int64  // for a slot
	replaced chan struct{} // closed when the service gets another fault, or none
}

func newInjury(f Fault) *injury {
	i := &injury{Fault: f, replaced: make(chan struct{})}
	if f.Capacity > 0 {
		i.slots = make(chan struct{}, f.Capacity)
	}
	return i
}

// outcome is how a wait ended.
type outcome uint8

const (
	proceed outcome = iota // it is over: answer
	again                  // the fault was replaced: look at the next one
	refused                // there is no room: 503
	gone                   // the client left, or Close ended it
)

// serveInjured answers a request of a service with a fault.
func (s *service) serveInjured(w http.ResponseWriter, r *http.Request) {
	i, result := s.endure(r.Context())
	switch result {
	case refused:
		errorAnswer(http.StatusServiceUnavailable, "overloaded").write(w)
		return
	case gone:
		panic(http.ErrAbortHandler) // the connection ends without an answer
	case proceed, again:
	}
	extend(w)
	if i == nil {
		s.answer(r).write(w)
		return
	}
	defer i.leave()
	s.harm(w, r, i)
}

// endure takes a request through the queue and the latency of the service's fault. What
// waits when that is replaced is then treated as the service's new state wants it. It
// proceeds with the injury, which has to be left, or with none.
func (s *service) endure(ctx context.Context) (*injury, outcome) {
	for i := s.injury.Load(); i != nil; i = s.injury.Load() {
		result := i.enter(ctx)
		if result == proceed {
			if result = i.wait(ctx, s.random); result == proceed {
				return i, proceed
			}
			i.leave()
		}
		if result != again {
			return nil, result
		}
	}
	return nil, proceed
}

// enter takes a slot, after waiting in the queue if that has room.
func (i *injury) enter(ctx context.Context) outcome {
	if i.slots == nil {
		return proceed
	}
	select {
	case i.slots <- struct{}{}:
		return proceed
	default:
	}
	if i.waiting.Add(1) > int64(i.Queue) {
		i.waiting.Add(-1)
		return refused
	}
	defer i.waiting.Add(-1)
	select {
	case i.slots <- struct{}{}:
		return proceed
	case <-i.replaced:
		return again
	case <-ctx.Done():
		return gone
	}
}

func (i *injury) leave() {
	if i.slots != nil {
		<-i.slots
	}
}

// wait takes the latency, or for ever if the fault is to hang.
func (i *injury) wait(ctx context.Context, numbers *random) outcome {
	var over <-chan time.Time // nil: never
	if !i.Hang {
		delay := i.delay(numbers)
		if delay <= 0 {
			return proceed
		}
		timer := time.NewTimer(delay)
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-over:
		return proceed
	case <-i.replaced:
		return again
	case <-ctx.Done():
		return gone
	}
}

func (i *injury) delay(numbers *random) time.Duration {
	if i.Spread == 0 {
		return i.Latency
	}
	return i.Latency + time.Duration((2*numbers.float()-1)*float64(i.Spread))
}

// extend gives an answer its full time to be taken after a wait.
func extend(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTimeout)) // a closed connection tells itself
}
