package cache_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/cache"
)

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)} }

func TestAgesFromFreshToStaleToGone(t *testing.T) {
	for _, tc := range []struct {
		name         string
		fresh, stale time.Duration
		after        time.Duration
		found, young bool
	}{
		{"fresh at once", time.Second, time.Minute, 0, true, true},
		{"fresh until the limit", time.Second, time.Minute, time.Second - 1, true, true},
		{"stale at the limit", time.Second, time.Minute, time.Second, true, false},
		{"stale until its limit", time.Second, time.Minute, time.Minute - 1, true, false},
		{"gone at its limit", time.Second, time.Minute, time.Minute, false, false},
		{"never fresh", 0, time.Minute, 0, true, false},
		{"fresh only", time.Minute, 0, time.Second, true, true},
		{"gone after fresh only", time.Minute, 0, time.Minute, false, false},
		{"never kept", 0, 0, 0, false, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			clk := newClock()
			c := cache.New[string, int](10, 1<<20, clk.Now)
			c.Put("a", 1, 10, tc.fresh, tc.stale)
			clk.advance(tc.after)
			hit, found := c.Get("a")
			if found != tc.found || hit.Fresh != tc.young {
				t.Fatalf("found %v fresh %v, want %v %v", found, hit.Fresh, tc.found, tc.young)
			}
			if found && (hit.Age != tc.after || hit.Value != 1) {
				t.Fatalf("age %v value %d, want %v 1", hit.Age, hit.Value, tc.after)
			}
		})
	}
}

func TestBounds(t *testing.T) {
	clk := newClock()
	c := cache.New[int, int](5, 1<<20, clk.Now)
	for i := range 100 {
		c.Put(i, i, 1, time.Minute, time.Minute)
	}
	if got := c.Size(); got.Entries != 5 || got.Bytes != 5*(1+cache.Overhead) {
		t.Fatalf("bounded by entries: %+v", got)
	}
	c = cache.New[int, int](1000, 10_000, clk.Now)
	for i := range 100 {
		c.Put(i, i, 1000, time.Minute, time.Minute)
	}
	if got := c.Size(); got.Entries != 10_000/(1000+cache.Overhead) || got.Bytes > 10_000 {
		t.Fatalf("bounded by bytes: %+v", got)
	}
	if _, ok := c.Get(99); !ok {
		t.Fatal("the newest was evicted")
	}
	c.Put(99, 0, 20_000, time.Minute, time.Minute)
	if _, ok := c.Get(99); ok {
		t.Fatal("an answer over the limit was kept, or the old one survived it")
	}
}

func TestReplacingGivesBytesBack(t *testing.T) {
	c := cache.New[string, int](10, 1<<20, newClock().Now)
	for range 1000 {
		c.Put("a", 1, 500, time.Minute, time.Minute)
	}
	if got := c.Size(); got.Bytes != 500+cache.Overhead {
		t.Fatalf("%+v", got)
	}
	c.Drop("a")
	if got := c.Size(); got != (cache.Size{}) {
		t.Fatalf("after a drop: %+v", got)
	}
}

func TestConcurrentUseKeepsItsBounds(t *testing.T) {
	c := cache.New[int, int](50, 30_000, time.Now)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				c.Put(i%97, i, int64(i%700), time.Minute, time.Minute)
				if hit, ok := c.Get((i + g) % 97); ok && !hit.Fresh {
					t.Error("a fresh answer was stale")
				}
				if i%13 == 0 {
					c.Drop(i % 97)
				}
			}
		})
	}
	wg.Wait()
	if got := c.Size(); got.Entries > 50 || got.Bytes > 30_000 || got.Bytes < 0 {
		t.Fatalf("%+v", got)
	}
}

func BenchmarkPut(b *testing.B) {
	c := cache.New[string, int](1000, 1<<30, time.Now)
	keys := make([]string, 500)
	for i := range keys {
		keys[i] = fmt.Sprint("p-", i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c.Put(keys[i%len(keys)], i, 800, time.Minute, time.Minute)
	}
}

func BenchmarkGet(b *testing.B) {
	c := cache.New[string, int](1000, 1<<30, time.Now)
	c.Put("p-1", 1, 800, time.Hour, time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		c.Get("p-1")
	}
}
