package edge_test

import (
	"context"
	"sync"
	"time"

	"github.com/facet-gateway/facet/core/edge"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// service models a backend service and the command in front of it: so many at
// once, a queue, a bulkhead, a time limit, and a circuit that opens on faults in
// a row. It is used in a bubble of testing/synctest, where its time is virtual.
type service struct {
	slots    chan struct{}
	latency  time.Duration
	timeout  time.Duration
	bulkhead int

	mu          sync.Mutex
	inFlight    int
	consecutive int
	openUntil   time.Time
}

const (
	consecutiveFaults = 20
	circuitSleep      = 5 * time.Second
)

func newService(perSecond int, latency time.Duration) *service {
	return &service{
		slots:   make(chan struct{}, int(time.Duration(perSecond)*latency/time.Second)),
		latency: latency, timeout: 300 * time.Millisecond, bulkhead: 100,
	}
}

func (s *service) call(ctx context.Context) error {
	if err := s.enter(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err := s.serve(ctx)
	s.leave(err)
	return err
}

func (s *service) enter() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Now().Before(s.openUntil) {
		return fault.Because(fault.ReasonOpen, nil)
	}
	if s.inFlight >= s.bulkhead {
		return fault.Because(fault.ReasonFull, nil)
	}
	s.inFlight++
	return nil
}

func (s *service) serve(ctx context.Context) error {
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return fault.Because(fault.ReasonTimeout, ctx.Err())
	}
	defer func() { <-s.slots }()
	timer := time.NewTimer(s.latency)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return fault.Because(fault.ReasonTimeout, ctx.Err())
	}
}

func (s *service) leave(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight--
	if err == nil {
		s.consecutive = 0
		return
	}
	if s.consecutive++; s.consecutive >= consecutiveFaults {
		s.consecutive, s.openUntil = 0, time.Now().Add(circuitSleep)
	}
}

// page is the shop's: a required call, then an optional one that depends on it.
func page(ctx context.Context, catalog, shipping *service) ([]report.Part, error) {
	if err := catalog.call(ctx); err != nil {
		return nil, err
	}
	parts := []report.Part{{Name: "shipping", Mark: report.Mark{Rung: report.Live}}}
	if err := shipping.call(ctx); err != nil {
		parts[0].Mark = report.Mark{Rung: report.Missing, Reason: fault.ReasonOf(err)}
	}
	return parts, nil
}

// gate is what is compared: an answer at once, and what to call in the end.
type gate func(edge.Priority) (done func(edge.Verdict), ok bool)

func gateOf(l *edge.Limiter) gate {
	return func(p edge.Priority) (func(edge.Verdict), bool) {
		permit, err := l.Admit(p, time.Now())
		if err != nil {
			return nil, false
		}
		return func(v edge.Verdict) { permit.Done(v, pageBudget, time.Now()) }, true
	}
}

const pageBudget = 800 * time.Millisecond

// tally is what became of the requests of one priority.
type tally struct{ offered, refused, whole, degraded, failed int }

func (t tally) served() int { return t.whole + t.degraded }

// play asks for pages open loop: rates are requests a second of each priority.
func play(g gate, catalog, shipping *service, lasting time.Duration, rates [2]int) [2]tally {
	var mu sync.Mutex
	var all sync.WaitGroup
	var tallies [2]tally
	ask := func(p edge.Priority) {
		mine := &tallies[p]
		done, ok := g(p)
		mu.Lock()
		mine.offered++
		if !ok {
			mine.refused++
		}
		mu.Unlock()
		if !ok {
			return
		}
		all.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), pageBudget)
			defer cancel()
			parts, err := page(ctx, catalog, shipping)
			v := edge.VerdictOf(err, parts)
			done(v)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case v == edge.Whole:
				mine.whole++
			case err == nil:
				mine.degraded++
			default:
				mine.failed++
			}
		})
	}
	const tick = 500 * time.Microsecond
	var owed [2]float64
	for began := time.Now(); time.Since(began) < lasting; time.Sleep(tick) {
		for p := range owed {
			for owed[p] += float64(rates[p]) * tick.Seconds(); owed[p] >= 1; owed[p]-- {
				ask(edge.Priority(p)) //nolint:gosec // 0 or 1
			}
		}
	}
	all.Wait()
	return tallies
}
