package adapter_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/stream"
)

// score is what a service tells of a game.
type score struct{ home, away int }

type gameQuery struct {
	ID string `query:"id" check:"id,required"`
}

// scoreLine is what a screen shows of it.
type scoreLine struct {
	Score string `json:"score"`
	Lead  []int  `json:"lead"`
}

// games returns a hub whose games tell one score each.
func games(t testing.TB) *stream.Hub[string, score] {
	t.Helper()
	hub := stream.NewHub(stream.HubOptions[score]{State: true}, func(ctx context.Context, id string, told func(score)) error {
		if id == "unknown" {
			return fault.New(fault.NotFound, "there is no such game")
		}
		told(score{len(id), 1})
		<-ctx.Done()
		return nil
	})
	t.Cleanup(func() { hub.Close() })
	return hub
}

func newScoreLine(s score) scoreLine { return scoreLine{Score: fmt.Sprint(s.home, ":", s.away)} }

// first waits for the first event that a request gets.
func first(t testing.TB, e adapter.Endpoint, query string) (string, error) {
	t.Helper()
	feed, err := e.Follow(&adapter.Request{RawQuery: query})
	if err != nil {
		return "", err
	}
	f, err := feed.Follow("")
	if err != nil {
		return "", err
	}
	defer f.Close()
	for {
		changed := f.Changed()
		if item, ok, err := f.Next(); ok || err != nil {
			return string(item.Value), err
		}
		select {
		case <-changed:
		case <-time.After(5 * time.Second):
			t.Fatal("no event in five seconds")
		}
	}
}

func TestLive(t *testing.T) {
	hub := games(t)
	var shaped atomic.Int32
	follow := func(_ *adapter.Request, q gameQuery) stream.Feed[score] {
		if q.ID == "panic" {
			panic("a defect")
		}
		return hub.Feed(q.ID)
	}
	v, err := adapter.New("tv", "v1", adapter.Page("/a", showID), adapter.Live("/live/score", follow, func(s score) scoreLine {
		shaped.Add(1)
		if s.home == len("odd") {
			panic("a defect")
		}
		return newScoreLine(s)
	}))
	if err != nil {
		t.Fatal(err)
	}
	if pages, feeds := fmt.Sprint(v.Paths()), fmt.Sprint(v.FeedPaths()); pages != "[/a]" || feeds != "[/live/score]" {
		t.Errorf("pages %s, feeds %s", pages, feeds)
	}
	_, page := v.Endpoint("/live/score")
	_, feed := v.Feed("/a")
	e, ok := v.Feed("/live/score")
	if page || feed || !ok || !e.Live() || e.Event() != "score" || e.Name() != "live/score" || e.Parameters[0].Name != "id" {
		t.Errorf("%v, %v, %+v", page, feed, e)
	}
	for _, c := range []struct {
		query, want string
		code        fault.Code
	}{
		{"id=g-12", `{"score":"4:1","lead":[]}`, fault.OK},
		{"id=unknown", "", fault.NotFound},
		{"id=g/1", "", fault.Invalid},
		{"", "", fault.Invalid},
		{"id=panic", "", fault.Internal},
		{"id=odd", "", fault.Internal},
	} {
		if got, err := first(t, e, c.query); got != c.want || fault.CodeOf(err) != c.code {
			t.Errorf("%s: %s, %v; want %s, %v", c.query, got, err, c.want, c.code)
		}
	}
	shaped.Store(0)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := first(t, e, "id=g-1234"); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := shaped.Load(); n != 1 {
		t.Errorf("the value was shaped %d times", n)
	}
}

func TestLiveNamesWhatIsWrong(t *testing.T) {
	follow := func(*adapter.Request, gameQuery) stream.Feed[score] { return stream.Feed[score]{} }
	unasked := func(*adapter.Request, int) stream.Feed[score] { return stream.Feed[score]{} }
	for _, c := range []struct {
		endpoint adapter.Endpoint
		want     string
	}{
		{adapter.Live("live", follow, newScoreLine), `"live": a path`},
		{adapter.Live("/live", follow, func(score) chan int { return nil }), "the event type chan int"},
		{adapter.Live("/live", unasked, newScoreLine), "int is not a struct"},
	} {
		if _, err := adapter.New("tv", "v1", c.endpoint); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
	if _, err := adapter.New("tv", "v1", adapter.Page("/a", showID), adapter.Live("/a", follow, newScoreLine)); err == nil {
		t.Error("a page and a feed may have one path")
	}
}

func TestLiveEndpointsAreInherited(t *testing.T) {
	hub := games(t)
	follow := func(_ *adapter.Request, q gameQuery) stream.Feed[score] { return hub.Feed(q.ID) }
	older := adapter.Live("/live/score", follow, newScoreLine)
	newer := adapter.OverrideLive("/live/score", follow, func(s score) score2 { return score2{s.home} })
	v1 := version(t, "tv", "v1", "", adapter.Page("/a", showID), older)
	set, err := adapter.NewSet(v1, version(t, "tv", "v2", "v1", adapter.Override("/a", showID)), version(t, "tv", "v3", "v2", newer))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"v1": `{"score":"3:1","lead":[]}`, "v2": `{"score":"3:1","lead":[]}`, "v3": `{"home":3}`} {
		e, _ := set.Find("tv", name).Feed("/live/score")
		if got, err := first(t, e, "id=g-1"); got != want || err != nil {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	for _, e := range []adapter.Endpoint{
		adapter.OverrideLive("/a", follow, newScoreLine), adapter.Override("/live/score", showID),
		adapter.OverrideLive("/b", follow, newScoreLine),
	} {
		if _, err := adapter.NewSet(v1, version(t, "tv", "v2", "v1", e)); err == nil {
			t.Errorf("%s overrides what is not of its kind, or not there", e.Path)
		}
	}
}

type score2 struct {
	Home int `json:"home"`
}
