package main

import (
	"context"
	"fmt"
	"time"

	"github.com/facet-gateway/facet/bench/openloop"
)

// waits shows one service that answers too late, or never: pages wait for it as
// long as its command may take and no longer, then its circuit is open, and pages
// that do not use it come as ever.
func waits(ctx context.Context, l *lab, r row) ([]finding, error) {
	d := l.options.pick(dose{7, 4 * time.Second, 4 * time.Second, 100}, dose{1, time.Second, 1500 * time.Millisecond, 40})
	p := quick()
	if l.options.short {
		p.limit = 8 // forty a second would be twelve that wait
	}
	s, done, err := l.stage(ctx, p)
	if err != nil {
		return nil, err
	}
	defer done()
	all, err := s.paired(ctx, d, r, func(one service) []openloop.Kind {
		kinds := []openloop.Kind{s.pages(d.rate, details)}
		if one.bystander != "" {
			kinds = append(kinds, s.pages(d.rate/2, func(int) string { return one.bystander }))
		}
		return kinds
	})
	if err != nil {
		return nil, err
	}
	after, err := s.aftermath(ctx)
	return append(judgeWaits(all, p), after...), err
}

// unnoticed is how many calls a service may still hold that were broken off: each is one
// until the service has noticed, which on a machine of few cores takes a millisecond.
const unnoticed = 4

func judgeWaits(all []pair, p policy) []finding {
	const beside = 50 * time.Millisecond
	slowest, slowestHurt := column(all, func(e *episode, _ service) float64 { return millis(e.pages().Percentile(100, openloop.Any)) })
	_, room := column(all, func(e *episode, _ service) float64 { return roomForMost(e.late) })
	calls, callsHurt := column(all, func(e *episode, one service) float64 { return float64(e.counts[one.name].MaxInFlight) })
	limit := float64(p.most())
	_, waited := column(all, func(e *episode, one service) float64 { return float64(e.seen.most[one.command]) })
	above, aboveHurt := column(all, func(e *episode, _ service) float64 { return float64(e.seen.above) })
	_, faults := column(all, func(e *episode, one service) float64 { return float64(e.seen.faultsToOpen(one.command)) })
	stayedClosed := 0.0
	for _, p := range all {
		if _, ever := p.faulty.seen.opened(p.service.command); !ever {
			stayedClosed++
		}
	}
	return append(usual(all),
		atMost("slowest page, ms", slowest, slowestHurt, millis(timeout+beside), room),
		atMost("calls in flight to it, as the gateway counts", nil, waited, limit, nil),
		atLeast("of them, so that the limit was reached", nil, waited, limit),
		atMost(fmt.Sprintf("calls in flight to it, as the service counts, %d of them broken off", unnoticed),
			calls, callsHurt, limit+unnoticed, nil),
		atMost("looks above a limit", above, aboveHurt, 0, nil),
		atMost("faults in a row until it opened, one of them in the same moment", nil, faults, consecutive+1, nil),
		atMost("circuits that stayed closed", nil, []float64{stayedClosed}, 0, nil),
		bystanders(all),
		lostPages(all),
	)
}

// bystanders are the pages that do not use the service, where there are such pages.
func bystanders(all []pair) finding {
	var healthy, faulty []float64
	for _, p := range all {
		if p.service.bystander != "" {
			healthy = append(healthy, millis(p.healthy.results[1].Percentile(99, openloop.Served)))
			faulty = append(faulty, millis(p.faulty.results[1].Percentile(99, openloop.Served)))
		}
	}
	return unchanged("p99 of pages without it, ms", healthy, faulty)
}
