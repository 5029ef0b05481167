package services_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/stream"
)

// publisher is a broker with one product, whose changes are what is sent to it.
type publisher struct {
	changes chan services.Stock
	lost    chan error
	begun   chan struct{} // a token for each subscription, before the stock is asked for
}

func newPublisher() *publisher {
	return &publisher{changes: make(chan services.Stock, 8), lost: make(chan error), begun: make(chan struct{}, 8)}
}

func (p *publisher) subscribe(ctx context.Context, _ string, subscribed func() error, told func(services.Stock)) error {
	p.begun <- struct{}{}
	if err := subscribed(); err != nil {
		return err
	}
	for {
		select {
		case s := <-p.changes:
			told(s)
		case err := <-p.lost:
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// nextStock waits for the number that is available.
func nextStock(t *testing.T, f *stream.Follower[services.Stock]) (int, error) {
	t.Helper()
	for {
		changed := f.Changed()
		if item, ok, err := f.Next(); ok || err != nil {
			return item.Value.Available, err
		}
		select {
		case <-changed:
		case <-time.After(5 * time.Second):
			t.Fatal("no stock in five seconds")
		}
	}
}

func followStock(t *testing.T, s *services.Services, product string) *stream.Follower[services.Stock] {
	t.Helper()
	f, err := s.Inventory.Changes(product).Follow("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

func wantStock(t *testing.T, f *stream.Follower[services.Stock], want ...int) {
	t.Helper()
	for _, n := range want {
		if got, err := nextStock(t, f); got != n || err != nil {
			t.Fatalf("%d, %v; want %d", got, err, n)
		}
	}
}

func TestChangesBeginWithTheStock(t *testing.T) {
	b, s := play(t)
	p := newPublisher()
	s.Inventory.BindChanges(p.subscribe)
	t.Cleanup(s.Close)
	b.say(200, `{"product_id":"p-1","available":3,"low":true}`)
	p.changes <- services.Stock{ProductID: "p-1", Available: 2} // it overtakes the first value
	f := followStock(t, s, "p-1")
	wantStock(t, f, 3, 2)
	p.changes <- services.Stock{ProductID: "p-1", Available: 1}
	wantStock(t, f, 1)
	wantStock(t, followStock(t, s, "p-1"), 1) // and asks for nothing
	if asked := b.lines(); len(asked) != 1 {
		t.Errorf("asked %v, want once", asked)
	}
	b.say(200, `{"product_id":"p-1","available":0,"low":true}`)
	p.lost <- errors.New("the broker is gone")
	wantStock(t, f, 0) // what changed meanwhile
	if n := len(p.begun); n != 2 {
		t.Errorf("%d subscriptions", n)
	}
	p.changes <- services.Stock{ProductID: "p-2", Available: 9} // of another product: it is subscribed to anew
	wantStock(t, f, 0)
	p.changes <- services.Stock{ProductID: "p-1", Available: -1} // less than nothing: as above
	wantStock(t, f, 0)
}

func TestChangesOfWhatIsNotThere(t *testing.T) {
	b, s := play(t)
	if _, err := s.Inventory.Changes("p-1").Follow(""); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("over http: %v", err)
	}
	s.Inventory.BindChanges(newPublisher().subscribe)
	t.Cleanup(s.Close)
	for status, code := range map[int]fault.Code{404: fault.NotFound, 503: fault.Unavailable} {
		b.say(status, `{}`)
		f := followStock(t, s, "p-1")
		if _, err := nextStock(t, f); fault.CodeOf(err) != code {
			t.Errorf("status %d: %v", status, err)
		}
		f.Close()
	}
}

// TestChangesBeginWithNothingRemembered: what was remembered may be older than the
// subscription, and what changed before that is not told any more.
func TestChangesBeginWithNothingRemembered(t *testing.T) {
	b, s := play(t)
	for _, c := range s.Controls() {
		if c.Name() == "inventory.stock" {
			p := c.Policy()
			p.Cache.Fresh, p.Cache.Stale = time.Minute, time.Hour
			if err := c.Configure(p); err != nil {
				t.Fatal(err)
			}
		}
	}
	s.Inventory.BindChanges(newPublisher().subscribe)
	t.Cleanup(s.Close)
	b.say(200, `{"product_id":"p-1","available":3,"low":true}`)
	if _, _, err := observe(s.Inventory.Stock("p-1")); err != nil {
		t.Fatal(err)
	}
	b.say(200, `{"product_id":"p-1","available":7,"low":false}`)
	wantStock(t, followStock(t, s, "p-1"), 7)
}
