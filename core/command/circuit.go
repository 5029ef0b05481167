package command

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/afex/hystrix-go/hystrix"

	"github.com/facet-gateway/facet/core/report"
)

// circuit decides whether a backend is asked at all. hystrix-go says when the
// share of faults is too high; a run of consecutive faults opens it too. From
// then on the decision is this circuit's alone: nothing passes for the sleep
// window, then one probe, whose success closes the circuit and whose fault
// begins another window.
//
// Every opening and closing begins a new epoch. What a call of an earlier epoch
// comes to says nothing about the backend now, and changes nothing.
type circuit struct {
	name    string // hystrix-go's, unique in the process
	breaker *hystrix.CircuitBreaker

	open      atomic.Bool
	epoch     atomic.Uint64
	faults    atomic.Int64 // consecutive
	lastFault atomic.Int64 // reported to hystrix-go, in Unix nanoseconds; 0: none
	opened    atomic.Uint64
	refused   atomic.Uint64

	mu      sync.Mutex // of what an open circuit does
	retryAt time.Time  // when the next probe may pass
}

// permit is the circuit's leave to make one call.
type permit struct {
	epoch uint64
	probe bool
}

// circuits numbers the circuits of the process, because hystrix-go keeps them
// in a global map that forgets nothing.
var circuits atomic.Uint64

// window is what hystrix-go looks back on, and a second for its buckets.
const window = 11 * time.Second

func newCircuit(name string) *circuit {
	c := &circuit{name: fmt.Sprintf("%s#%d", name, circuits.Add(1))}
	c.configure(DefaultPolicy().Circuit)
	c.breaker, _, _ = hystrix.GetCircuit(c.name) // it never returns an error
	return c
}

// configure hands the settings to hystrix-go, which reads them at each decision.
func (c *circuit) configure(p Circuit) {
	hystrix.ConfigureCommand(c.name, hystrix.CommandConfig{
		RequestVolumeThreshold: p.Volume,
		ErrorPercentThreshold:  p.ErrorPercent,
		SleepWindow:            int(max(p.Sleep.Milliseconds(), 1)),
	})
}

// allow returns leave to make a call, or false when the circuit is open.
func (c *circuit) allow(now time.Time, p *Circuit) (permit, bool) {
	if c.open.Load() {
		return c.allowProbe(now, p)
	}
	epoch := c.epoch.Load()
	// While the window holds no fault, the percentage is 0: nothing to ask.
	if last := c.lastFault.Load(); last != 0 && now.UnixNano()-last < int64(window) && !c.breaker.AllowRequest() {
		c.trip(epoch, p)
		return permit{}, false
	}
	return permit{epoch: epoch}, true
}

func (c *circuit) allowProbe(now time.Time, p *Circuit) (permit, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.open.Load() { // it closed meanwhile
		return permit{epoch: c.epoch.Load()}, true
	}
	if now.Before(c.retryAt) {
		return permit{}, false
	}
	c.retryAt = now.Add(p.Sleep) // one probe a window, even if it never returns
	return permit{epoch: c.epoch.Load(), probe: true}, true
}

// settle tells the circuit what a call that it allowed has come to.
func (c *circuit) settle(a permit, outcome report.Outcome, began time.Time, took time.Duration, p *Circuit) {
	if a.epoch != c.epoch.Load() {
		return
	}
	switch outcome {
	case report.Success, report.CallerFault:
		if a.probe {
			c.close(a.epoch, began, took)
			return
		}
		if c.faults.Load() != 0 {
			c.faults.Store(0)
		}
		c.event("success", began, took)
	case report.Failure, report.TimedOut:
		c.fault(a, outcome, began, took, p)
	case report.Canceled, report.Rejected, report.ShortCircuited:
		if a.probe {
			c.retryFrom(time.Time{}) // it proved nothing: another may follow at once
		}
	}
}

func (c *circuit) fault(a permit, outcome report.Outcome, began time.Time, took time.Duration, p *Circuit) {
	c.event(eventNames[outcome], began, took)
	now := time.Now()
	c.lastFault.Store(now.UnixNano())
	if a.probe {
		c.retryFrom(now.Add(p.Sleep))
		return
	}
	if c.faults.Add(1) >= int64(p.Consecutive) {
		c.trip(a.epoch, p)
	}
}

// eventNames are hystrix-go's words.
var eventNames = map[report.Outcome]string{report.Failure: "failure", report.TimedOut: "timeout"}

// event hands an event to hystrix-go, whose channel may be full.
func (c *circuit) event(name string, began time.Time, took time.Duration) {
	if err := c.breaker.ReportEvent([]string{name}, began, took); err != nil {
		c.refused.Add(1)
	}
}

func (c *circuit) retryFrom(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.retryAt = t
}

// trip opens the circuit, once an epoch.
func (c *circuit) trip(epoch uint64, p *Circuit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open.Load() || c.epoch.Load() != epoch {
		return
	}
	c.retryAt = time.Now().Add(p.Sleep)
	c.epoch.Add(1)
	c.opened.Add(1)
	c.open.Store(true)
}

// close closes the circuit after a good probe. hystrix-go forgets its window
// only when it closes itself, so it is first made to see how bad that was:
// otherwise the old faults would open the circuit again at once.
func (c *circuit) close(epoch uint64, began time.Time, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.epoch.Load() != epoch {
		return
	}
	c.breaker.IsOpen()
	c.event("success", began, took)
	c.faults.Store(0)
	c.lastFault.Store(0)
	c.epoch.Add(1)
	c.open.Store(false)
}

func (c *circuit) state() string {
	if c.open.Load() {
		return "open"
	}
	return "closed"
}
