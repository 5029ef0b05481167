package main

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/facet-gateway/facet/bench/openloop"
)

const (
	window = 10 * time.Second // of a circuit's percentage
	healed = time.Second      // beside the sleep, until the circuit is closed
)

// staysClosed shows a service that fails too seldom for its circuit to open.
func staysClosed(ctx context.Context, l *lab, r row) ([]finding, error) {
	s, all, err := l.fail(ctx, r, l.options.pick(longErrors(3), dose{1, time.Second, 3 * time.Second, 60}))
	if err != nil {
		return nil, err
	}
	defer s.close()
	openings, openingsHurt := column(all, func(e *episode, one service) float64 { return float64(e.seen.openings(one.command)) })
	after, err := s.aftermath(ctx)
	return append(append(usual(all),
		atMost("times that its circuit opened", openings, openingsHurt, 0, nil),
		lostPages(all),
	), after...), err
}

// opensAndCloses shows one that fails often enough, and then is healed under load.
func opensAndCloses(ctx context.Context, l *lab, r row) ([]finding, error) {
	// Little before it and much of it: what went well within the window counts, too.
	d := l.options.pick(longErrors(4), dose{1, 200 * time.Millisecond, window, 100})
	s, all, err := l.fail(ctx, r, d)
	if err != nil {
		return nil, err
	}
	defer s.close()
	var opened, closed []float64
	for _, p := range all {
		opened = append(opened, whenOpened(p))
		after, err := s.heal(ctx, r, p.service, d)
		if err != nil {
			return nil, err
		}
		closed = append(closed, after)
	}
	after, err := s.aftermath(ctx)
	return append(append(usual(all),
		atMost("opened after, s", nil, opened, window.Seconds(), nil),
		atMost("closed again after it heals, s", nil, closed, (s.policy.sleep+healed).Seconds(), nil),
		lostPages(all),
	), after...), err
}

func whenOpened(p pair) float64 {
	after, ever := p.faulty.seen.opened(p.service.command)
	if !ever {
		return math.Inf(1)
	}
	return after.Seconds()
}

// heal breaks a service until its circuit is open, heals it under load, and tells
// how long after that the circuit was closed for good, in seconds.
func (s *stage) heal(ctx context.Context, r row, one service, d dose) (float64, error) {
	if err := s.shop.hurt(ctx, one.name, r.fault); err != nil {
		return 0, err
	}
	for open := false; !open; {
		e, err := s.load(ctx, time.Second, s.pages(d.rate, details))
		if err != nil {
			return 0, err
		}
		_, open = e.seen.opened(one.command)
	}
	const before = time.Second
	begun := make(chan healing, 1)
	go func() {
		err := sleep(ctx, before)
		h := healing{at: time.Now()} // before the service is: its answer is part of the time
		if h.err = err; err == nil {
			h.err = s.shop.hurt(ctx, one.name, calm)
		}
		begun <- h
	}()
	e, err := s.load(ctx, before+s.policy.sleep+3*healed, s.pages(d.rate, details))
	h := <-begun
	if err := errors.Join(err, h.err); err != nil {
		return 0, err
	}
	after, isClosed := e.seen.closed(one.command)
	if !isClosed {
		return math.Inf(1), nil
	}
	return e.seen.began.Add(after).Sub(h.at).Seconds(), nil
}

// healing is when a service was healed, under load.
type healing struct {
	at  time.Time
	err error
}

func longErrors(rounds int) dose { return dose{rounds, window, 30 * time.Second, 50} }

// fail has a service fail by a percentage, in a gateway with the default circuit, or
// in the short form with one that sleeps for a second.
func (l *lab) fail(ctx context.Context, r row, d dose) (*stage, []pair, error) {
	p := quick()
	if !l.options.short {
		p.sleep = 5 * time.Second
	}
	s, err := l.start(ctx, p) // also in the short form: other rows would be in the window
	if err != nil {
		return nil, nil, err
	}
	all, err := s.paired(ctx, d, r, func(service) []openloop.Kind { return []openloop.Kind{s.pages(d.rate, details)} })
	if err != nil {
		s.close()
		return nil, nil, err
	}
	return s, all, nil
}
