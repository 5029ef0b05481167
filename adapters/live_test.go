package adapters_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/facet-gateway/facet/adapters"
	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/stream"
)

// TestLiveStock has every version show the stock as the service tells it, and a change.
func TestLiveStock(t *testing.T) {
	s := open(t)
	change := make(chan services.Stock, 1)
	s.services.Inventory.BindChanges(func(ctx context.Context, _ string, subscribed func() error, told func(services.Stock)) error {
		if err := subscribed(); err != nil {
			return err
		}
		for {
			select {
			case one := <-change:
				told(one)
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	})
	t.Cleanup(s.services.Close)
	set, err := adapters.All(s.services)
	must(t, err)
	want := map[string][2]string{
		"tv":    {`{"availability":"low"}`, `{"availability":"sold_out"}`},
		"phone": {`{"availability":"low","left":3}`, `{"availability":"sold_out","left":0}`},
		"tablet": {
			`{"availability":"low","left":3,"restock_at":"2026-12-01T00:00:00Z"}`, `{"availability":"sold_out","left":0}`,
		},
	}
	// Another class need tell none.
	all := slices.DeleteFunc(set.All(), func(v *adapter.Version) bool { return want[string(v.Class)][0] == "" })
	followers := map[*adapter.Version]*stream.Follower[[]byte]{}
	for _, v := range all {
		followers[v] = followLive(t, v, "productid=p-1042")
		sees(t, v, followers[v], want[string(v.Class)][0])
	}
	change <- services.Stock{ProductID: "p-1042"}
	for v, f := range followers {
		sees(t, v, f, want[string(v.Class)][1])
	}
	for _, v := range all {
		if _, err := next(t, followLive(t, v, "productid=p-0")); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("%s of an unknown product: %v", v, err)
		}
	}
}

func followLive(t *testing.T, v *adapter.Version, query string) *stream.Follower[[]byte] {
	t.Helper()
	e, ok := v.Feed("/live/stock")
	if !ok {
		t.Fatalf("%s has no live stock", v)
	}
	feed, err := e.Follow(&adapter.Request{Device: profile(t, v.Class), RawQuery: query})
	must(t, err)
	f, err := feed.Follow("")
	must(t, err)
	t.Cleanup(f.Close)
	return f
}

func sees(t *testing.T, v *adapter.Version, f *stream.Follower[[]byte], want string) {
	t.Helper()
	if got, err := next(t, f); got != want || err != nil {
		t.Errorf("%s shows %s, %v; want %s", v, got, err, want)
	}
}

func next(t *testing.T, f *stream.Follower[[]byte]) (string, error) {
	t.Helper()
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
