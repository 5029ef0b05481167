package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/facet-gateway/facet/bench/wrk"
)

// sample is what one program did in one round.
type sample struct {
	cpu  float64 // microseconds per page
	rate float64 // pages per second
	p50  float64 // milliseconds
	p99  float64 // milliseconds
	made float64 // backend calls per page, as the services counted them
}

// result is what one program did in all rounds.
type result struct {
	name    string
	samples []sample // by round
	peak    int64    // bytes
}

// measureAll warms every program up, then asks them in turn, round after round.
// The order turns round each time, so that neither drift of the machine nor what ran
// just before favours one of them.
func (f *fleet) measureAll(ctx context.Context) ([]*result, error) {
	subjects := []*subject{f.gateway, f.twin, f.equal}
	results := make([]*result, len(subjects))
	for i, s := range subjects {
		results[i] = &result{name: s.name}
		if _, err := f.measure(ctx, s, f.options.warmup); err != nil {
			return nil, err
		}
	}
	for round := range f.options.rounds {
		for _, i := range order(round, len(subjects)) {
			found, err := f.measure(ctx, subjects[i], f.options.duration)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(os.Stderr, "round %d of %d  %-13s %6.1f µs/page  %6.0f pages/s\n",
				round+1, f.options.rounds, subjects[i].name, found.cpu, found.rate)
			results[i].samples = append(results[i].samples, found)
		}
	}
	for i, s := range subjects {
		var err error
		if results[i].peak, err = s.process.Peak(); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// order is forward in one round and backward in the next.
func order(round, n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	if round%2 == 1 {
		slices.Reverse(all)
	}
	return all
}

func (f *fleet) measure(ctx context.Context, s *subject, duration time.Duration) (sample, error) {
	if err := s.process.Forget(); err != nil {
		return sample{}, err
	}
	before, err := f.account(ctx, s)
	if err != nil {
		return sample{}, err
	}
	done, err := f.load.Run(ctx, s.address, duration)
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w", s.name, err)
	}
	after, err := f.account(ctx, s)
	if err != nil {
		return sample{}, err
	}
	used := after.minus(before)
	if err := f.callsFault(used.calls, done.Requests); err != nil {
		return sample{}, fmt.Errorf("%s: %w", s.name, err)
	}
	return newSample(used, done), nil
}

// callsFault is an error unless each page took one call to each service: a program that
// remembers or leaves out does other work. Each connection may have had one page
// more under way when the load stopped.
func (f *fleet) callsFault(calls, pages int64) error {
	each := int64(len(f.options.workload.services))
	least, most := each*pages*99/100, each*(pages+int64(f.options.connections))*101/100
	if calls < least || calls > most {
		return fmt.Errorf("%d backend calls for %d pages, which need %d each: this is not the same work", calls, pages, each)
	}
	return nil
}

// account is what a program has used up to now.
type account struct {
	cpu   time.Duration
	calls int64 // that the services have had, from whomever
}

func (a account) minus(b account) account { return account{a.cpu - b.cpu, a.calls - b.calls} }

func (f *fleet) account(ctx context.Context, s *subject) (account, error) {
	cpu, err := s.process.CPU()
	if err != nil {
		return account{}, err
	}
	body, _, err := fetch(ctx, f.control+"/stats", nil)
	if err != nil {
		return account{}, err
	}
	calls, err := parseStats(body, f.options.workload.services)
	return account{cpu, calls}, err
}

// parseStats adds up the requests that some of the simulator's services have had.
func parseStats(body []byte, of []string) (int64, error) {
	var services map[string]struct {
		Requests int64 `json:"requests"`
	}
	if err := json.Unmarshal(body, &services); err != nil {
		return 0, fmt.Errorf("stats: %w", err)
	}
	var sum int64
	for _, name := range of {
		if _, known := services[name]; !known {
			return 0, errors.New("stats: the simulator does not count " + name)
		}
		sum += services[name].Requests
	}
	return sum, nil
}

// newSample relates what was used to the pages that were served. The pages in
// flight when the load stops are used for and not counted: one in thousands.
func newSample(used account, l wrk.Load) sample {
	const thousand, million = 1e3, 1e6
	return sample{
		cpu:  float64(used.cpu.Microseconds()) / float64(l.Requests),
		made: float64(used.calls) / float64(l.Requests),
		rate: float64(l.Requests) / (float64(l.Micros) / million),
		p50:  float64(l.P50) / thousand,
		p99:  float64(l.P99) / thousand,
	}
}
