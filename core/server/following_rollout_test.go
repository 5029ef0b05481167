package server_test

import (
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/server"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

// TestRolloutsChooseWhoTells: a candidate tells in its own shape; what lives elsewhere
// has nothing live, and control tells instead. No guard judges by how long it
// was followed.
func TestRolloutsChooseWhoTells(t *testing.T) {
	for candidate, want := range map[string]string{"v2": "phone/v2", "v9": "phone/v1"} {
		t.Run(candidate, func(t *testing.T) {
			k := newTicker(t)
			follow := func(_ *adapter.Request, q query) stream.Feed[int] { return k.Feed(q.ID) }
			tells := func(version string) adapter.Endpoint {
				return adapter.Live("/live/tick", follow, func(n int) tick { return tick{n, version} })
			}
			layer := elsewhereLayer()
			layer.Rollouts[0].Candidate = candidate
			r := newReleased(t, layer, func(o *server.Options) {
				v1 := must(adapter.New(devices.Phone, "v1", tells("phone/v1")))
				v2 := must(adapter.New(devices.Phone, "v2", tells("phone/v2")))
				v9 := must(adapter.NewRemote(devices.Phone, "v9", []string{"/item"}, elsewhere))
				for i, v := range o.Versions {
					if v.Class == devices.Phone {
						o.Versions[i] = v1
					}
				}
				o.Build = must(adapter.NewSet(v1, v2, v9))
				o.Clients = server.Clients{Max: 10, Heartbeat: time.Second}
			})
			l := &liveFixture{fixture: r.fixture}
			ln, stop, served := serving(t, r.fixture)
			l.url = "http://" + ln.Addr().String()
			s := l.open(t, "/live/tick?id=a", "X-User-Id: ada")
			s.want(t, `event: tick|data: {"n":0,"word":"`+want+`"}`)
			if got := s.Header.Get("Facet-Adapter"); got != want {
				t.Errorf("it is told by %s", got)
			}
			s.close()
			stop()
			if err := <-served; err != nil {
				t.Error(err)
			}
			if r.last() != (rollout.Seen{}) {
				t.Errorf("a guard was told %+v", r.last())
			}
		})
	}
}

// newDefective is a server whose candidate for phones panics: in what follows the id
// "panic", and in the shape of 0 of others but "good", and of numbers below 0.
func newDefective(t *testing.T) (*released, *liveFixture) {
	t.Helper()
	k := newTicker(t)
	follow := func(_ *adapter.Request, q query) stream.Feed[int] { return k.Feed(q.ID) }
	r := newReleased(t, share(100), func(o *server.Options) {
		v1 := must(adapter.New(devices.Phone, "v1", adapter.Live("/live/tick", follow, func(n int) tick { return tick{n, "v1"} })))
		v2 := must(adapter.New(devices.Phone, "v2", adapter.Live("/live/tick",
			func(r *adapter.Request, q query) stream.Feed[int] {
				if q.ID == "panic" {
					panic("a defect")
				}
				return follow(r, q)
			},
			func(n int) tick {
				if n <= 0 {
					panic("a defect of a shape")
				}
				return tick{n, "v2"}
			})))
		for i, v := range o.Versions {
			if v.Class == devices.Phone {
				o.Versions[i] = v1
			}
		}
		o.Build = must(adapter.NewSet(v1, v2))
		o.Clients = server.Clients{Max: 10, Heartbeat: 300 * time.Millisecond}
	})
	ln, stop, served := serving(t, r.fixture)
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return r, &liveFixture{fixture: r.fixture, ticker: k, url: "http://" + ln.Addr().String()}
}

func (r *released) blamed() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.seen {
		if s.Panicked && s.Version == "v2" && s.Arm == rollout.Candidate {
			n++
		}
	}
	return n
}

// TestControlTellsForACandidateThatPanics: before the answer begins; and a guard hears of
// it while it is followed.
func TestControlTellsForACandidateThatPanics(t *testing.T) {
	r, l := newDefective(t)
	for i, id := range []string{"panic", "shape"} {
		s := l.open(t, "/live/tick?id="+id, "X-User-Id: ada")
		s.want(t, `event: tick|data: {"n":0,"word":"v1"}`)
		if got := s.Header.Get("Facet-Adapter"); got != "phone/v1" {
			t.Errorf("%s is told by %s", id, got)
		}
		waitUntil(t, func() bool { return r.blamed() == i+1 })
		if seen := r.last(); !seen.FellBack || !seen.Failed() || seen.Answered != "v1" {
			t.Errorf("a guard was told %+v", seen)
		}
		s.close()
		waitUntil(t, func() bool { return l.Clients().Ended[server.EndLeft] == uint64(i+1) })
	}
	if got := r.blamed(); got != 2 || len(l.Clients().Ended) != 1 {
		t.Errorf("blamed %d times, %+v", got, l.Clients())
	}
}

// TestACandidateThatPanicsLater: its client is sent away, and a guard hears of it.
func TestACandidateThatPanicsLater(t *testing.T) {
	r, l := newDefective(t)
	s := l.open(t, "/live/tick?id=quiet", "X-User-Id: ada")
	l.ticker.tell(t, "quiet", 1)
	s.want(t, `event: tick|data: {"n":1,"word":"v2"}`)
	if got := r.blamed(); got != 0 {
		t.Errorf("blamed %d times before", got)
	}
	l.ticker.tell(t, "quiet", -1)
	if event, _ := s.event(t); !strings.HasSuffix(event, `|event: bye|data: {"reason":"fault"}`) {
		t.Errorf("the end is %q", event)
	}
	waitUntil(t, func() bool { return r.blamed() == 1 })
	if seen := r.last(); seen.FellBack {
		t.Errorf("a guard was told %+v", seen)
	}
}

// TestWhoIsToldByAVersionThatIsTakenOut is sent away, and has control when it comes back.
func TestWhoIsToldByAVersionThatIsTakenOut(t *testing.T) {
	paused, ended, out := share(0), share(100), share(100)
	ended.Rollouts[0].Status = rollout.Aborted
	out.Quarantine = map[string]rollout.Quarantine{"v2": {Reason: "it panicked"}}
	for name, c := range map[string]struct {
		layer rollout.Layer
		goes  bool
	}{"no share": {paused, false}, "aborted": {ended, true}, "quarantined": {out, true}} {
		t.Run(name, func(t *testing.T) {
			r, l := newDefective(t)
			s := l.open(t, "/live/tick?id=quiet", "X-User-Id: ada")
			l.ticker.tell(t, "quiet", 1)
			s.want(t, `event: tick|data: {"n":1,"word":"v2"}`)
			r.decide(rollout.State{Document: rollout.Document{Classes: map[devices.Class]*rollout.Layer{devices.Phone: &c.layer}}})
			if !c.goes {
				l.ticker.tell(t, "quiet", 2)
				s.want(t, `event: tick|data: {"n":2,"word":"v2"}`)
				return
			}
			if event, _ := s.event(t); !strings.HasSuffix(event, `|event: bye|data: {"reason":"fault"}`) {
				t.Errorf("the end is %q", event)
			}
			l.open(t, "/live/tick?id=quiet", "X-User-Id: ada").want(t, `event: tick|data: {"n":1,"word":"v1"}`)
			if r.blamed() != 0 {
				t.Error("it did not panic")
			}
		})
	}
}

// must is for what cannot fail in tests.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
