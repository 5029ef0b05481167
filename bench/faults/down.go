package main

import (
	"context"
	"net/http"
	"time"

	"github.com/facet-gateway/facet/bench/openloop"
)

// allDown shows all seven services gone or hung, and pages of which half were never seen
// before: each is a degraded 200 or a typed 503, and quick once the circuits are open.
func allDown(ctx context.Context, l *lab, r row) ([]finding, error) {
	d := l.options.pick(dose{5, 3 * time.Second, 5 * time.Second, 200}, dose{1, time.Second, 3 * time.Second, 40})
	p := quick()
	if r.fault == "hang" {
		// A page that is the probe of a circuit waits for it. With the sleep of a second
		// that quick has, those were more than one in a hundred.
		p.sleep = 5 * time.Second
		d.faulty += 2 * time.Second // so that there are probes
	}
	s, done, err := l.stage(ctx, p)
	if err != nil {
		return nil, err
	}
	defer done()
	var all []pair
	for n := range d.rounds {
		p := pair{}
		healthy := func() (err error) {
			p.healthy, err = s.load(ctx, d.healthy, s.pages(d.rate, details))
			return err
		}
		faulty := func() (err error) {
			for _, one := range seven() {
				if err := s.shop.hurt(ctx, one.name, r.fault); err != nil {
					return err
				}
			}
			if p.faulty, err = s.load(ctx, d.faulty, s.pages(d.rate, detailsOfAll)); err != nil {
				return err
			}
			return s.recover(ctx)
		}
		if err := inTurn(n, healthy, faulty); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	after, err := s.aftermath(ctx)
	return append(judgeDown(all, d, r.fault == "hang"), after...), err
}

// judgeDown holds each page to a degraded 200 or a typed 503; where a page waited for the
// one service that it cannot do without, to a typed 504, which says so.
func judgeDown(all []pair, d dose, hung bool) []finding {
	either := "a degraded 200 nor a typed 503"
	if hung {
		either = "a degraded 200 nor a typed 503 or 504"
	}
	proper := func(a openloop.Answer) bool {
		return degraded(a) || !a.Faulty && (openloop.Refused(a) || hung && a.Status == http.StatusGatewayTimeout)
	}
	const quickly = 50 // ms
	var healthy, p99, room, other, refused []float64
	stayedClosed, silent := 0, 0
	for _, p := range all {
		since, ever := p.faulty.openSince()
		if !ever {
			stayedClosed++
		}
		pages := p.faulty.pages()
		other = append(other, float64(pages.Count(func(a openloop.Answer) bool { return !proper(a) })))
		refused = append(refused, 100*pages.Share(openloop.Refused))
		if len(pages.Between(since, d.faulty).Answers) == 0 {
			silent++
		}
		healthy = append(healthy, millis(p.healthy.pages().Percentile(99, openloop.Any)))
		p99 = append(p99, millis(pages.Between(since, d.faulty).Percentile(99, openloop.Any)))
		room = append(room, roomForP99(p.faulty.late))
	}
	return []finding{
		atMost("pages that are neither "+either, nil, other, 0, nil),
		{what: "of them 503, %", faulty: refused},
		atMost("p99 once open, ms", healthy, p99, quickly, room),
		atMost("rounds without a page once open", nil, []float64{float64(silent)}, 0, nil),
		atMost("rounds with a circuit that stayed closed", nil, []float64{float64(stayedClosed)}, 0, nil),
	}
}

func degraded(a openloop.Answer) bool { return openloop.Served(a) && !undegraded(a) && !a.Faulty }

// openSince tells since when the circuits of the seven have all been open. Shipping
// is asked only for products that are known.
func (e *episode) openSince() (since time.Duration, ever bool) {
	for _, one := range seven() {
		after, opened := e.seen.opened(one.command)
		if !opened {
			return 0, false
		}
		since = max(since, after)
	}
	return since, true
}
