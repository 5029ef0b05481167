package server_test

import (
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/server"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

// TestRolloutsChooseWhoTells: a candidate tells in its own shape; what lives elsewhere
// has nothing live, and control tells instead. No guard judges by how long it was followed.
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

// must is for what cannot fail in tests.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
