package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/facet-gateway/facet/bench/process"
	"github.com/facet-gateway/facet/bench/wrk"
)

// contender is a gateway whose processor time is measured.
type contender struct {
	stage
	cpu   []float64 // µs a page, by round
	calls []float64 // a page, of the three services that may be cached
}

// remembered are the commands whose answers the cached contender may keep.
func remembered() []string { return []string{"catalog.product", "reviews.reviews", "inventory.stock"} }

// healthy measures what a page costs while nothing fails: with caches off, twice, so
// that the ratio of equal runs is known; with three services cached; and by an earlier
// build, if there is one. It is measured as `make bench` measures it: closed loop,
// with its setting of the collector and services that answer at once.
func healthy(ctx context.Context, l *lab, _ row) ([]finding, error) {
	rounds, span := 7, 6*time.Second
	if l.options.short {
		rounds, span = 3, 2*time.Second
	}
	if err := l.shop.healFully(ctx); err != nil {
		return nil, err
	}
	all, stop, err := l.contenders(ctx)
	defer stop()
	if err != nil {
		return nil, err
	}
	if err := compete(ctx, all, rounds, span); err != nil {
		return nil, err
	}
	off, again, cached := all[0], all[1], all[2]
	for _, c := range []*contender{off, again, cached} {
		if err := c.allWell(ctx); err != nil {
			return nil, err
		}
	}
	return append(judgeCached(off, again, cached), judgeBaseline(off, again, all[3:])...), nil
}

// compete measures each of them in each round, after one that does not count.
func compete(ctx context.Context, all []*contender, rounds int, span time.Duration) error {
	const warmup = -1
	for round := warmup; round < rounds; round++ {
		for i := range all {
			c := all[i]
			if round%2 == 1 { // the order turns round
				c = all[len(all)-1-i]
			}
			if err := c.measure(ctx, span, round != warmup); err != nil {
				return err
			}
		}
	}
	return nil
}

func judgeCached(off, again, cached *contender) []finding {
	const most = 0.6
	return []finding{
		{what: "CPU per page, µs: caches off, twice", healthy: off.cpu, faulty: again.cpu},
		{what: "CPU per page, µs: caches off, and three cached", healthy: off.cpu, faulty: cached.cpu},
		{what: "calls per page to the three", healthy: off.calls, faulty: cached.calls},
		{what: "CPU per page, ratio of equal runs", faulty: ratios(again.cpu, off.cpu)},
		medianAtMost("CPU per page, three cached, of caches off", ratios(cached.cpu, off.cpu), most),
	}
}

// judgeBaseline compares with an earlier build, if there is one: a page costs a twentieth
// more at most, or twice what two equal runs differ by.
func judgeBaseline(off, again *contender, baseline []*contender) []finding {
	const least, what = 1.05, "CPU per page, caches off, of the baseline's"
	if len(baseline) == 0 {
		return []finding{{what: what, bar: "≤ 1.05, or twice the spread; not measured: -baseline names no program"}}
	}
	equal := ratios(again.cpu, off.cpu)
	most := max(least, 1+2*(slices.Max(equal)-slices.Min(equal)))
	return []finding{
		{what: "CPU per page, µs: the baseline, and caches off", healthy: baseline[0].cpu, faulty: off.cpu},
		medianAtMost(what, ratios(off.cpu, baseline[0].cpu), most),
	}
}

// ratios are of the same round, which had the same machine.
func ratios(of, to []float64) []float64 {
	all := make([]float64, len(of))
	for i := range of {
		all[i] = of[i] / to[i]
	}
	return all
}

// contenders starts the gateways; what is returned ends them, on an error too.
func (l *lab) contenders(ctx context.Context) (all []*contender, stop func(), err error) {
	stop = func() {
		for _, c := range all {
			c.close()
		}
	}
	var plain, cached policy
	cached.cached = true
	for _, one := range []struct {
		name, program string
		policy        policy
	}{{"off", l.program(), plain}, {"again", l.program(), plain}, {"cached", l.program(), cached}, {"baseline", l.options.baseline, plain}} {
		if one.program == "" {
			continue
		}
		c, err := l.contender(ctx, one.name, one.program, one.policy)
		if err != nil {
			return all, stop, err
		}
		all = append(all, c)
	}
	return all, stop, nil
}

func (l *lab) contender(ctx context.Context, name, program string, p policy) (*contender, error) {
	return l.contenderOver(ctx, name, program, contenderConfiguration(l.shop, p), p)
}

func (l *lab) contenderOver(ctx context.Context, name, program, configuration string, p policy) (*contender, error) {
	file := filepath.Join(l.dir, name+".yaml")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	const gogc = 400 // as make bench
	started, err := process.Start(ctx, l.dir, name, gogc, program, "serve", "--config", file)
	if err != nil {
		return nil, err
	}
	c := &contender{stage: stage{lab: l, shop: l.shop, process: started, policy: p}}
	if c.gateway, err = started.Announced(ctx, "gateway"); err == nil {
		c.admin, err = started.Announced(ctx, "admin")
	}
	if err != nil {
		started.Stop()
		return nil, err
	}
	return c, nil
}

// contenderConfiguration holds nothing that an earlier build does not know, unless
// something is cached.
func contenderConfiguration(s *shop, p policy) string {
	var b strings.Builder
	b.WriteString("listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\nauth: {mode: header}\nservices:\n")
	for _, name := range allServices() {
		fmt.Fprintf(&b, "  %s:\n    instances: [%q]\n", name, s.services[name])
		for _, full := range remembered() {
			if service, command, _ := strings.Cut(full, "."); p.cached && service == name {
				fmt.Fprintf(&b, "    commands: {%s: {cache: {fresh: 1m, stale: 10m}}}\n", command)
			}
		}
	}
	return b.String()
}

// measure asks for pages as fast as they come, and keeps what a page took.
func (c *contender) measure(ctx context.Context, span time.Duration, keep bool) error {
	load := wrk.Generator{Dir: c.lab.dir, Connections: 32, Headers: []string{"X-Device-Type: phone", "X-User-Id: u-7"}}
	for n := range known {
		load.Paths = append(load.Paths, details(n))
	}
	if err := c.shop.resetCounts(ctx); err != nil {
		return err
	}
	before, err := c.process.CPU()
	if err != nil {
		return err
	}
	done, err := load.Run(ctx, c.gateway, span)
	if err != nil {
		return err
	}
	after, err := c.process.CPU()
	if err != nil || !keep {
		return err
	}
	calls, err := c.shop.counts(ctx)
	if err != nil {
		return err
	}
	made := calls["catalog"].Requests + calls["reviews"].Requests + calls["inventory"].Requests
	c.cpu = append(c.cpu, float64((after-before).Microseconds())/float64(done.Requests))
	c.calls = append(c.calls, float64(made)/float64(done.Requests))
	return c.process.Forget() // the lines of its log
}

// allWell is an error unless every run succeeded, or was cut short by the end of a load,
// and was made unless its answers may be cached: else other work was measured.
func (c *contender) allWell(ctx context.Context) error {
	all, err := c.commands(ctx)
	if err != nil {
		return err
	}
	for i := range all {
		one := &all[i]
		var bad uint64
		for outcome, n := range one.Outcomes {
			if outcome != "success" && outcome != "canceled" {
				bad += n
			}
		}
		if may := c.policy.cached && slices.Contains(remembered(), one.Name); !may {
			bad += one.Rungs["cached"]
		}
		if bad > 0 {
			return fmt.Errorf("%s: %d runs of %s were not what is to be measured: %v %v", c.process.Name, bad, one.Name, one.Outcomes, one.Rungs)
		}
	}
	return nil
}
