package balance_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/discovery"
	"github.com/facet-gateway/facet/core/report"
)

func TestPoolThatKnowsNoInstance(t *testing.T) {
	w := newWorld(t, balance.DefaultOptions())
	for _, spread := range []*report.Spread{nil, {}} {
		if _, err := w.pool.Pick(spread); !errors.Is(err, balance.ErrNoInstance) {
			t.Error(err)
		}
	}
	if all := w.pool.Status(); all == nil || len(all) != 0 {
		t.Error(all)
	}
}

func TestThoseThatStayAreKept(t *testing.T) {
	w := newWorld(t, balance.DefaultOptions(), addresses(3)...)
	held, err := w.pool.Pick(nil)
	if err != nil {
		t.Fatal(err)
	}
	w.update(addresses(5)[2:])
	if n := len(w.servers); n != 5 {
		t.Errorf("%d servers were opened, want 5: one has stayed", n)
	}
	for i, s := range w.servers {
		if stays := i >= 2; s.closed > 0 && (stays || s == held.C) {
			t.Errorf("%s was closed", s.address)
		}
	}
	held.Done(balance.Success, time.Millisecond)
	w.pool.Close()
	w.pool.Close()
	w.checkClosed()
	if _, err := w.pool.Pick(nil); !errors.Is(err, balance.ErrClosed) {
		t.Error(err)
	}
	if err := w.pool.Update(addresses(2)); !errors.Is(err, balance.ErrClosed) {
		t.Error(err)
	}
	w.checkClosed() // and what that has opened
}

// TestLeftOnesDrain: closed after the last of their calls, and shown until then.
func TestLeftOnesDrain(t *testing.T) {
	w := newWorld(t, balance.DefaultOptions(), addresses(1)...)
	var held []*balance.Member[*server]
	for range 3 {
		m, err := w.pool.Pick(nil)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, m)
	}
	w.update(addresses(2)[1:])
	for i, m := range held {
		if s := w.status(bad); s.State != balance.Draining || s.InFlight != 3-i {
			t.Errorf("%+v", s)
		}
		if w.servers[0].closed > 0 {
			t.Errorf("closed with %d calls in flight", 3-i)
		}
		m.Done(balance.Fault, time.Millisecond)
	}
	if all := w.pool.Status(); len(all) != 1 || w.servers[0].closed != 1 {
		t.Errorf("closed %d times; %+v", w.servers[0].closed, all)
	}
	w.update(addresses(1)) // it is back, as another one
	w.pool.Close()
	w.checkClosed()
	if len(w.servers) != 3 {
		t.Errorf("%d servers", len(w.servers))
	}
}

func TestBadListsAreRefused(t *testing.T) {
	many := addresses(1001)
	for want, list := range map[string][]discovery.Instance{
		"0 instances":     nil,
		"1001 instances":  many,
		"no address":      {{Path: "/v1"}},
		"is there twice":  {{Address: "a:1", Zone: "x"}, {Address: "b:1"}, {Address: "a:1", Zone: "y"}},
		"can be used":     {{Address: "a:1", Path: "/broken"}},
		"a:1/broken: is ": {{Address: "a:1", Path: "/broken"}},
	} {
		w := newWorld(t, balance.DefaultOptions(), addresses(3)...)
		if err := w.pool.Update(list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if all := w.pool.Status(); len(all) != 3 || len(w.servers) != 3 {
			t.Errorf("%q: the set has not stayed: %+v", want, all)
		}
	}
	w := newWorld(t, balance.DefaultOptions(), addresses(2)...)
	if err := w.pool.Update(many[:1000]); err != nil {
		t.Error(err)
	}
}

// TestOneThatCannotBeOpenedIsLeftOut, and the others are taken.
func TestOneThatCannotBeOpenedIsLeftOut(t *testing.T) {
	w := newWorld(t, balance.DefaultOptions(), addresses(2)...)
	err := w.pool.Update([]discovery.Instance{{Address: "a:1"}, {Address: "b:1", Path: "/broken"}})
	if err == nil || !strings.Contains(err.Error(), "b:1/broken: is broken") {
		t.Error(err)
	}
	if all := w.pool.Status(); len(all) != 1 || all[0].Address != "a:1" {
		t.Errorf("%+v", all)
	}
}

// TestNoLockIsHeldWhileOpeningAndClosing: either may use the pool.
func TestNoLockIsHeldWhileOpeningAndClosing(t *testing.T) {
	var p *balance.Pool[int]
	use := func() {
		p.Status()
		if m, err := p.Pick(nil); err == nil {
			m.Done(balance.Success, time.Millisecond)
		}
	}
	p, err := balance.New(balance.DefaultOptions(), func(discovery.Instance) (int, error) { use(); return 0, nil }, func(int) { use() })
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := p.Update(addresses(4)[i : i+1]); err != nil {
			t.Fatal(err)
		}
	}
	p.Close()
}

// TestChurn: servers come and go every 10 ms under load, and not one call is lost.
func TestChurn(t *testing.T) {
	o := balance.DefaultOptions()
	var opened, closed, late atomic.Int64
	type conn struct{ closed atomic.Bool }
	p, err := balance.New(o,
		func(discovery.Instance) (*conn, error) { opened.Add(1); return &conn{}, nil },
		func(c *conn) {
			if c.closed.Swap(true) {
				late.Add(1)
			}
			closed.Add(1)
		})
	if err != nil {
		t.Fatal(err)
	}
	all := addresses(40)
	if err := p.Update(all[:20]); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var wait sync.WaitGroup
	var calls atomic.Int64
	for i := range 6 {
		wait.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				var spread *report.Spread
				if i%2 == 0 {
					spread = &report.Spread{}
				}
				m, err := p.Pick(spread)
				if err != nil {
					t.Error(err)
					return
				}
				if m.C.closed.Load() {
					t.Error("a closed one was picked")
					return
				}
				calls.Add(1)
				m.Done(balance.Outcome(calls.Load()%50/49), time.Duration(calls.Load()%1000)*time.Microsecond)
			}
		})
	}
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for i := range 100 {
		<-ticker.C
		if err := p.Update(all[i%2*19 : i%2*19+20]); err != nil { // 19 of 20 leave, as many come
			t.Fatal(err)
		}
	}
	close(stop)
	wait.Wait()
	p.Close()
	if opened.Load() != 20+100*19-19 || opened.Load() != closed.Load() || late.Load() != 0 || calls.Load() < 1000 {
		t.Errorf("%d opened, %d closed, %d of them twice, %d calls", opened.Load(), closed.Load(), late.Load(), calls.Load())
	}
}

// TestUpdatesAtOnce: whichever is the last, nothing is opened without being closed.
func TestUpdatesAtOnce(t *testing.T) {
	w := newWorld(t, balance.DefaultOptions(), addresses(3)...)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for j := range 50 {
				w.update(addresses(10)[(i+j)%5 : (i+j)%5+5])
				if _, err := w.glance(nil); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if n := len(w.pool.Status()); n != 5 {
		t.Errorf("%d instances, want 5", n)
	}
	w.pool.Close()
	w.checkClosed()
}

func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := roundRobin()
		w := newWorld(t, o, discovery.Instance{Address: bad, Path: "/v1", Zone: "a"}, discovery.Instance{Address: "127.0.0.1:2"})
		w.set("127.0.0.1:2", behaviour{takes: 20 * time.Millisecond, fails: true})
		w.load(1, 400*time.Millisecond)
		m, err := w.pool.Pick(nil)
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(w.pool.Status())
		if err != nil {
			t.Fatal(err)
		}
		m.Done(balance.Silent, 0)
		for _, want := range []string{
			`{"address":"127.0.0.1:1","path":"/v1","zone":"a","state":"in","in_flight":1,"ewma_ms":10,"faults":0}`,
			`{"address":"127.0.0.1:2","state":"out","in_flight":0,"ewma_ms":`, `"faults":5,"ejected_until":"2000-01-01T00:00:10.`,
		} {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s\nlacks %s", text, want)
			}
		}
	})
}

// TestLatencyIsKnownOfTheOnlyOne, though not each of its calls is looked at.
func TestLatencyIsKnownOfTheOnlyOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, balance.DefaultOptions(), addresses(1)...)
		for i := range 10_000 {
			takes := 10*time.Millisecond + time.Duration(i*i%7919)*time.Microsecond/1000
			if i == 100 {
				takes = time.Second
			}
			m, err := w.pool.Pick(nil)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(takes)
			m.Done(balance.Success, takes)
			if ms := w.status(bad).EWMA; i == 100 && ms != 1000 || i == 99 && (ms < 10 || ms > 11) {
				t.Errorf("after call %d: %v ms", i, ms)
			}
		}
		if ms := w.status(bad).EWMA; ms < 9 || ms > 12 {
			t.Errorf("in the end: %v ms", ms)
		}
	})
}

// TestConfigureWhileCallsAreInFlight.
func TestConfigureWhileCallsAreInFlight(t *testing.T) {
	w := newWorld(t, balance.DefaultOptions(), zones("a", "b", "a")...)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 200 {
				m, err := w.pool.Pick(&report.Spread{})
				if err != nil {
					t.Error(err)
					return
				}
				m.Done(balance.Fault, time.Millisecond)
			}
		})
	}
	for i := range 200 {
		o := balance.DefaultOptions()
		o.Outlier.Consecutive, o.Zone, o.Outlier.MaxPercent = i%7, []string{"", "a", "c"}[i%3], i%101
		if i%2 == 0 {
			o.Policy = balance.RoundRobin
		}
		if err := w.pool.Configure(o); err != nil {
			t.Fatal(err)
		}
	}
	wait.Wait()
	if err := w.pool.Configure(balance.Options{}); err == nil {
		t.Error("options without a policy are taken")
	}
}

// TestCallTakesNoMemory; where attempts are spread, they remember where they went.
func TestCallTakesNoMemory(t *testing.T) {
	w := newWorld(t, balance.DefaultOptions(), addresses(5)...)
	call := func(s *report.Spread) {
		m, err := w.pool.Pick(s)
		if err != nil {
			t.Fatal(err)
		}
		m.Done(balance.Success, time.Millisecond)
	}
	if n := testing.AllocsPerRun(1000, func() { call(nil) }); n != 0 {
		t.Errorf("a call takes %v allocations", n)
	}
	if n := testing.AllocsPerRun(1000, func() { call(&report.Spread{}) }); n > 2 {
		t.Errorf("the first of several attempts takes %v allocations, want what it remembers", n)
	}
}
