package balance_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/facet-gateway/facet/core/balance"
)

// patient is a pool of two whose checks go to a probe that can be changed, run in a
// bubble until end is called.
type patient struct {
	*world
	mu     sync.Mutex
	answer func(ctx context.Context, address string) error
	asked  map[string]int
	end    func()
}

func newPatient(t *testing.T, check balance.Check) *patient {
	o := roundRobin()
	o.Check = &check
	p := &patient{world: newWorld(t, o, addresses(2)...), asked: map[string]int{}}
	p.answers(func(context.Context, string) error { return nil })
	p.pool.Probe(p.ask)
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	wait.Go(func() { p.pool.Run(ctx) })
	p.end = func() { cancel(); wait.Wait() }
	synctest.Wait() // the first checks have been made
	return p
}

func (p *patient) answers(f func(ctx context.Context, address string) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = f
}

func (p *patient) ask(ctx context.Context, s *server) error {
	p.mu.Lock()
	answer := p.answer
	p.asked[s.address]++
	p.mu.Unlock()
	return answer(ctx, s.address)
}

func (p *patient) count(address string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[address]
}

// pass lets time pass, and whatever is due in it be done.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

var everySecond = balance.Check{Interval: time.Second, Timeout: 500 * time.Millisecond, Healthy: 2, Unhealthy: 3}

func failing(_ context.Context, address string) error {
	if address == bad {
		return errors.New("is ill: " + strings.Repeat("x", 1000))
	}
	return nil
}

func TestChecksMoveInstancesInAndOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatient(t, everySecond)
		defer p.end()
		p.answers(failing)
		pass(2500 * time.Millisecond) // at 0 it was well; so the third bad one comes at 3s
		if s := p.status(bad); s.State != balance.In {
			t.Errorf("after two bad ones: %+v", s)
		}
		pass(time.Second)
		if s := p.status(bad); s.State != balance.Unhealthy || !strings.HasPrefix(s.Check, "is ill") || len(s.Check) != 200 {
			t.Errorf("after three bad ones: %+v", s)
		}
		p.fresh()
		p.load(2, time.Second)
		if n := p.at(bad).calls; n != 0 {
			t.Errorf("an unhealthy one got %d calls", n)
		}
		p.answers(func(context.Context, string) error { return nil })
		pass(1100 * time.Millisecond)
		if s := p.status(bad); s.State != balance.Unhealthy {
			t.Errorf("after one good one: %+v", s)
		}
		pass(time.Second)
		if s := p.status(bad); s.State != balance.Warming || s.Check != "" {
			t.Errorf("after two good ones: %+v", s)
		}
	})
}

// TestFlappingMovesNothing: only checks in a row count.
func TestFlappingMovesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatient(t, everySecond)
		defer p.end()
		n := 0
		p.answers(func(_ context.Context, address string) error {
			if address != bad {
				return nil
			}
			if n++; n%3 != 0 {
				return errors.New("two of three are bad")
			}
			return nil
		})
		for range 60 {
			pass(time.Second)
			if s := p.status(bad); s.State != balance.In {
				t.Fatalf("%+v", s)
			}
		}
	})
}

// TestSlowCheckIsBad, and is given no more time than it has.
func TestSlowCheckIsBad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatient(t, everySecond)
		defer p.end()
		p.answers(func(ctx context.Context, address string) error {
			if address == bad {
				<-ctx.Done()
			}
			return nil // too late
		})
		pass(4 * time.Second)
		if s := p.status(bad); s.State != balance.Unhealthy || p.count(bad) < 4 {
			t.Errorf("%d checks; %+v", p.count(bad), s)
		}
	})
}

// TestHungCheckIsBounded: one that does not end with its context is the only one of its
// instance, counts as bad, and holds neither the other's checks nor Run up beyond itself.
func TestHungCheckIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatient(t, everySecond)
		release := make(chan struct{})
		p.answers(func(_ context.Context, address string) error {
			if address == bad {
				<-release
			}
			return nil
		})
		pass(10500 * time.Millisecond)
		if s := p.status(bad); s.State != balance.Unhealthy || s.Check == "" || p.count(bad) != 2 || p.count("127.0.0.1:2") != 11 {
			t.Errorf("%d and %d checks; %+v", p.count(bad), p.count("127.0.0.1:2"), s)
		}
		p.update(addresses(3)[1:])
		if p.at(bad).closed != 0 {
			t.Error("closed while its check runs")
		}
		close(release)
		p.end()
		if p.at(bad).closed != 1 {
			t.Error("not closed after its check")
		}
		p.pool.Close()
		p.checkClosed()
	})
}

func TestPanickingCheckIsBad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatient(t, everySecond)
		defer p.end()
		p.answers(func(context.Context, string) error { panic("ouch") })
		pass(3500 * time.Millisecond)
		if s := p.status(bad); s.State != balance.Unhealthy || s.Check != "the check panicked: ouch" {
			t.Errorf("%+v", s)
		}
		p.fresh()
		p.load(2, time.Second)
		if p.at(bad).calls == 0 {
			t.Error("all are unhealthy, and this one is not used")
		}
	})
}

// TestChecksAreReconfigured while they run; without any, nobody is unhealthy.
func TestChecksAreReconfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatient(t, everySecond)
		defer p.end()
		p.answers(failing)
		pass(5 * time.Second)
		o := roundRobin()
		if err := p.pool.Configure(o); err != nil {
			t.Fatal(err)
		}
		before := p.count(bad)
		pass(time.Minute)
		if s := p.status(bad); s.State != balance.In || s.Check != "" || p.count(bad) != before {
			t.Errorf("%d checks where none is configured; %+v", p.count(bad)-before, s)
		}
		check := everySecond
		check.Interval, check.Unhealthy = 10*time.Second, 1
		o.Check = &check
		if err := p.pool.Configure(o); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		if s := p.status(bad); s.State != balance.Unhealthy || p.count(bad) != before+1 {
			t.Errorf("%d checks; %+v", p.count(bad)-before, s)
		}
	})
}

// TestUnhealthyAndEjected: it is not tried by calls while checks say that it is ill.
func TestUnhealthyAndEjected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPatient(t, everySecond)
		defer p.end()
		p.set(bad, behaviour{takes: time.Millisecond, fails: true})
		p.answers(failing)
		p.load(2, 5*time.Second)
		if s := p.status(bad); s.State != balance.Unhealthy || s.Until == nil {
			t.Fatalf("%+v", s)
		}
		p.fresh()
		p.load(2, 30*time.Second)
		if n := p.at(bad).calls; n != 0 {
			t.Errorf("%d calls tried it", n)
		}
		p.set(bad, behaviour{takes: time.Millisecond})
		p.answers(func(context.Context, string) error { return nil })
		p.load(2, 5*time.Second)
		if s := p.status(bad); s.State != balance.Warming {
			t.Errorf("%+v", s)
		}
	})
}

// TestRunWithoutChecks waits, and ends with its context.
func TestRunWithoutChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, balance.DefaultOptions(), addresses(2)...)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		w.pool.Run(ctx)
		if took := time.Since(began); took != time.Minute {
			t.Errorf("returned after %v", took)
		}
	})
}
