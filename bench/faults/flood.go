package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/facet-gateway/facet/bench/openloop"
)

// crowd is how large a flood is.
type crowd struct {
	capacity float64 // of the backend, in pages a second
	lasting  time.Duration
	policy   policy
}

// flood offers ten times what the backend can do, open loop, a twenty-fifth of it by
// persons: they are served, the backend is kept at work, refusals come at once, and
// all is well afterwards. Only whole pages count as the backend's work.
func flood(ctx context.Context, l *lab, _ row) ([]finding, error) {
	full, short := policy{bare: true}, policy{bare: true}
	short.extra = "admission: {min: 4}\n" // a quarter of the capacity makes a quarter of the pages within a call's limit
	c := crowd{capacity: 200, lasting: time.Minute, policy: full}
	if l.options.short {
		c = crowd{capacity: 50, lasting: 6 * time.Second, policy: short}
	}
	s, err := l.start(ctx, c.policy)
	if err != nil {
		return nil, err
	}
	defer s.close()
	found, err := s.flood(ctx, c)
	if err == nil {
		err = s.recover(ctx)
	}
	if err != nil {
		return nil, err
	}
	after, err := s.aftermath(ctx)
	return append(found, after...), err
}

func (s *stage) flood(ctx context.Context, c crowd) ([]finding, error) {
	if err := s.shop.healFully(ctx); err != nil {
		return nil, err
	}
	slots := fmt.Sprintf("latency=100ms,capacity=%d,queue=10000", int(c.capacity/10)) // each makes ten a second
	if err := s.shop.hurt(ctx, "catalog", slots); err != nil {
		return nil, err
	}
	const persons, all, before, after = 0.4, 10, 2 * time.Second, 15 * time.Second
	person, prefetch := s.pages(persons*c.capacity, manyDetails), s.pages((all-persons)*c.capacity, manyDetails)
	prefetch.Request = func(n int) (*http.Request, error) {
		r, err := s.request(context.Background(), manyDetails(n)) // the client has a time limit
		if err == nil {
			r.Header.Set("Sec-Purpose", "prefetch")
		}
		return r, err
	}
	calm, err := s.load(ctx, before, person)
	if err != nil {
		return nil, err
	}
	during, err := s.load(ctx, c.lasting, person, prefetch)
	if err != nil {
		return nil, err
	}
	later, err := s.load(ctx, after, person)
	if err != nil {
		return nil, err
	}
	return judgeFlood(c, calm, during, later), nil
}

func judgeFlood(c crowd, calm, during, later *episode) []finding {
	const served, kept, quickly, soon = 99, 0.8, 50, 10 // %, of the capacity, ms, s
	persons, prefetches := during.results[0], during.results[1]
	refusal := prefetches.Percentile(99, openloop.Refused)
	p99 := func(e *episode) []float64 { return []float64{millis(e.results[0].Percentile(99, openloop.Served))} }
	goodput := float64(during.all().Count(openloop.Whole)) / c.lasting.Seconds()
	return []finding{
		{what: "persons' p99, ms", healthy: p99(calm), faulty: p99(during)},
		{what: "prefetches refused, %", faulty: []float64{100 * prefetches.Share(openloop.Refused)}},
		atLeast("persons served, %", share(calm.results[0]), share(persons), served),
		atLeast("whole pages a second", nil, []float64{goodput}, kept*c.capacity),
		atLeast("refusals", nil, []float64{float64(prefetches.Count(openloop.Refused))}, 1),
		atMost("a refusal's p99, ms", nil, []float64{millis(refusal)}, quickly, []float64{roomForP99(during.late)}),
		atMost("every page whole after, s", nil, []float64{wholeSince(later.results[0]).Seconds()}, soon, nil),
		atMost("answers that are not valid JSON", nil, []float64{during.count(func(a openloop.Answer) bool { return a.Faulty })}, 0, nil),
	}
}

func share(r openloop.Result) []float64 { return []float64{100 * r.Share(openloop.Served)} }

// wholeSince is when the last page was answered that was not whole.
func wholeSince(r openloop.Result) (since time.Duration) {
	for _, a := range r.Answers {
		if !openloop.Whole(a) {
			since = max(since, a.Due+a.Took)
		}
	}
	return since
}
