package command_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/cache"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/report"
)

// depot is a store in memory that counts how often it is looked into.
type depot struct {
	looks  atomic.Int64
	slow   time.Duration
	mu     sync.Mutex
	values map[string]string
}

func (d *depot) Get(_ context.Context, keys []cache.Key, _ int) ([]string, error) {
	d.looks.Add(1)
	time.Sleep(d.slow)
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

// TestLookingUpIsNoTimeOfTheBackend: it counts for the answer, and not for the call, of
// one query as of many.
func TestLookingUpIsNoTimeOfTheBackend(t *testing.T) {
	const slow = 50 * time.Millisecond
	for _, tc := range []struct {
		name    string
		queries []int
		fail    error
		want    report.Rung
	}{
		{"one", upTo(1), nil, report.Live},
		{"many", upTo(5), nil, report.Live},
		{"one that fails", upTo(1), errPlain, report.Default},
		{"many that fail", upTo(5), errPlain, report.Default},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := &depot{values: make(map[string]string), slow: slow}
			shared, err := cache.NewShared(d, cache.Options{Timeout: time.Second}, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(shared.Close)
			s, c := newShelf(t, command.Cache{Fresh: forever})
			if err := c.Default(func(q int) int { return q * 10 }).Share(shared); err != nil {
				t.Fatal(err)
			}
			configure(t, c.Control, func(p *command.Policy) { p.Timeout = slow - time.Millisecond })
			s.failing(failAll(tc.fail))
			want := make(map[int]int)
			for _, q := range tc.queries {
				want[q] = q * 10
			}
			askAll(t, c, tc.queries, tc.want, want)
			recent := c.Recent(100)
			if total, run := recent.Total, recent.Execute; total.Count != 1 || run.Count != 1 || total.At[0]-run.At[0] < slow*9/10 {
				t.Errorf("the answer: %+v, the run: %+v", total, run)
			}
		})
	}
}
