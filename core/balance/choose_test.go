package balance_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/report"
)

const bad = "127.0.0.1:1" // the one that is other than the others

func TestEqualsGetEqualShares(t *testing.T) {
	for _, policy := range []balance.Policy{balance.LeastLoaded, balance.RoundRobin} {
		for _, workers := range []int{1, 4, 40} {
			t.Run(string(policy), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					o := balance.DefaultOptions()
					o.Policy = policy
					w := newWorld(t, o, addresses(5)...)
					w.load(workers, 2000*10*time.Millisecond/time.Duration(workers))
					for _, in := range addresses(5) {
						if n := w.at(in.Address).calls; n < 320 || n > 480 { // of 2000; five standard deviations of chance
							t.Errorf("%d workers: %s got %d of 2000 calls", workers, in.Address, n)
						}
					}
				})
			})
		}
	}
}

func TestOneOfFiveIsTenTimesSlower(t *testing.T) {
	for _, workers := range []int{1, 4, 20, 80} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, balance.DefaultOptions(), addresses(5)...)
			w.set(bad, behaviour{takes: 100 * time.Millisecond})
			w.load(workers, min(time.Minute, 10*time.Minute/time.Duration(workers)))
			if p99 := w.p99(); p99 > 13*time.Millisecond {
				t.Errorf("%d workers: p99 is %v, want at most 1.3 times the 10ms without it", workers, p99)
			}
			if s := w.at(bad); s.calls == 0 {
				t.Errorf("%d workers: the slow one was never asked", workers)
			}
		})
	}
}

// TestSlowOneIsTriedAgain: what is known of one that was left alone is forgotten, but
// not so that it is flooded before it has answered.
func TestSlowOneIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, balance.DefaultOptions(), addresses(5)...)
		w.set(bad, behaviour{takes: time.Second})
		w.load(5, 10*time.Second)
		time.Sleep(10 * time.Minute)
		w.fresh()
		w.load(50, time.Second)
		if s := w.at(bad); s.calls == 0 || s.most > 25 {
			t.Errorf("of 50 workers, %d calls went to the slow one after a rest, %d at once; want about 10, and at most 25 at once", s.calls, s.most)
		}
		w.set(bad, behaviour{takes: 10 * time.Millisecond})
		w.load(5, 2*time.Minute)
		w.fresh()
		w.load(5, 10*time.Second)
		if n := w.at(bad).calls; n < 500 { // of 5000
			t.Errorf("the slow one is as fast as the others again, and gets %d of 5000 calls", n)
		}
	})
}

// TestSlowOneIsTriedAgainByOneCaller, with whom nobody is ever busy.
func TestSlowOneIsTriedAgainByOneCaller(t *testing.T) {
	for _, n := range []int{2, 5} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, balance.DefaultOptions(), addresses(n)...)
			w.set(bad, behaviour{takes: 100 * time.Millisecond})
			w.load(1, 10*time.Second)
			w.set(bad, behaviour{takes: 10 * time.Millisecond})
			w.fresh()
			w.load(1, 80*time.Second)
			if s := w.at(bad); s.calls < 8000/n/10 {
				t.Errorf("of %d instances the one that was slow got %d of 8000 calls", n, s.calls)
			}
		})
	}
}

// TestHungOneGetsLittle: no answer tells about it, but the calls in flight do.
func TestHungOneGetsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, balance.DefaultOptions(), addresses(5)...)
		w.load(5, 10*time.Second)
		w.set(bad, behaviour{takes: time.Hour})
		w.fresh()
		w.load(20, time.Second)
		if s := w.at(bad); s.calls > 10 {
			t.Errorf("%d of 20 workers hang", s.calls)
		}
	})
}

func TestFailingFastAttractsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := balance.DefaultOptions()
		o.Outlier.Consecutive, o.Outlier.SuccessRate = 0, 0
		w := newWorld(t, o, addresses(5)...)
		w.set(bad, behaviour{takes: time.Microsecond, fails: true})
		w.load(10, time.Minute)
		if s := w.at(bad); s.calls > 600 { // 1 % of 60,000
			t.Errorf("one that fails at once got %d calls of 60,000", s.calls)
		}
	})
}

func TestRoundRobinTakesTurns(t *testing.T) {
	o := balance.DefaultOptions()
	o.Policy = balance.RoundRobin
	w := newWorld(t, o, addresses(3)...)
	for i := range 9 {
		m, err := w.pool.Pick(nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := addresses(3)[i%3]; m.Instance != want {
			t.Errorf("call %d went to %v, want %v", i, m.Instance, want)
		}
		m.Done(balance.Success, time.Millisecond)
	}
}

// TestNewOneGetsItsShareSlowly with both policies, and whatever the load is.
func TestNewOneGetsItsShareSlowly(t *testing.T) {
	for _, policy := range []balance.Policy{balance.LeastLoaded, balance.RoundRobin} {
		synctest.Test(t, func(t *testing.T) {
			o := balance.DefaultOptions()
			o.Policy = policy
			w := newWorld(t, o, addresses(5)[1:]...)
			w.load(5, 20*time.Second)
			w.update(addresses(5))
			if s := w.status(bad).State; s != balance.Warming {
				t.Errorf("the new one is %s", s)
			}
			var got []int
			for range 4 {
				w.fresh()
				w.load(5, 4*time.Second) // 2000 calls, of which a fifth is 400
				got = append(got, w.at(bad).calls)
			}
			if got[0] < 20 || got[0] > 220 || got[1] <= got[0] || got[2] <= got[1] || got[3] < 300 {
				t.Errorf("%s: of 2000 calls each 4s the new one of five got %v", policy, got)
			}
			if s := w.status(bad).State; s != balance.In {
				t.Errorf("after its slow start it is %s", s)
			}
		})
	}
}

func TestWithoutSlowStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := balance.DefaultOptions()
		o.SlowStart = 0
		w := newWorld(t, o, addresses(5)[1:]...)
		w.load(5, 20*time.Second)
		w.update(addresses(5))
		w.load(5, 4*time.Second)
		if n := w.at(bad).calls; n < 250 || n > 550 {
			t.Errorf("the new one of five got %d of 2000 calls", n)
		}
	})
}

func zones(of ...string) []discovery.Instance {
	all := addresses(len(of))
	for i, zone := range of {
		all[i].Zone = zone
	}
	return all
}

// TestOwnZoneIsPreferred while at least half of it is in.
func TestOwnZoneIsPreferred(t *testing.T) {
	cases := []struct {
		name, own string
		zones     []string
		failing   int // of the first ones
		want      []int
	}{
		{"all are in", "a", []string{"a", "a", "b", "b"}, 0, []int{0, 1}},
		{"half is in", "a", []string{"a", "a", "b", "b"}, 1, []int{1}},
		{"a third is in", "a", []string{"a", "a", "a", "b", "b", "b"}, 2, []int{2, 3, 4, 5}},
		{"none is in", "a", []string{"a", "b", "b"}, 1, []int{1, 2}},
		{"nobody is near", "c", []string{"a", "b"}, 0, []int{0, 1}},
		{"no zone", "", []string{"a", "", "b"}, 0, []int{0, 1, 2}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := balance.DefaultOptions()
				o.Policy, o.Zone, o.Outlier.Ejection, o.Outlier.MaxPercent = balance.RoundRobin, c.own, 5*time.Minute, 100
				w := newWorld(t, o, zones(c.zones...)...)
				for i := range c.failing {
					w.set(addresses(c.failing)[i].Address, behaviour{fails: true})
				}
				w.load(6, 5*time.Second)
				if !w.settled(c.failing) {
					t.Fatalf("%+v", w.pool.Status())
				}
				w.fresh()
				w.load(6, 5*time.Second)
				got := w.used()
				if !slices.Equal(got, c.want) {
					t.Errorf("calls went to %v, want %v", got, c.want)
				}
			})
		})
	}
}

// settled reports whether as many are out as are to be.
func (w *world) settled(want int) bool {
	out := 0
	for _, s := range w.pool.Status() {
		if s.State == balance.Out {
			out++
		}
	}
	return out == want
}

// used returns the places of the servers that got calls.
func (w *world) used() (places []int) {
	for i := range w.servers {
		if w.at(addresses(len(w.servers))[i].Address).calls > 0 {
			places = append(places, i)
		}
	}
	return places
}

// TestAttemptsAreSpread: each goes to another instance, the own zone's first.
func TestAttemptsAreSpread(t *testing.T) {
	for _, policy := range []balance.Policy{balance.LeastLoaded, balance.RoundRobin} {
		for range 50 {
			o := balance.DefaultOptions()
			o.Policy, o.Zone = policy, "a"
			w := newWorld(t, o, zones("b", "a", "b", "a", "a")...)
			spread, seen := &report.Spread{}, map[string]bool{}
			for i := range 5 {
				address, err := w.glance(spread)
				if err != nil || seen[address] {
					t.Fatalf("attempt %d: %q, %v; before: %v", i, address, err, seen)
				}
				if near := address != bad && address != "127.0.0.1:3"; near != (i < 3) {
					t.Errorf("attempt %d went to %s", i, address)
				}
				seen[address] = true
			}
			if _, err := w.glance(spread); !errors.Is(err, report.ErrNoOther) {
				t.Errorf("a sixth attempt at five instances: %v", err)
			}
		}
	}
}

// TestRetryDoesNotGoToWhoIsOut: there is nothing to hope for.
func TestRetryDoesNotGoToWhoIsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := balance.DefaultOptions()
		o.Policy = balance.RoundRobin
		w := newWorld(t, o, addresses(2)...)
		w.set(bad, behaviour{takes: time.Millisecond, fails: true})
		w.load(1, time.Second)
		for range 100 {
			spread := &report.Spread{}
			if address, _, err := w.call(spread); err != nil || address == bad {
				t.Fatal(address, err)
			}
			if address, _, err := w.call(spread); !errors.Is(err, report.ErrNoOther) {
				t.Fatalf("a second attempt: %q, %v", address, err)
			}
		}
	})
}

// TestNoiseStarvesNobody: answers that take ten times as long now and then, and one
// fault in a hundred calls, on all alike.
func TestNoiseStarvesNobody(t *testing.T) {
	for _, workers := range []int{2, 10, 50} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, balance.DefaultOptions(), addresses(5)...)
			var wait sync.WaitGroup
			for range workers {
				wait.Go(func() {
					for range 20_000 / workers {
						w.noisyCall()
					}
				})
			}
			wait.Wait()
			for _, in := range addresses(5) {
				if n := w.at(in.Address).calls; n < 2000 || n > 7000 {
					t.Errorf("%d workers: %s got %d of 20,000 calls", workers, in.Address, n)
				}
			}
		})
	}
}

func (w *world) noisyCall() {
	m, err := w.pool.Pick(nil)
	if err != nil {
		w.t.Error(err)
		return
	}
	takes := time.Duration(float64(5*time.Millisecond) * (1 + rand.ExpFloat64()))
	if rand.IntN(100) == 0 {
		takes *= 10
	}
	w.begin(m)
	time.Sleep(takes)
	m.Done(w.end(m, behaviour{takes: takes, fails: rand.IntN(100) == 0}), takes)
}
