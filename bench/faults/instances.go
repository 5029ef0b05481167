package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/facet-gateway/facet/bench/openloop"
)

// oneOfFive is a catalog of five instances, of which the fault is done to one: it is ten
// times slower than the others, or fails everything.
func oneOfFive(ctx context.Context, l *lab, r row) ([]finding, error) {
	d := l.options.pick(dose{5, 10 * time.Second, 10 * time.Second, 100}, dose{1, 3 * time.Second, 5 * time.Second, 50})
	all, stop, err := newCatalogs(ctx, l.shop, 5)
	defer stop()
	if err != nil {
		return nil, err
	}
	var pairs []pair
	asked := finding{what: "calls to the one that was hurt"}
	for n := range d.rounds {
		p, calls, err := l.withOneHurt(ctx, d, r, n, all)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, p)
		asked.add(true, float64(calls))
	}
	return append(judgeOneOfFive(r, pairs), asked), nil
}

// withOneHurt is a round: with a gateway of its own for each run, as a gateway knows its
// instances after the first.
func (l *lab) withOneHurt(ctx context.Context, d dose, r row, n int, all []*catalog) (p pair, asked int64, err error) {
	one := all[n%len(all)]
	healthy := func() (err error) {
		p.healthy, err = l.overCatalogs(ctx, listed(all), func(s *stage) (*episode, error) {
			return s.load(ctx, d.healthy, s.pages(d.rate, unseen))
		})
		return err
	}
	faulty := func() (err error) {
		p.faulty, err = l.overCatalogs(ctx, listed(all), func(s *stage) (*episode, error) {
			hurtOne(one, r.fault)
			defer hurtOne(one, "")
			before := one.asked.Load()
			e, err := s.load(ctx, d.faulty, s.pages(d.rate, unseen))
			asked = one.asked.Load() - before
			return e, err
		})
		return err
	}
	err = inTurn(n, healthy, faulty)
	return p, asked, err
}

// hurtOne makes an instance ten times slower than the 16 ms of a calm one, or fail.
func hurtOne(one *catalog, fault string) {
	const later = 9 * 16 * time.Millisecond
	one.later.Store(0)
	one.broken.Store(fault == "fail")
	if fault == "late" {
		one.later.Store(int64(later))
	}
}

// overCatalogs does something with a gateway whose catalog is where a section says.
func (l *lab) overCatalogs(ctx context.Context, where string, do func(*stage) (*episode, error)) (*episode, error) {
	p := quick()
	p.where, p.limit = where, roomy
	s, err := l.start(ctx, p)
	if err != nil {
		return nil, err
	}
	defer s.close()
	return do(s)
}

// unseen products have no copy that stands in when their call fails.
func unseen(n int) string {
	return fmt.Sprintf("/productdetails?productid=p-%d&postcode=1011AB", 1001+known+n%200)
}

// judgeOneOfFive holds the pages beside a slow instance to a third more than without it;
// and those that fail beside a bad one to the faults that it takes to find out, and a probe.
func judgeOneOfFive(r row, pairs []pair) []finding {
	const slower, faults, probes = 1.3, 5, 1
	if r.fault == "late" {
		p99, hurt := column(pairs, func(e *episode, _ service) float64 { return millis(e.pages().Percentile(99, openloop.Any)) })
		return append(usual(pairs), medianAtMost("p99 of pages, of that without", ratios(hurt, p99), slower), lostPages(pairs))
	}
	healthy, faulty := column(pairs, func(e *episode, _ service) float64 { return e.count(openloop.Lost) })
	return append(usual(pairs), atMost("pages lost", healthy, faulty, faults+probes, nil))
}

// deadRegistry kills the registry that the catalog's instances are found in, under load,
// for more than three times as long as its answers say they hold.
func deadRegistry(ctx context.Context, l *lab, _ row) ([]finding, error) {
	d := l.options.pick(dose{5, 0, 6 * time.Second, 100}, dose{1, 0, 4 * time.Second, 50})
	return l.overRegistry(ctx, 5, func(s *stage, r *registry, _ *fleet) ([]finding, error) {
		var all []pair
		for range d.rounds {
			healthy, err := s.load(ctx, d.faulty/2, s.pages(d.rate, unseen))
			if err != nil {
				return nil, err
			}
			r.kill()
			faulty, err := s.load(ctx, d.faulty, s.pages(d.rate, unseen))
			if err != nil {
				return nil, err
			}
			if err := r.start(ctx); err != nil {
				return nil, err
			}
			all = append(all, pair{healthy: healthy, faulty: faulty})
		}
		return append(usual(all), lostPages(all)), nil
	})
}

// churn has half of the catalog's instances leave, and as many join, every second. One that
// leaves is taken from the registry, and ends a while after that, as one does that is
// told to.
func churn(ctx context.Context, l *lab, _ row) ([]finding, error) {
	d := l.options.pick(dose{1, 5 * time.Second, time.Minute, 100}, dose{1, time.Second, 5 * time.Second, 50})
	const instances, leaving = 40, 20
	return l.overRegistry(ctx, instances, func(s *stage, _ *registry, f *fleet) ([]finding, error) {
		healthy, err := s.load(ctx, d.healthy, s.pages(d.rate, unseen))
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithCancel(ctx)
		var turning sync.WaitGroup
		var fault error
		turning.Go(func() { fault = f.turn(ctx, leaving) })
		faulty, err := s.load(ctx, d.faulty, s.pages(d.rate, unseen))
		cancel()
		turning.Wait()
		if err == nil {
			err = fault
		}
		if err != nil {
			return nil, err
		}
		all := []pair{{healthy: healthy, faulty: faulty}}
		const most = 0.8 * leaving // the last ones may be late
		rate := []float64{float64(f.left) / d.faulty.Seconds()}
		return append(usual(all), lostPages(all), atLeast("instances that left, and as many joined, a second", nil, rate, most)), nil
	})
}

// overRegistry does something with a gateway that finds some instances of the catalog.
func (l *lab) overRegistry(ctx context.Context, count int, do func(*stage, *registry, *fleet) ([]finding, error)) ([]finding, error) {
	r, err := newRegistry(ctx)
	if err != nil {
		return nil, err
	}
	defer r.kill()
	f, err := newFleet(ctx, l.shop, r, count)
	if err != nil {
		return nil, err
	}
	defer f.close()
	p := quick()
	p.where, p.limit = r.finds(), roomy
	s, err := l.start(ctx, p)
	if err != nil {
		return nil, err
	}
	defer s.close()
	found, err := do(s, r, f)
	if err != nil {
		return nil, err
	}
	after, err := s.aftermath(ctx)
	return append(found, after...), err
}
