package balance_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/facet-gateway/facet/core/balance"
)

// TestOneOfFiveFailsEverything: what clients see of it in a minute is the faults that
// may be in a row, or as many as were in flight at first, and then one each time that
// it is tried: after 10 and 30 seconds.
func TestOneOfFiveFailsEverything(t *testing.T) {
	for _, policy := range []balance.Policy{balance.LeastLoaded, balance.RoundRobin} {
		for _, workers := range []int{1, 5, 20, 100} {
			for _, takes := range []time.Duration{time.Millisecond, 50 * time.Millisecond} {
				t.Run(fmt.Sprintf("%s/%d/%v", policy, workers, takes), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						o := balance.DefaultOptions()
						o.Policy = policy
						w := newWorld(t, o, addresses(5)...)
						w.load(workers, 2*time.Second)
						w.fresh()
						w.set(bad, behaviour{takes: takes, fails: true})
						w.load(workers, min(time.Minute, 20*time.Minute/time.Duration(workers)))
						s := w.at(bad)
						if limit := max(5, s.most) + 2; s.faults > limit {
							t.Errorf("clients saw %d faults, want at most %d; at most %d were in flight", s.faults, limit, s.most)
						}
						if workers <= 5 && s.faults > 5+2 {
							t.Errorf("clients saw %d faults, want at most 5 and 2 tries", s.faults)
						}
					})
				})
			}
		}
	}
}

// roundRobin are options under which an instance that fails is out soon.
func roundRobin() balance.Options {
	o := balance.DefaultOptions()
	o.Policy = balance.RoundRobin
	return o
}

// TestEjectionsGrowAndAreForgotten: each is twice as long as the one before, up to
// five minutes, until the instance has been in for as long.
func TestEjectionsGrowAndAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, roundRobin(), addresses(3)...)
		for _, in := range addresses(3)[1:] {
			w.set(in.Address, behaviour{takes: 100 * time.Millisecond})
		}
		w.set(bad, behaviour{takes: time.Millisecond, fails: true})
		began := time.Now()
		var tried []int // the second in which each fault came, after the first five
		seen := 0
		for time.Since(began) < 20*time.Minute {
			w.load(1, time.Second)
			if n := w.at(bad).faults; n > max(seen, 5) {
				tried = append(tried, int(time.Since(began).Seconds()))
				seen = n
			}
		}
		want := []int{11, 31, 71, 151, 311, 611, 911}
		if len(tried) != len(want) {
			t.Fatalf("tried in seconds %v, want %v", tried, want)
		}
		for i := range want {
			if tried[i] < want[i]-1 || tried[i] > want[i]+2 {
				t.Errorf("tried in seconds %v, want %v", tried, want)
				break
			}
		}
		w.set(bad, behaviour{takes: time.Millisecond})
		w.load(1, 5*time.Minute)
		if s := w.status(bad); s.State != balance.In || s.Faults != 0 {
			t.Fatalf("it is well, and %+v", s)
		}
		if got := w.ejectedFor(bad); got < 4*time.Minute {
			t.Errorf("soon after, it is out for %v", got)
		}
		w.set(bad, behaviour{takes: time.Millisecond})
		w.load(1, time.Hour)
		if got := w.ejectedFor(bad); got > 10*time.Second {
			t.Errorf("after an hour without a fault it is out for %v", got)
		}
	})
}

// ejectedFor makes an instance fail until it is out, and returns for how long it is.
func (w *world) ejectedFor(address string) time.Duration {
	w.t.Helper()
	w.set(address, behaviour{takes: time.Millisecond, fails: true})
	for range 1000 {
		if s := w.status(address); s.Until != nil {
			return time.Until(*s.Until)
		}
		if _, _, err := w.call(nil); err != nil {
			w.t.Fatal(err)
		}
	}
	w.t.Fatalf("%s is not ejected: %+v", address, w.status(address))
	return 0
}

// TestOneTryAtATime: however many calls come when an ejection is over.
func TestOneTryAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, roundRobin(), addresses(5)...)
		w.set(bad, behaviour{takes: time.Millisecond, fails: true})
		w.load(5, 5*time.Second)
		if s := w.status(bad); s.State != balance.Out {
			t.Fatalf("%+v", s)
		}
		w.set(bad, behaviour{takes: 3 * time.Second})
		w.fresh()
		w.load(50, 8*time.Second)
		if s := w.at(bad); s.calls != 1 || s.most != 1 {
			t.Errorf("%d calls tried it, %d at once", s.calls, s.most)
		}
		w.load(50, 2*time.Second)
		if s := w.status(bad).State; s != balance.Warming {
			t.Errorf("it has answered, and is %s", s)
		}
	})
}

// TestCancelledTryLetsTheNextOneTry.
func TestCancelledTryLetsTheNextOneTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, roundRobin(), addresses(2)...)
		w.set(bad, behaviour{takes: time.Millisecond, fails: true})
		w.load(1, time.Second)
		time.Sleep(10 * time.Second)
		w.load(1, 20*time.Millisecond) // one call to the other tells the time, the next one tries
		w.set(bad, behaviour{takes: time.Millisecond})
		time.Sleep(20 * time.Second)
		if _, _, err := w.call(nil); err != nil {
			t.Fatal(err)
		}
		first, err := w.pool.Pick(nil)
		if err != nil || first.Instance.Address != bad {
			t.Fatal(first, err)
		}
		first.Done(balance.Silent, 0)
		if s := w.status(bad); s.State != balance.Out {
			t.Errorf("%+v", s)
		}
		if address, _, err := w.call(nil); err != nil || address != bad {
			t.Error(address, err)
		}
		if s := w.status(bad); s.State != balance.Warming {
			t.Errorf("%+v", s)
		}
	})
}

// TestNeverTooManyAreOut, and those that should be but may not are tried by one call at
// a time, until they are well.
func TestNeverTooManyAreOut(t *testing.T) {
	cases := []struct{ n, failing, percent, want int }{
		{5, 5, 50, 2}, {5, 3, 50, 2}, {4, 4, 50, 2}, {2, 2, 50, 1}, {1, 1, 50, 0}, {5, 5, 0, 0}, {5, 4, 100, 4}, {1, 1, 100, 1},
	}
	for _, c := range cases {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := roundRobin()
				o.Outlier.MaxPercent, o.Outlier.Ejection = c.percent, 5*time.Minute
				w := newWorld(t, o, addresses(c.n)...)
				for _, in := range addresses(c.failing) {
					w.set(in.Address, behaviour{takes: time.Millisecond, fails: true})
				}
				w.load(4, 5*time.Second)
				if !w.settled(c.want) {
					t.Errorf("%+v", w.pool.Status())
				}
				for _, in := range addresses(c.failing) {
					w.set(in.Address, behaviour{takes: time.Millisecond})
				}
				w.fresh()
				w.load(4, 5*time.Second)
				for _, in := range addresses(c.n) {
					if w.status(in.Address).State != balance.Out && w.at(in.Address).calls == 0 {
						t.Errorf("%s is in again, and gets no call", in.Address)
					}
				}
			})
		})
	}
}

// TestPanic: when too few are in, all are used, so that the last ones do not drown.
func TestPanic(t *testing.T) {
	for percent, all := range map[int]bool{0: false, 40: false, 41: true, 100: true} {
		synctest.Test(t, func(t *testing.T) {
			o := roundRobin()
			o.Outlier.MaxPercent, o.Outlier.Ejection, o.PanicPercent = 100, 5*time.Minute, percent
			w := newWorld(t, o, addresses(5)...)
			for _, in := range addresses(3) {
				w.set(in.Address, behaviour{takes: time.Millisecond, fails: true})
			}
			w.load(10, 10*time.Second)
			if !w.settled(3) {
				t.Fatalf("%+v", w.pool.Status())
			}
			w.fresh()
			w.load(10, time.Second)
			if got := w.at(bad).calls > 0; got != all {
				t.Errorf("2 of 5 are in, panic below %d %%: all are used: %v, want %v", percent, got, all)
			}
		})
	}
}

// TestLastOneIsUsed whatever is known of it.
func TestLastOneIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := balance.DefaultOptions()
		o.Outlier.MaxPercent, o.PanicPercent = 100, 0
		w := newWorld(t, o, addresses(1)...)
		w.set(bad, behaviour{takes: 50 * time.Millisecond, fails: true})
		w.load(2, 3*time.Minute)
		if s := w.status(bad); s.State != balance.Out {
			t.Errorf("%+v", s)
		}
		w.set(bad, behaviour{takes: 50 * time.Millisecond})
		w.load(2, 6*time.Minute)
		if s := w.status(bad); s.State != balance.In {
			t.Errorf("%+v", s)
		}
	})
}

// TestShareOfFaults: one that fails half of its calls is out after an interval, and
// none is where all fail alike.
func TestShareOfFaults(t *testing.T) {
	for _, c := range []struct {
		name          string
		others, every int // of how many calls one is bad; 0: none
		takes         time.Duration
		out           bool
	}{
		{"half of its calls", 0, 2, 5 * time.Millisecond, true},
		{"one of five, less than 30 points", 0, 5, 5 * time.Millisecond, false},
		{"as the others", 2, 2, 5 * time.Millisecond, false},
		{"half of few calls", 0, 2, 100 * time.Millisecond, false}, // 20 in an interval
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := roundRobin()
				o.Outlier.Ejection = 5 * time.Minute
				w := newWorld(t, o, addresses(5)...)
				for i := range 5000 {
					m, err := w.pool.Pick(nil)
					if err != nil {
						t.Fatal(err)
					}
					time.Sleep(c.takes)
					every := c.others
					if m.Instance.Address == bad {
						every = c.every
					}
					outcome := balance.Success
					if every > 0 && i/5%every == 0 {
						outcome = balance.Fault
					}
					m.Done(outcome, c.takes)
				}
				if out := w.status(bad).State == balance.Out; out != c.out {
					t.Errorf("out is %v, want %v: %+v", out, c.out, w.pool.Status())
				}
			})
		})
	}
}

// TestSwitchingOffLetsAllIn, without a new pool.
func TestSwitchingOffLetsAllIn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := roundRobin()
		w := newWorld(t, o, addresses(3)...)
		w.set(bad, behaviour{takes: time.Millisecond, fails: true})
		w.load(1, time.Second)
		if s := w.status(bad); s.State != balance.Out || s.Faults < 5 || s.Until == nil {
			t.Fatalf("%+v", s)
		}
		o.Outlier.Consecutive, o.Outlier.SuccessRate = 0, 0
		if err := w.pool.Configure(o); err != nil {
			t.Fatal(err)
		}
		if s := w.status(bad); s.State != balance.In || s.Until != nil {
			t.Errorf("%+v", s)
		}
		w.load(1, time.Second)
		if s := w.status(bad); s.State != balance.In {
			t.Errorf("%+v", s)
		}
	})
}
