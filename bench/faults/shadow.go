package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/facet-gateway/facet/bench/openloop"
)

// shadowed shows what a candidate costs that makes a tenth of the pages beside control:
// two gateways in turns, of which one has a shadow. Nobody waits for it, and it has its
// answers from control's calls, so neither times nor calls change.
func shadowed(ctx context.Context, l *lab, _ row) ([]finding, error) {
	d := l.options.pick(dose{8, 5 * time.Second, 5 * time.Second, 300}, dose{2, time.Second, 2 * time.Second, 100})
	token, operators, err := l.operator()
	if err != nil {
		return nil, err
	}
	same := quick()
	same.limit, same.extra = roomy, operators+"rollout: {file: \"\"}\n"
	alone, err := l.start(ctx, same)
	if err != nil {
		return nil, err
	}
	defer alone.close()
	beside, err := l.start(ctx, same)
	if err != nil {
		return nil, err
	}
	defer beside.close()
	if _, err := askAs(ctx, token, http.MethodPut, beside.admin+"/rollouts/phone/beside", beside10th); err != nil {
		return nil, err
	}
	if err := l.shop.healFully(ctx); err != nil { // what waits for a service hides what the gateway costs
		return nil, err
	}
	all, err := inTurns(ctx, d, alone, beside)
	if err != nil {
		return nil, err
	}
	compared, err := beside.compared(ctx, all)
	if err != nil {
		return nil, err
	}
	found := append(judgeShadow(all), compared...)
	after, err := beside.aftermath(ctx)
	return append(found, after...), err
}

// roomy is a limit of runs at once that pages do not reach.
const roomy = 100

// beside10th is a rollout that nobody is in the candidate of.
const beside10th = `{"candidate": "v2", "share": 0, "slice": {"from": 0, "to": 100}, "shadow": {"sample": 10}}`

// homePage is one of which the candidate asks nothing that control does not.
func homePage(int) string { return "/home" }

// inTurns has rounds of a run by each of two gateways.
func inTurns(ctx context.Context, d dose, healthy, faulty *stage) (all []pair, err error) {
	for n := range d.rounds {
		var one pair
		first := func() (err error) {
			one.healthy, err = healthy.load(ctx, d.healthy, healthy.pages(d.rate, homePage))
			return err
		}
		second := func() (err error) {
			one.faulty, err = faulty.load(ctx, d.faulty, faulty.pages(d.rate, homePage))
			return err
		}
		if err := inTurn(n, first, second); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func judgeShadow(all []pair) []finding {
	p99, p99Beside := column(all, func(e *episode, _ service) float64 { return millis(e.pages().Percentile(99, openloop.Any)) })
	calls, callsBeside := column(all, func(e *episode, _ service) float64 { return e.callsPerPage() })
	return append(usual(all),
		unchanged("p99 of pages, ms, without a shadow and with it", p99, p99Beside),
		atMost("calls a page, of all services", calls, callsBeside, median(calls), nil),
		lostPages(all),
	)
}

func (e *episode) callsPerPage() float64 {
	var n int64
	for _, one := range e.counts {
		n += one.Requests
	}
	return float64(n) / float64(len(e.pages().Answers))
}

// compared holds the gateway to having had the candidate make a tenth of the pages,
// half of that at least: it has as much room as it has, and pages without a shadow
// cost nothing.
func (s *stage) compared(ctx context.Context, all []pair) ([]finding, error) {
	const half = 0.05
	text, err := ask(ctx, http.MethodGet, s.admin+"/rollouts/shadows", "")
	if err != nil {
		return nil, err
	}
	var told struct {
		Rollouts []struct {
			Compared uint64 `json:"compared"`
		} `json:"rollouts"`
	}
	if err := json.Unmarshal(text, &told); err != nil {
		return nil, fmt.Errorf("shadows: %w", err)
	}
	var n, pages float64
	for _, one := range told.Rollouts {
		n += float64(one.Compared)
	}
	for _, one := range all {
		pages += float64(len(one.faulty.pages().Answers))
	}
	return []finding{atLeast("pages that the candidate made, too, of all", nil, []float64{n / pages}, half)}, nil
}
