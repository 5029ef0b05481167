package main

import (
	"context"
	"time"

	"github.com/facet-gateway/facet/bench/openloop"
)

// callsPerPage shows that a service which fails everything is asked no more than a
// healthy one, though its calls may be repeated.
func callsPerPage(ctx context.Context, l *lab, r row) ([]finding, error) {
	d := l.options.pick(dose{2, 10 * time.Second, 30 * time.Second, 50}, dose{1, time.Second, 3 * time.Second, 40})
	p := quick()
	p.retry = "attempts: 3"
	s, done, err := l.stage(ctx, p)
	if err != nil {
		return nil, err
	}
	defer done()
	all, err := s.paired(ctx, d, r, func(service) []openloop.Kind { return []openloop.Kind{s.pages(d.rate, details)} })
	if err != nil {
		return nil, err
	}
	calls, callsHurt := column(all, func(e *episode, one service) float64 {
		return float64(e.counts[one.name].Requests) / float64(max(1, e.pages().Count(openloop.Any)))
	})
	_, retries := column(all, func(e *episode, one service) float64 { return float64(e.seen.retries(one.command)) })
	after, err := s.aftermath(ctx)
	return append(append(usual(all),
		atMost("calls per page", calls, callsHurt, 1.1*median(calls), nil),
		finding{what: "of them again, in all", faulty: retries},
		lostPages(all),
	), after...), err
}

// retries is how many attempts a command made beside the first ones.
func (r *record) retries(command string) uint64 {
	all := r.glances[command]
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1].retries - all[0].retries
}
