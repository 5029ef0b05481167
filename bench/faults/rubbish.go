package main

import (
	"context"
	"time"

	"github.com/facet-gateway/facet/bench/openloop"
)

// rubbish shows one service whose bodies cannot be used. Its circuit is kept from
// opening, so that each page really reads one; a full run of all six kinds reads
// 100,000 and more. What is large takes milliseconds of a processor each time, and is
// read less often: pages that are refused because the machine is busy read nothing.
func rubbish(ctx context.Context, l *lab, r row) ([]finding, error) {
	full, large := dose{7, 1500 * time.Millisecond, 6 * time.Second, 600}, r.fault == "huge" || r.fault == "bomb"
	if large {
		full.rate = 60
	}
	d := l.options.pick(full, dose{1, 300 * time.Millisecond, time.Second, 40})
	p := quick()
	p.circuit = "volume: 100000, error_percent: 100, consecutive: 100000"
	s, done, err := l.stage(ctx, p)
	if err != nil {
		return nil, err
	}
	defer done()
	home := !l.options.short && !large
	if s.home = home; home { // what the pages need is seen once: a copy of it may stand in from now on
		if _, err := s.load(ctx, 4*time.Second, s.rotating(cycle*devices/3, home)); err != nil {
			return nil, err
		}
	}
	all, err := s.paired(ctx, d, r, func(service) []openloop.Kind { return []openloop.Kind{s.rotating(d.rate, home)} })
	if err != nil {
		return nil, err
	}
	found, err := s.judgeRubbish(all)
	if err != nil {
		return nil, err
	}
	after, err := s.aftermath(ctx)
	return append(found, after...), err
}

func (s *stage) judgeRubbish(all []pair) ([]finding, error) {
	const beside = 64 // MiB
	asked, askedHurt := column(all, func(e *episode, _ service) float64 { return float64(e.pages().Count(openloop.Any)) })
	peak, err := s.peak()
	if err != nil {
		return nil, err
	}
	memory := atMost("most memory resident, MiB", nil, []float64{peak}, limit*maxBody>>20+beside, nil)
	if s.lab.options.race {
		memory.verdict = told // its shadow memory is a multiple of what the program has
	}
	return append(usual(all),
		finding{what: "pages", healthy: asked, faulty: askedHurt},
		lostPages(all),
		invalid(all),
		memory,
	), nil
}
