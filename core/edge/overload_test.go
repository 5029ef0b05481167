package edge_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/facet-gateway/facet/core/edge"
)

func newLimiter(t testing.TB, change func(*edge.Options)) *edge.Limiter {
	t.Helper()
	o := edge.DefaultOptions()
	if change != nil {
		change(&o)
	}
	l, err := edge.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func percent(part, whole int) float64 { return 100 * float64(part) / float64(max(whole, 1)) }

// TestFlood is ten times what the backend can do, for a minute of virtual time,
// with each of three latencies that make up one capacity.
func TestFlood(t *testing.T) {
	for _, latency := range []time.Duration{20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond} {
		t.Run(latency.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const capacity, lasting = 200, time.Minute
				l := newLimiter(t, nil)
				catalog, shipping := newService(capacity, latency), newService(capacity, latency)
				play(gateOf(l), catalog, shipping, 5*time.Second, [2]int{80, 0})
				got := play(gateOf(l), catalog, shipping, lasting, [2]int{80, 1920})
				persons, goodput := got[edge.Person], float64(got[edge.Person].whole+got[edge.Ahead].whole)/lasting.Seconds()
				t.Logf("persons %+v, prefetches %+v, %.0f whole pages/s", persons, got[edge.Ahead], goodput)
				if served := percent(persons.whole, persons.offered); served < 99 {
					t.Errorf("%.2f %% of the persons were served", served)
				}
				if goodput < 0.9*capacity {
					t.Errorf("%.0f whole pages/s of %d", goodput, capacity)
				}
				after := play(gateOf(l), catalog, shipping, 10*time.Second, [2]int{80, 0})
				if p := after[edge.Person]; p.whole != p.offered {
					t.Errorf("afterwards: %+v", p)
				}
				if s := l.Stats(); s.Limit != edge.DefaultOptions().Max || s.InProgress != 0 || s.Cuts == 0 {
					t.Errorf("afterwards: %+v", s)
				}
			})
		})
	}
}

// TestFloodWithoutLimiter proves that the model breaks, so that the test above
// can fail.
func TestFloodWithoutLimiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, func(o *edge.Options) { o.Enabled = false })
		catalog, shipping := newService(200, 50*time.Millisecond), newService(200, 50*time.Millisecond)
		got := play(gateOf(l), catalog, shipping, 20*time.Second, [2]int{80, 1920})
		if served := percent(got[edge.Person].served(), got[edge.Person].offered); served > 50 {
			t.Errorf("%.2f %% of the persons were served", served)
		}
		if s := l.Stats(); s.Refused["person"]+s.Refused["prefetch"] > 0 || s.Admitted["prefetch"] == 0 || s.InProgress != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestFloodOfPersons: nobody is less important, so most are refused, but the
// backend is kept at work.
func TestFloodOfPersons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const capacity = 200
		l := newLimiter(t, nil)
		catalog, shipping := newService(capacity, 50*time.Millisecond), newService(capacity, 50*time.Millisecond)
		play(gateOf(l), catalog, shipping, 20*time.Second, [2]int{2000, 0})
		got := play(gateOf(l), catalog, shipping, 20*time.Second, [2]int{2000, 0})
		if p := got[edge.Person]; float64(p.whole)/20 < 0.8*capacity || p.refused < p.offered/2 {
			t.Errorf("%+v", p)
		}
	})
}

// TestHealthyRefusesNobody: bursts, more load, slower backends, a service whose
// circuit is about to open: none of it is too many pages.
func TestHealthyRefusesNobody(t *testing.T) {
	fast := func() *service {
		s := newService(1_000_000, 5*time.Millisecond)
		s.bulkhead = 100_000
		return s
	}
	slow := func(to time.Duration) func(_, shipping *service) {
		return func(_, shipping *service) { shipping.latency = to }
	}
	for name, tc := range map[string]struct {
		change func(catalog, shipping *service)
		rate   int
	}{
		"twenty times the load":       {func(_, _ *service) {}, 10_000},
		"four times slower":           {slow(20 * time.Millisecond), 1000},
		"twenty times slower":         {slow(100 * time.Millisecond), 500},
		"an optional part that hangs": {slow(time.Hour), 500},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, catalog, shipping := newLimiter(t, nil), fast(), fast()
				play(gateOf(l), catalog, shipping, 3*time.Second, [2]int{500, 0})
				tc.change(catalog, shipping)
				got := play(gateOf(l), catalog, shipping, 5*time.Second, [2]int{tc.rate, 0})
				if p := got[edge.Person]; p.refused > 0 || p.failed > 0 || p.served() != p.offered {
					t.Errorf("%+v, %+v", p, l.Stats())
				}
			})
		})
	}
}

// TestSlowFromNowOn: pages take five eighths of their budget, from one moment to
// the next. What is cut does not make them faster, which is noticed in seconds.
func TestSlowFromNowOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, nil)
		catalog, shipping := newService(1_000_000, 5*time.Millisecond), newService(1_000_000, 5*time.Millisecond)
		play(gateOf(l), catalog, shipping, 10*time.Second, [2]int{200, 0})
		catalog.latency, shipping.latency = 250*time.Millisecond, 250*time.Millisecond
		got := play(gateOf(l), catalog, shipping, 5*time.Second, [2]int{200, 0})
		if p := got[edge.Person]; p.refused > p.offered/3 {
			t.Errorf("at first: %+v", p)
		}
		got = play(gateOf(l), catalog, shipping, 20*time.Second, [2]int{200, 0})
		if p := got[edge.Person]; p.refused > 0 || p.whole != p.offered {
			t.Errorf("later: %+v", p)
		}
	})
}

// TestPrefetchesEarnTheirLimit: where there is room they get it, in seconds.
func TestPrefetchesEarnTheirLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, nil)
		catalog, shipping := newService(1_000_000, 50*time.Millisecond), newService(1_000_000, 50*time.Millisecond)
		catalog.bulkhead, shipping.bulkhead = 100_000, 100_000
		play(gateOf(l), catalog, shipping, 5*time.Second, [2]int{80, 2000})
		got := play(gateOf(l), catalog, shipping, 10*time.Second, [2]int{80, 2000})
		if a := got[edge.Ahead]; a.refused > 0 || a.whole != a.offered {
			t.Errorf("%+v, %+v", a, l.Stats())
		}
		earned := l.Stats().PrefetchLimit
		play(gateOf(l), catalog, shipping, 2*time.Minute, [2]int{80, 0})
		if now := l.Stats().PrefetchLimit; now > earned/2 {
			t.Errorf("%d of %d are kept without use", now, earned)
		}
	})
}
