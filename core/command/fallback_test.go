package command_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/facet-gateway/facet/core/cache"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/report"
)

// depot is a store in memory that counts how often it is looked into.
type depot struct {
	looks  atomic.Int64
	mu     sync.Mutex
	values map[string]string
}

func (d *depot) Get(_ context.Context, keys []cache.Key, _ int) ([]string, error) {
	d.looks.Add(1)
	d.mu.Lock()
	defer d.mu.Unlock()
	values := make([]string, len(keys))
	for i, k := range keys {
		values[i] = d.values[k.String()]
	}
	return values, nil
}

func (d *depot) Write(_ context.Context, writes []cache.Write) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range writes {
		d.values[w.Key.String()] = string(w.Value)
	}
	return len(writes), nil
}

func (d *depot) Close() {}

// TestBatchFallsBackInOneLook: what a batch that failed may stand in with is looked up
// once for all its queries, not one after the other beyond the page's time.
func TestBatchFallsBackInOneLook(t *testing.T) {
	d := &depot{values: make(map[string]string)}
	shared, err := cache.NewShared(d, cache.Options{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(shared.Close)
	join := func() (*shelf, *command.Command[int, int]) {
		s, c := newShelf(t, command.Cache{Stale: forever})
		if err := c.Share(shared); err != nil {
			t.Fatal(err)
		}
		return s, c
	}
	_, there := join()
	queries, want := upTo(160), make(map[int]int)
	for _, q := range queries {
		want[q] = q * 10
	}
	askAll(t, there, queries, report.Live, want)
	eventually(t, "all are written", func() bool { return shared.Stats().Written == uint64(len(queries)) })
	s, here := join()
	s.failing(failAll(errPlain))
	askAll(t, here, queries, report.Stale, want)
	if n := d.looks.Load(); n != 1 {
		t.Errorf("%d looks", n)
	}
}
