package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/facet-gateway/facet/bench/openloop"
)

// life is how long an answer is taken from the cache that replicas share.
const life = 2 * time.Second

// lostRedis shows two replicas whose shared cache is killed, stopped, restarted, slow
// or full of rubbish, and well again, under load: no page is lost, none waits
// long, and each replica asks for a key once in the life of its answer.
func lostRedis(ctx context.Context, l *lab, r row) ([]finding, error) {
	d := l.options.pick(dose{3, 8 * time.Second, 8 * time.Second, 100}, dose{1, 2 * time.Second, 4 * time.Second, 60})
	pair, err := l.replicas(ctx)
	if err != nil {
		return nil, err
	}
	defer pair.close()
	all, err := pair.withoutRedis(ctx, d, r)
	if err != nil {
		return nil, err
	}
	found := append(judgeRedis(all), judgeCalls(pair.seen)...)
	for i, s := range pair.stages {
		after, err := s.aftermath(ctx)
		if err != nil {
			return nil, err
		}
		for n := range after {
			after[n].what = fmt.Sprintf("replica %d: %s", i+1, after[n].what)
		}
		found = append(found, after...)
	}
	return found, nil
}

// replicas are two gateways over one cache, each with its own way to the catalog.
type replicas struct {
	server  *redis
	relay   *relay
	tallies []*tally
	stages  []*stage
	seen    []asking
}

// asking is what the replicas asked the catalog for in one run, and how often each of
// them was connected anew meanwhile.
type asking struct {
	faulty     bool
	span       time.Duration
	of         []map[string][]time.Time
	reconnects []int
}

func (l *lab) replicas(ctx context.Context) (*replicas, error) {
	p := &replicas{}
	if err := p.open(ctx, l); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *replicas) open(ctx context.Context, l *lab) (err error) {
	if p.server, err = l.startRedis(ctx); err != nil {
		return err
	}
	if p.relay, err = newRelay(ctx, p.server.addr); err != nil {
		return err
	}
	const count = 2
	for range count {
		t, err := newTally(ctx, l.shop.services["catalog"])
		if err != nil {
			return err
		}
		p.tallies = append(p.tallies, t)
		policy := quick()
		policy.redis, policy.fresh, policy.catalog = p.relay.addr(), life, t.url
		s, err := l.start(ctx, policy) // also in the short form: each row has a server of its own
		if err != nil {
			return err
		}
		p.stages = append(p.stages, s)
	}
	return nil
}

// close ends the gateways first: then nothing is under way.
func (p *replicas) close() {
	for _, s := range p.stages {
		s.close()
	}
	for _, t := range p.tallies {
		t.close()
	}
	if p.relay != nil {
		p.relay.close()
	}
	if p.server != nil {
		p.server.stop()
	}
}

// withoutRedis has rounds in whose faulty run the server is hurt after a quarter of it,
// and well again after five eighths.
func (p *replicas) withoutRedis(ctx context.Context, d dose, r row) (all []pair, err error) {
	for n := range d.rounds {
		var one pair
		healthy := func() (err error) {
			one.healthy, err = p.load(ctx, d.healthy, d.rate, false)
			return err
		}
		faulty := func() (err error) {
			hurt := make(chan error, 1)
			go func() { hurt <- p.hurtFor(ctx, r.fault, d.faulty/4, d.faulty*3/8) }()
			one.faulty, err = p.load(ctx, d.faulty, d.rate, true)
			return errors.Join(err, <-hurt)
		}
		if err := inTurn(n, healthy, faulty); err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// load asks both replicas for pages of few products, half of them each.
func (p *replicas) load(ctx context.Context, span time.Duration, rate float64, faulty bool) (*episode, error) {
	a := asking{faulty: faulty, span: span}
	for i, s := range p.stages {
		if err := s.waitForCache(ctx); err != nil {
			return nil, err
		}
		before, err := s.missed(ctx)
		if err != nil {
			return nil, err
		}
		a.reconnects = append(a.reconnects, -before)
		p.tallies[i].take()
	}
	first, second := p.stages[0], p.stages[1]
	e, err := first.load(ctx, span, first.pages(rate/2, fewDetails), second.pages(rate/2, fewDetailsLater))
	if err != nil {
		return nil, err
	}
	for i, s := range p.stages {
		after, err := s.missed(ctx)
		if err != nil {
			return nil, err
		}
		a.reconnects[i] += after
		a.of = append(a.of, p.tallies[i].take())
	}
	p.seen = append(p.seen, a)
	return e, nil
}

// hurtFor hurts the server after a time, and has it well again after another.
func (p *replicas) hurtFor(ctx context.Context, how string, after, lasting time.Duration) error {
	const late = 50 * time.Millisecond
	if err := sleep(ctx, after); err != nil {
		return err
	}
	switch how {
	case "slow":
		p.relay.delay.Store(int64(late))
		defer p.relay.delay.Store(0)
		return sleep(ctx, lasting)
	case "rubbish":
		return p.server.spoil(ctx, lasting)
	}
	began := time.Now()
	if err := p.server.hurt(ctx, how); err != nil {
		return err
	}
	if err := sleep(ctx, lasting-time.Since(began)); err != nil {
		return err
	}
	return p.server.restore(ctx)
}

// missed is how often a gateway may have missed invalidations: at each connection to
// its cache. What it remembered until then is asked for again, by design.
func (s *stage) missed(ctx context.Context) (int, error) {
	text, err := ask(ctx, http.MethodGet, s.admin+"/cache", "")
	if err != nil {
		return 0, err
	}
	n, err := figure(text, `"missed":\s*(\d+)`)
	return int(n), err
}

func judgeRedis(all []pair) []finding {
	const more = 20 // ms
	p99, p99Hurt := column(all, func(e *episode, _ service) float64 { return millis(e.all().Percentile(99, openloop.Any)) })
	_, room := column(all, func(e *episode, _ service) float64 { return roomForP99(e.late) })
	return append(usual(all),
		lostPages(all),
		atMost("p99 of pages, ms, at most 20 more", p99, p99Hurt, median(p99)+more, room),
	)
}

// judgeCalls judges what each replica asked for by itself: a call that comes before the
// life of the answer to the one before is over is too many, but for one for each key
// and new connection. Its room is what a call may be late on its way to be counted.
func judgeCalls(all []asking) []finding {
	const late = 100 * time.Millisecond
	tooMany := finding{what: "calls for a key within the life of its answer, beside one a reconnect", bar: "≤ 0", verdict: met}
	perLife, anew := finding{what: "calls per key and life, of both replicas"}, finding{what: "reconnects"}
	for _, a := range all {
		n, made, reconnects := 0, 0, 0
		for i, of := range a.of {
			n += early(of, life-late, a.reconnects[i])
			made, reconnects = made+calls(of), reconnects+a.reconnects[i]
		}
		tooMany.add(a.faulty, float64(n))
		perLife.add(a.faulty, float64(made)/(few*a.span.Seconds()/life.Seconds()))
		anew.add(a.faulty, float64(reconnects))
		tooMany.verdict = max(tooMany.verdict, judged(n == 0))
	}
	return []finding{tooMany, perLife, anew}
}

// waitForCache waits until the gateway is connected to its cache.
func (s *stage) waitForCache(ctx context.Context) error {
	const longest = 20 * time.Second
	for began := time.Now(); ; {
		text, err := ask(ctx, http.MethodGet, s.admin+"/cache", "")
		if err != nil || strings.Contains(string(text), `"connected": true`) {
			return err
		}
		if time.Since(began) > longest {
			return fmt.Errorf("the cache is not connected after %v: %s", longest, text)
		}
		if err := sleep(ctx, lookEach); err != nil {
			return err
		}
	}
}
