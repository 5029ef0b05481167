package main

import (
	"context"
	"time"

	"github.com/facet-gateway/facet/bench/openloop"
)

// callsPerPage shows that a service which fails everything is asked no more than a
// healthy one, though its calls may be repeated.
func callsPerPage(ctx context.Context, l *lab, r row) ([]finding, error) {
	const most = 1.1
	return l.repeated(ctx, r, "", func(_ dose, healthy float64) float64 { return most * healthy })
}

// budgetAlone has the circuit open for nobody, so that the budget of retries alone holds
// them: a fifth of the runs, and one a second beside.
func budgetAlone(ctx context.Context, l *lab, r row) ([]finding, error) {
	const share, floor = 1.2, 1
	return l.repeated(ctx, r, "observe", func(d dose, healthy float64) float64 {
		// A budget counts by whole seconds, the one that has begun among the ten: it may
		// be spent anew after nine. What is left of the time before is spent, too.
		const anew = 9
		spent := max(1, d.faulty.Seconds()/anew) * window.Seconds() / d.faulty.Seconds()
		return healthy * (1 + (share-1+floor/d.rate)*spent)
	})
}

// repeated measures the calls per page of a command that retries, in a mode, and holds
// them to a bound that depends on the healthy runs'.
func (l *lab) repeated(ctx context.Context, r row, mode string, bound func(d dose, healthy float64) float64) ([]finding, error) {
	d := l.options.pick(dose{2, 10 * time.Second, 30 * time.Second, 50}, dose{1, time.Second, 3 * time.Second, 40})
	p := quick()
	p.retry, p.mode = "attempts: 3", mode
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
	found := append(usual(all),
		atMost("calls per page", calls, callsHurt, bound(d, median(calls)), nil),
		finding{what: "of them again, in all", faulty: retries},
		lostPages(all),
	)
	if mode != "" {
		found = append(found, atLeast("of them again, so that the budget was asked", nil, retries, 1))
	}
	return append(found, after...), err
}

// retries is how many attempts a command made beside the first ones.
func (r *record) retries(command string) uint64 {
	all := r.glances[command]
	if len(all) == 0 {
		return 0
	}
	return all[len(all)-1].retries - all[0].retries
}
