package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/facet-gateway/facet/bench/openloop"
)

// mixed are the transports of the services that have one beside HTTP.
func mixed() map[string]string {
	return map[string]string{"cart": "grpc", "orders": "thrift", "inventory": "nats", "shipping": "amqp"}
}

// bound is a shop that is called over other transports, too, and the broker of one.
type bound struct {
	*shop
	over   map[string]string // URL by service
	broker *rabbit
}

func (l *lab) openBound(ctx context.Context) (*bound, error) {
	broker, err := l.startRabbit(ctx)
	if err != nil {
		return nil, err
	}
	s, err := l.openShop(ctx, "--transport", "grpc,thrift,nats,amqp", "--broker", "amqp="+broker.url)
	if err != nil {
		broker.stop()
		return nil, err
	}
	b := &bound{shop: s, over: map[string]string{}, broker: broker}
	for service, transport := range mixed() {
		address, err := s.process.Announced(ctx, "over "+transport+" "+service)
		if err != nil {
			b.close()
			return nil, err
		}
		b.over[service] = strings.Replace(address, "guest:guest@", "", 1) // who it is where nobody is named
	}
	return b, nil
}

func (b *bound) close() {
	b.process.Stop()
	b.broker.stop()
}

// configuration is that of a gateway over all of them, each over its own transport.
func (b *bound) configuration(p policy) string {
	var text strings.Builder
	for line := range strings.Lines(configuration(b.shop, p)) {
		for service, transport := range mixed() {
			if url := b.services[service]; strings.Contains(line, url) {
				line = fmt.Sprintf("    transport: %s\n    instances: [%q]\n", transport, b.over[service])
			}
		}
		text.WriteString(line)
	}
	return text.String()
}

// bindings measures what a page costs over four transports beside HTTP, of which each
// page is byte for byte the same.
func bindings(ctx context.Context, l *lab, _ row) ([]finding, error) {
	rounds, span := 7, 6*time.Second
	if l.options.short {
		rounds, span = 3, 2*time.Second
	}
	b, err := l.openBound(ctx)
	if err != nil {
		return nil, err
	}
	defer b.close()
	p := policy{bare: true}
	var all []*contender
	defer func() {
		for _, c := range all {
			c.close()
		}
	}()
	plain := configuration(b.shop, p)
	for _, one := range []struct{ name, configuration string }{{"http", plain}, {"again", plain}, {"mixed", b.configuration(p)}} {
		c, err := l.contenderOver(ctx, one.name, l.program(), one.configuration, p)
		if err != nil {
			return nil, err
		}
		c.shop = b.shop
		all = append(all, c)
	}
	differ, err := differing(ctx, &all[0].stage, &all[2].stage)
	if err != nil {
		return nil, err
	}
	if err := compete(ctx, all, rounds, span); err != nil {
		return nil, err
	}
	alike, err := atOneRate(ctx, all[0], all[2], rounds, span)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if err := c.allWell(ctx); err != nil {
			return nil, err
		}
	}
	return append(alike,
		finding{what: "CPU per page, µs: all over HTTP, and mixed", healthy: all[0].cpu, faulty: all[2].cpu},
		finding{what: "CPU per page, ratio of equal runs", faulty: ratios(all[1].cpu, all[0].cpu)},
		medianAtMost("CPU per page, mixed, of all over HTTP", ratios(all[2].cpu, all[0].cpu), mostMixed),
		atMost("pages that are not byte for byte the same", nil, []float64{differ}, 0, nil),
	), nil
}

// mostMixed is what a page may cost over mixed transports, of one all over HTTP.
const mostMixed = 1.25

// atOneRate measures what a page costs when both are asked for as many: as many as can be
// made are fewer of the one whose backends leave it less of the processors, and a page
// costs the less, the more of them are made at once.
func atOneRate(ctx context.Context, plain, mixed *contender, rounds int, span time.Duration) (all []finding, err error) {
	for _, rate := range []float64{400, 800, 1200} {
		cost, err := costs(ctx, plain, mixed, rate, rounds, span)
		if err != nil {
			return nil, err
		}
		cost.what = fmt.Sprintf("CPU per page at %v pages/s, µs: all over HTTP, and mixed", rate)
		ratio := fmt.Sprintf("CPU per page at %v pages/s, mixed, of all over HTTP", rate)
		all = append(all, cost, medianAtMost(ratio, ratios(cost.faulty, cost.healthy), mostMixed))
	}
	return all, nil
}

// costs measures what a page costs, µs, over HTTP alone and mixed, in turns.
func costs(ctx context.Context, plain, mixed *contender, rate float64, rounds int, span time.Duration) (f finding, err error) {
	for round := range rounds {
		for turn := range 2 {
			c, is := plain, turn != round%2
			if is {
				c = mixed
			}
			cost, err := c.cost(ctx, span, c.pages(rate, details))
			if err != nil {
				return f, err
			}
			f.add(is, cost)
		}
	}
	return f, nil
}

// cost is what a page takes, µs, under a load.
func (c *contender) cost(ctx context.Context, span time.Duration, kind openloop.Kind) (float64, error) {
	before, err := c.process.CPU()
	if err != nil {
		return 0, err
	}
	e, err := c.load(ctx, span, kind)
	if err != nil {
		return 0, err
	}
	after, err := c.process.CPU()
	if err != nil {
		return 0, err
	}
	if lost := e.count(func(a openloop.Answer) bool { return !openloop.Whole(a) }); lost > 0 {
		return 0, fmt.Errorf("%s: %.0f pages were not whole", c.process.Name, lost)
	}
	return float64((after - before).Microseconds()) / float64(len(e.all().Answers)), c.process.Forget()
}

// differing counts the pages that two gateways do not make byte for byte the same.
func differing(ctx context.Context, one, other *stage) (n float64, err error) {
	for at := range known * devices {
		path := []string{details(at / devices), "/wishlist", "/home"}[min(at/devices%20, 2)]
		device := [devices]string{"phone", "tv", "tablet"}[at%devices]
		a, err := one.wholePage(ctx, path, device)
		if err != nil {
			return 0, err
		}
		b, err := other.wholePage(ctx, path, device)
		if err != nil {
			return 0, err
		}
		if !bytes.Equal(a, b) {
			n++
		}
	}
	return n, nil
}

// wholePage returns the body of a page every part of which is there.
func (s *stage) wholePage(ctx context.Context, path, device string) ([]byte, error) {
	const longest = 10 * time.Second
	for began := time.Now(); ; {
		body, whole, err := s.body(ctx, path, device)
		if err != nil || whole {
			return body, err
		}
		if time.Since(began) > longest {
			return nil, fmt.Errorf("%s for a %s does not become whole", path, device)
		}
		if err := sleep(ctx, lookEach); err != nil {
			return nil, err
		}
	}
}

func (s *stage) body(ctx context.Context, path, device string) (body []byte, whole bool, err error) {
	r, err := s.request(ctx, path)
	if err != nil {
		return nil, false, err
	}
	r.Header.Set("X-Device-Type", device)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, false, fmt.Errorf("page: %w", err)
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	body, err = io.ReadAll(answer.Body)
	return body, answer.StatusCode == http.StatusOK && answer.Header.Get("Facet-Parts") == "", err
}

// lostBroker kills the broker of shipping under load, and starts it again: pages come
// without that part, no page has another's, and all is well 5 s after the broker serves.
func lostBroker(ctx context.Context, l *lab, _ row) ([]finding, error) {
	d := l.options.pick(dose{4, 0, 100 * time.Second, 300}, dose{1, 0, 15 * time.Second, 60})
	b, err := l.openBound(ctx)
	if err != nil {
		return nil, err
	}
	defer b.close()
	if err := b.healFully(ctx); err != nil {
		return nil, err
	}
	p := quick()
	p.limit = roomy
	c, err := l.contenderOver(ctx, "brokered", l.program(), b.configuration(p), p)
	if err != nil {
		return nil, err
	}
	defer c.close()
	c.shop = b.shop
	kinds, err := c.compared(ctx, d.rate)
	if err != nil {
		return nil, err
	}
	var lost, wrong, late finding
	asked, degraded := finding{what: "pages asked for"}, finding{what: "pages degraded, %"}
	for range d.rounds {
		e, back, err := c.withoutBroker(ctx, b, d.faulty, kinds)
		if err != nil {
			return nil, err
		}
		all := e.all()
		asked.add(true, float64(len(all.Answers)))
		lost.add(true, e.count(func(a openloop.Answer) bool { return !openloop.Served(a) }))
		wrong.add(true, e.count(func(a openloop.Answer) bool { return a.Faulty }))
		degraded.add(true, 100*(1-all.Share(undegraded)))
		late.add(true, back.Seconds())
	}
	const soon, enough = 5, 100_000 // s, answers that could be another's: of the cart, orders, inventory and shipping
	after, err := c.panicsOf(ctx)
	answers := 4 * sumOf(asked.faulty) //nolint:mnd // as above
	return []finding{
		asked,
		atLeast("answers over the four transports", nil, []float64{answers}, l.options.most(enough, 1000)),
		atLeast("pages degraded, %", nil, degraded.faulty, 1),
		atMost("pages lost", nil, lost.faulty, 0, nil),
		atMost("pages with what is not of the product asked for", nil, wrong.faulty, 0, nil),
		atMost("until all pages are whole, from when the broker serves, s", nil, late.faulty, soon, nil),
		after,
	}, err
}

func (c *contender) panicsOf(ctx context.Context) (finding, error) {
	n, err := c.panics(ctx)
	return atMost("panics", nil, []float64{n}, 0, nil), err
}

func sumOf(values []float64) (sum float64) {
	for _, value := range values {
		sum += value
	}
	return sum
}

// most is what a bar is in a form.
func (o options) most(full, short float64) float64 {
	if o.short {
		return short
	}
	return full
}

// compared are kinds of pages, one for each product, of which none may hold anything but
// what a page of that product holds, or nothing.
func (c *contender) compared(ctx context.Context, rate float64) (all []openloop.Kind, err error) {
	for n := range few {
		body, err := c.wholePage(ctx, details(n), "phone")
		if err != nil {
			return nil, err
		}
		var whole map[string]json.RawMessage
		if err := json.Unmarshal(body, &whole); err != nil {
			return nil, fmt.Errorf("page: %w", err)
		}
		kind := c.pages(rate/few, func(int) string { return details(n) })
		kind.Sound = func(_ http.Header, status int, body []byte) bool {
			return status != http.StatusOK || within(body, whole)
		}
		all = append(all, kind)
	}
	return all, nil
}

// within reports whether each member of a page is the whole one's, or holds nothing.
func within(body []byte, whole map[string]json.RawMessage) bool {
	var page map[string]json.RawMessage
	if json.Unmarshal(body, &page) != nil {
		return false
	}
	for name, value := range page {
		if !bytes.Equal(value, whole[name]) && !nothing(string(value)) {
			return false
		}
	}
	return len(page) > 0
}

func nothing(value string) bool {
	return value == "null" || value == "[]" || value == "{}" || value == `"unknown"` || value == "0" || value == `""`
}

// withoutBroker kills the broker after a fifth of the load, and starts it again after two;
// back is how long, from when it serves, pages still come without a part.
func (c *contender) withoutBroker(ctx context.Context, b *bound, span time.Duration, kinds []openloop.Kind) (
	e *episode, back time.Duration, err error,
) {
	began := time.Now()
	var served time.Duration // since began
	var breaking sync.WaitGroup
	var fault error
	breaking.Go(func() {
		if fault = sleep(ctx, span/5); fault != nil {
			return
		}
		if fault = b.broker.kill(); fault != nil {
			return
		}
		if fault = sleep(ctx, span/5); fault == nil {
			fault = b.broker.start(ctx)
		}
		served = time.Since(began)
	})
	e, err = c.load(ctx, span, kinds...)
	breaking.Wait()
	if err := errors.Join(err, fault); err != nil {
		return nil, 0, err
	}
	var last time.Duration
	all := e.all()
	for _, a := range all.Answers {
		if !undegraded(a) {
			last = max(last, a.Due)
		}
	}
	return e, max(last-served, 0), nil
}
