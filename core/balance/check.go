package balance

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// health is what checks have said of an instance. The zero value is healthy: a new
// instance is, until they say otherwise.
type health struct {
	bad        bool
	good, poor int       // in a row
	asked      time.Time // when the check began that has not ended; zero: none
	cause      string    // of the last one that was bad
}

// Probe says how an instance is asked how it is, such as by its health page. It has to
// end with its context; one that does not is taken for bad each time that the next
// check is due, and its instance is not closed before it ends. It may be set at any time.
func (p *Pool[C]) Probe(probe func(context.Context, C) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.probe = probe
	p.recheck()
}

// recheck wakes [Pool.Run] up, as the checks may be others.
func (p *Pool[C]) recheck() {
	select {
	case p.reformed <- struct{}{}:
	default:
	}
}

// Run checks the instances, at once and then at intervals, if that is configured and
// [Pool.Probe] has said how. It returns when ctx ends and all checks have. It is to
// run once.
func (p *Pool[C]) Run(ctx context.Context) {
	var probes sync.WaitGroup
	defer probes.Wait()
	for ctx.Err() == nil {
		p.wait(ctx, p.checkAll(ctx, &probes))
	}
}

// wait returns after a time (0: none), when the checks are others, or when ctx ends.
func (p *Pool[C]) wait(ctx context.Context, d time.Duration) {
	var after <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		after = timer.C
	}
	select {
	case <-after:
	case <-p.reformed:
	case <-ctx.Done():
	}
}

// checkAll starts a check of each instance that has none, and returns when to do so
// again.
func (p *Pool[C]) checkAll(ctx context.Context, probes *sync.WaitGroup) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	check := p.options.Check
	if check == nil || p.probe == nil {
		return 0
	}
	for _, s := range p.members {
		if !s.health.asked.IsZero() {
			if time.Since(s.health.asked) >= check.Timeout {
				p.tell(s, errHung)
			}
			continue
		}
		s.health.asked = time.Now()
		s.calls.beginCheck() // a member has not left: that takes the lock first
		probe := p.probe
		probes.Go(func() { p.check(ctx, s, check.Timeout, probe) })
	}
	return check.Interval
}

var errHung = errors.New("the check does not end")

func (p *Pool[C]) check(ctx context.Context, s *server[C], timeout time.Duration, probe func(context.Context, C) error) {
	defer func() {
		if s.calls.end(oneCheck) {
			p.finish(s)
		}
	}()
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := guarded(limited, s.usual.C, probe)
	if err == nil {
		err = limited.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s.health.asked = time.Time{}
	if ctx.Err() == nil && p.options.Check != nil {
		p.tell(s, err)
	}
}

func guarded[C any](ctx context.Context, c C, probe func(context.Context, C) error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the check panicked: %v", r)
		}
	}()
	return probe(ctx, c)
}

// tell counts a check, and moves the instance in or out when enough agree. Under the
// lock.
func (p *Pool[C]) tell(s *server[C], err error) {
	check, h := p.options.Check, &s.health
	if err == nil {
		h.good, h.poor = h.good+1, 0
	} else {
		h.good, h.poor, h.cause = 0, h.poor+1, short(err.Error())
	}
	switch {
	case h.bad && h.good >= check.Healthy:
		h.bad, h.cause = false, ""
		s.warmFrom.Store(p.now())
	case !h.bad && h.poor >= check.Unhealthy:
		h.bad = true
	default:
		return
	}
	p.rebuild()
}

// short bounds what is kept of a cause.
func short(text string) string { return text[:min(len(text), 200)] }
