package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/facet-gateway/facet/bench/openloop"
)

// episode is a time under load, and all that was seen of it.
type episode struct {
	results []openloop.Result // of each kind of page
	seen    *record
	counts  map[string]counts // of the services
	late    openloop.Lateness
}

func (e *episode) pages() openloop.Result { return e.results[0] }

// all are the pages of every kind.
func (e *episode) all() (all openloop.Result) {
	for _, r := range e.results {
		all.Answers = append(all.Answers, r.Answers...)
	}
	return all
}

// load asks for pages for a time, and watches the gateway and the machine.
func (s *stage) load(ctx context.Context, span time.Duration, kinds ...openloop.Kind) (*episode, error) {
	const longest = 10 * time.Second // for an answer: pages have 800 ms
	if err := s.shop.resetCounts(ctx); err != nil {
		return nil, err
	}
	client := openloop.NewClient(longest)
	defer client.CloseIdleConnections()
	watched, late := s.watch(ctx), openloop.WatchLateness()
	results, err := openloop.Run(ctx, client, span, kinds...)
	e := &episode{results: results, late: late()}
	seen, fault := watched()
	if err == nil {
		err = fault
	}
	if err != nil {
		return nil, err
	}
	e.seen = seen
	s.panicked += int(e.count(func(a openloop.Answer) bool { return strings.Contains(a.Parts, "reason=panic") }))
	s.lab.late, s.lab.rowLate = max(s.lab.late, e.late.P99), max(s.lab.rowLate, lateness(e.late))
	e.counts, err = s.shop.counts(ctx)
	return e, err
}

// pair is a healthy run and a faulty one of the same length and load.
type pair struct {
	service         service // the one that was hurt
	healthy, faulty *episode
}

// paired has rounds of a healthy and a faulty run, of which either comes first in turns.
// In each round the fault hits the next of the seven; after it the gateway recovers.
func (s *stage) paired(ctx context.Context, d dose, r row, kinds func(service) []openloop.Kind) ([]pair, error) {
	var all []pair
	for n := range d.rounds {
		p := pair{service: seven()[(r.first+n)%len(seven())]}
		healthy := func() (err error) {
			p.healthy, err = s.load(ctx, d.healthy, kinds(p.service)...)
			return err
		}
		faulty := func() (err error) {
			if err := s.shop.hurt(ctx, p.service.name, r.fault); err != nil {
				return err
			}
			if p.faulty, err = s.load(ctx, d.faulty, kinds(p.service)...); err != nil {
				return err
			}
			return s.recover(ctx)
		}
		if err := inTurn(n, healthy, faulty); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// inTurn calls two functions, the second one first in every other round.
func inTurn(round int, one, other func() error) error {
	if round%2 == 1 {
		one, other = other, one
	}
	if err := one(); err != nil {
		return err
	}
	return other()
}

// column takes a figure of each healthy and each faulty run.
func column(all []pair, of func(*episode, service) float64) (healthy, faulty []float64) {
	for _, p := range all {
		healthy = append(healthy, of(p.healthy, p.service))
		faulty = append(faulty, of(p.faulty, p.service))
	}
	return healthy, faulty
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// usual are figures of every row that have no bar.
func usual(all []pair) []finding {
	var found []finding
	for _, p := range []float64{50, 99} {
		f := finding{what: fmt.Sprintf("p%.0f of pages, ms", p)}
		f.healthy, f.faulty = column(all, func(e *episode, _ service) float64 { return millis(e.pages().Percentile(p, openloop.Any)) })
		found = append(found, f)
	}
	degraded := finding{what: "pages degraded, %"}
	degraded.healthy, degraded.faulty = column(all, func(e *episode, _ service) float64 {
		return 100 * (e.pages().Share(openloop.Served) - e.pages().Share(undegraded))
	})
	refused := finding{what: "pages refused, %"}
	refused.healthy, refused.faulty = column(all, func(e *episode, _ service) float64 { return 100 * e.pages().Share(openloop.Refused) })
	return append(found, degraded, refused)
}

// lostPages holds all runs to none, the healthy ones, too: a page without a part that
// it cannot do without is lost, and so none of those is asked for.
func lostPages(all []pair) finding {
	healthy, faulty := column(all, func(e *episode, _ service) float64 { return e.count(openloop.Lost) })
	f := atMost("pages lost", healthy, faulty, 0, nil)
	if slices.Max(healthy) > 0 {
		f.verdict = notMet
	}
	return f
}

// invalid are answers that are not what their header says, or not JSON.
func invalid(all []pair) finding {
	healthy, faulty := column(all, func(e *episode, _ service) float64 {
		return e.count(func(a openloop.Answer) bool { return a.Faulty })
	})
	return atMost("answers that are not valid JSON", healthy, faulty, 0, nil)
}

func (e *episode) count(holds func(openloop.Answer) bool) float64 {
	n := 0
	for _, r := range e.results {
		n += r.Count(holds)
	}
	return float64(n)
}
