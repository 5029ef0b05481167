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
	events  *events

	forced atomic.Pointer[decree] // by hand; nil: not
	open   atomic.Bool
	epoch  atomic.Uint64
	faults atomic.Int64 // consecutive
	opened atomic.Uint64

	mu       sync.Mutex // of the settings, and of what an open circuit does
	settings Circuit
	retryAt  time.Time // when the next probe may pass
	probes   uint64    // so far
}

// permit is the circuit's leave to make one call.
type permit struct {
	epoch uint64
	probe uint64 // its number; 0: it is none
}

// circuits numbers the circuits of the process, because hystrix-go keeps them
// in a global map that forgets nothing.
var circuits atomic.Uint64 //nolint:gochecknoglobals // as global as what it numbers

func newCircuit(name string) *circuit {
	c := &circuit{name: fmt.Sprintf("%s#%d", name, circuits.Add(1))}
	c.configure(DefaultPolicy().Circuit)
	c.breaker, _, _ = hystrix.GetCircuit(c.name) // it never returns an error
	c.events = newEvents(c.breaker)
	return c
}

// configure hands the settings to hystrix-go, which reads them at each decision.
// An open circuit does not sleep longer than it would from now on.
func (c *circuit) configure(p Circuit) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settings = p
	if latest := time.Now().Add(p.Sleep); c.retryAt.After(latest) {
		c.retryAt = latest
	}
	c.trigger(p.Volume, p.ErrorPercent)
}

func (c *circuit) trigger(volume, percent int) {
	hystrix.ConfigureCommand(c.name, hystrix.CommandConfig{RequestVolumeThreshold: volume, ErrorPercentThreshold: percent})
}

// allow returns leave to make a call, or false when the circuit is open.
func (c *circuit) allow(now time.Time, p *Circuit) (permit, bool) {
	if c.forced.Load() != nil {
		if d := c.decree(now); d != nil {
			return d.allow()
		}
	}
	epoch := c.epoch.Load() // before open: at worst it is an old one
	if c.open.Load() {
		return c.allowProbe(p)
	}
	// While the window holds no fault, the percentage is 0: nothing to ask.
	if c.events.faulty(now) && (c.breaker.IsOpen() || c.events.over(now, p)) {
		c.trip(epoch, p)
		return permit{}, false
	}
	return permit{epoch: epoch}, true
}

// allowProbe looks at the clock itself: on a busy machine a call may have begun long
// before it comes here, and windows would be as much shorter.
func (c *circuit) allowProbe(p *Circuit) (permit, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if !c.open.Load() { // it closed meanwhile
		return permit{epoch: c.epoch.Load()}, true
	}
	if now.Before(c.retryAt) {
		return permit{}, false
	}
	c.retryAt = now.Add(p.Sleep) // one probe a window, even if it never returns
	c.probes++
	return permit{epoch: c.epoch.Load(), probe: c.probes}, true
}

// settle tells the circuit what a call that it allowed has come to.
func (c *circuit) settle(a permit, outcome report.Outcome, began time.Time, took time.Duration, p *Circuit) {
	if a.epoch != c.epoch.Load() {
		return
	}
	switch outcome {
	case report.Success:
		c.succeeded(a, began, took)
	case report.CallerFault: // counts neither for nor against the backend, but that it is there
		if a.probe != 0 {
			c.close(a.epoch, began, took)
		}
	case report.Failure:
		c.failed(a, c.events.kinds.failure, began, took, p)
	case report.TimedOut:
		c.failed(a, c.events.kinds.timeout, began, took, p)
	case report.Canceled, report.Rejected, report.ShortCircuited, report.OutOfBudget:
		c.undecided(a)
	}
}

func (c *circuit) succeeded(a permit, began time.Time, took time.Duration) {
	if a.probe != 0 {
		c.close(a.epoch, began, took)
		return
	}
	if c.faults.Load() != 0 {
		c.faults.Store(0)
	}
	c.events.succeeded(began, took)
}

func (c *circuit) failed(a permit, kind []string, began time.Time, took time.Duration, p *Circuit) {
	c.events.failed(kind, began, took)
	if a.probe != 0 {
		c.retryFrom(a, began.Add(took+p.Sleep))
		return
	}
	if c.faults.Add(1) >= int64(p.Consecutive) {
		c.trip(a.epoch, p)
	}
}

// retryFrom has the next probe wait, unless the circuit has changed since, or another
// probe followed already: its window is not to be shortened by one that was noticed late.
func (c *circuit) retryFrom(a permit, t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.epoch.Load() == a.epoch && a.probe == c.probes {
		c.retryAt = t
	}
}

// undecided lets another probe follow at once one that proved nothing, unless
// another followed already.
func (c *circuit) undecided(a permit) {
	if a.probe == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if a.probe == c.probes {
		c.retryAt = time.Time{}
	}
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

// close closes the circuit after a good probe.
func (c *circuit) close(epoch uint64, began time.Time, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.epoch.Load() == epoch {
		c.renew(began, took)
	}
}

// renew begins a closed epoch that remembers nothing; c.mu is held. hystrix-go
// forgets its window only when it closes itself, so it is first made to open, by
// limits that any window is over: else the old faults could open the circuit again.
func (c *circuit) renew(began time.Time, took time.Duration) {
	c.trigger(1, -1)
	c.breaker.IsOpen()
	c.trigger(c.settings.Volume, c.settings.ErrorPercent)
	c.events.forget(began, took)
	c.faults.Store(0)
	c.epoch.Add(1)
	c.open.Store(false)
}

func (c *circuit) state() string {
	if d := c.decree(time.Now()); d != nil {
		return d.state.String()
	}
	if c.open.Load() {
		return "open"
	}
	return "closed"
}
