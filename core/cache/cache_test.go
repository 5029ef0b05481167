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

func TestResizeKeepsTheNewest(t *testing.T) {
	const weight = 100 + cache.Overhead
	for _, tc := range []struct {
		name    string
		entries int
		bytes   int64
		kept    int
	}{
		{"the same", 20, 1 << 20, 10},
		{"more of both", 1000, 1 << 30, 10},
		{"fewer entries", 4, 1 << 20, 4},
		{"fewer bytes", 20, 3*weight + 1, 3},
		{"fewer of both", 5, 2 * weight, 2},
		{"one", 1, 1 << 20, 1},
		{"no room for any", 20, 1, 0},
		{"none is one", 0, 0, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := cache.New[int, int](20, 1<<20, newClock().Now)
			for i := range 10 {
				c.Put(i, i, 100, time.Minute, time.Minute)
			}
			c.Resize(tc.entries, tc.bytes)
			if got := c.Size(); got.Entries != tc.kept || got.Bytes != int64(tc.kept*weight) {
				t.Fatalf("%+v, want %d answers", got, tc.kept)
			}
			for i := range 10 {
				if _, ok := c.Get(i); ok != (i >= 10-tc.kept) {
					t.Errorf("answer %d is there: %v, with %d kept", i, ok, tc.kept)
				}
			}
			for i := range 50 {
				c.Put(i, i, 100, time.Minute, time.Minute)
			}
			if got := c.Size(); got.Entries > max(tc.entries, 1) || got.Bytes > max(tc.bytes, 1) {
				t.Errorf("over its new bounds: %+v", got)
			}
		})
	}
}

// BenchmarkResize forgets 1,000 of 10,000 answers.
func BenchmarkResize(b *testing.B) {
	c := cache.New[int, int](10_000, 1<<30, time.Now)
	for next := 0; b.Loop(); {
		b.StopTimer()
		for c.Size().Entries < 10_000 {
			c.Put(next, next, 100, time.Minute, time.Minute)
			next++
		}
		b.StartTimer()
		c.Resize(9000, 1<<30)
		b.StopTimer()
		c.Resize(10_000, 1<<30)
		b.StartTimer()
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
				if i%101 == 0 {
					c.Resize(20+i%31, 10_000+int64(i)*10)
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
