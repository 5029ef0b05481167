package cache_test

import (
	"fmt"
	"slices"
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

// put remembers an answer of now.
func put[K comparable, V any](c *cache.Cache[K, V], key K, value V, size int64, fresh, stale time.Duration, tags ...string) {
	putAt(c, time.Now(), key, value, size, fresh, stale, tags...)
}

func putAt[K comparable, V any](
	c *cache.Cache[K, V], now time.Time, key K, value V, size int64, fresh, stale time.Duration, tags ...string,
) {
	c.Put(key, cache.Entry[V]{
		Value: value, Size: size, Stored: now, Fresh: now.Add(fresh), Stale: now.Add(max(fresh, stale)), Tags: tags,
	})
}

func spelt[K comparable](key K) string { return fmt.Sprint(key) }

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
			c := cache.New[string, int](10, 1<<20, spelt[string], clk.Now)
			putAt(c, clk.Now(), "a", 1, 10, tc.fresh, tc.stale)
			clk.advance(tc.after)
			hit := c.Get("a")
			young := clk.Now().Before(hit.Fresh)
			if hit.Found() != tc.found || tc.found && young != tc.young {
				t.Fatalf("found %v fresh %v, want %v %v", hit.Found(), young, tc.found, tc.young)
			}
			if tc.found && (hit.Age(clk.Now()) != tc.after || hit.Value != 1) {
				t.Fatalf("age %v value %d, want %v 1", hit.Age(clk.Now()), hit.Value, tc.after)
			}
		})
	}
}

func TestBounds(t *testing.T) {
	c := cache.New[int, int](5, 1<<20, spelt[int], time.Now)
	for i := range 100 {
		put(c, i, i, 1, time.Minute, time.Minute)
	}
	if got := c.Size(); got.Entries != 5 || got.Bytes != 5*(1+cache.Overhead) {
		t.Fatalf("bounded by entries: %+v", got)
	}
	c = cache.New[int, int](1000, 10_000, spelt[int], time.Now)
	for i := range 100 {
		put(c, i, i, 1000, time.Minute, time.Minute)
	}
	if got := c.Size(); got.Entries != 10_000/(1000+cache.Overhead) || got.Bytes > 10_000 {
		t.Fatalf("bounded by bytes: %+v", got)
	}
	if hit := c.Get(99); !hit.Found() {
		t.Fatal("the newest was evicted")
	}
	put(c, 99, 0, 20_000, time.Minute, time.Minute)
	if hit := c.Get(99); hit.Found() {
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
			c := cache.New[int, int](20, 1<<20, spelt[int], time.Now)
			for i := range 10 {
				put(c, i, i, 100, time.Minute, time.Minute)
			}
			c.Resize(tc.entries, tc.bytes)
			if got := c.Size(); got.Entries != tc.kept || got.Bytes != int64(tc.kept*weight) {
				t.Fatalf("%+v, want %d answers", got, tc.kept)
			}
			for i := range 10 {
				if hit := c.Get(i); hit.Found() != (i >= 10-tc.kept) {
					t.Errorf("answer %d is there: %v, with %d kept", i, hit.Found(), tc.kept)
				}
			}
			for i := range 50 {
				put(c, i, i, 100, time.Minute, time.Minute)
			}
			if got := c.Size(); got.Entries > max(tc.entries, 1) || got.Bytes > max(tc.bytes, 1) {
				t.Errorf("over its new bounds: %+v", got)
			}
		})
	}
}

// BenchmarkResize forgets 1,000 of 10,000 answers.
func BenchmarkResize(b *testing.B) {
	c := cache.New[int, int](10_000, 1<<30, spelt[int], time.Now)
	for next := 0; b.Loop(); {
		b.StopTimer()
		for c.Size().Entries < 10_000 {
			put(c, next, next, 100, time.Minute, time.Minute)
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
	c := cache.New[string, int](10, 1<<20, spelt[string], newClock().Now)
	for range 1000 {
		put(c, "a", 1, 500, time.Minute, time.Minute)
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
	c := cache.New[int, int](50, 30_000, spelt[int], time.Now)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				put(c, i%97, i, int64(i%700), time.Minute, time.Minute)
				if hit := c.Get((i + g) % 97); hit.Found() && hit.Fresh.IsZero() {
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
	c := cache.New[string, int](1000, 1<<30, spelt[string], time.Now)
	keys := make([]string, 500)
	for i := range keys {
		keys[i] = fmt.Sprint("p-", i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		put(c, keys[i%len(keys)], i, 800, time.Minute, time.Minute)
	}
}

func BenchmarkGet(b *testing.B) {
	c := cache.New[string, int](1000, 1<<30, spelt[string], time.Now)
	put(c, "p-1", 1, 800, time.Hour, time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		c.Get("p-1")
	}
}

func TestForgetting(t *testing.T) {
	clk := newClock()
	c := cache.New[int, string](100, 1<<20, spelt[int], clk.Now)
	fill := func() {
		for i := range 10 {
			putAt(c, clk.Now(), i, "v", 1, time.Minute, time.Hour, "all", fmt.Sprint("odd=", i%2), "all")
		}
	}
	there := func() (keys []int) {
		for i := range 10 {
			if hit := c.Get(i); hit.Found() {
				keys = append(keys, i)
			}
		}
		return keys
	}
	fill()
	asked := clk.Now() // of answers that come after what follows
	clk.advance(time.Second)
	if n := c.Forget("3"); n != 1 || len(there()) != 9 {
		t.Errorf("%d forgotten, %v left", n, there())
	}
	if n := c.ForgetTag("odd=0"); n != 5 || !slices.Equal(there(), []int{1, 5, 7, 9}) {
		t.Errorf("%d forgotten, %v left", n, there())
	}
	if n := c.ForgetTag("none"); n != 0 {
		t.Errorf("%d forgotten of a tag that nothing has", n)
	}
	for i := range 10 {
		putAt(c, asked, i, "late", 1, time.Minute, time.Hour, fmt.Sprint("odd=", i%2))
	}
	if !slices.Equal(there(), []int{1, 5, 7, 9}) {
		t.Errorf("an answer from before it was forgotten is there: %v", there())
	}
	clk.advance(1)
	if fill(); len(there()) != 10 {
		t.Errorf("only %v are remembered again", there())
	}
	c.Outdate()
	for i := range 10 {
		if hit := c.Get(i); !hit.Found() || clk.Now().Before(hit.Fresh) {
			t.Errorf("%d: %+v after all was outdated", i, hit)
		}
	}
	putAt(c, asked, 1, "late", 1, time.Minute, time.Hour)
	if hit := c.Get(1); hit.Found() {
		t.Error("an answer from before all was outdated is remembered")
	}
	clk.advance(1)
	c.PutAsked(1, cache.Entry[string]{Stored: asked, Fresh: clk.Now().Add(time.Minute), Stale: clk.Now().Add(time.Hour)}, clk.Now())
	if hit := c.Get(1); !hit.Found() {
		t.Error("an old answer that was found elsewhere after all was outdated is not remembered")
	}
	for i := range 10 {
		c.Drop(i)
	}
	if got := c.Size(); got != (cache.Size{}) || c.ForgetTag("all") != 0 {
		t.Errorf("%+v is left", got)
	}
}

// TestTagsAreBounded: whatever comes and goes, nothing of it is left behind.
func TestTagsAreBounded(t *testing.T) {
	c := cache.New[int, int](50, 1<<20, spelt[int], time.Now)
	for i := range 20_000 {
		put(c, i%500, i, 1, time.Minute, time.Minute, fmt.Sprint("t", i), fmt.Sprint("u", i%7))
		if i%11 == 0 {
			c.ForgetTag(fmt.Sprint("t", i))
		}
	}
	if n := cache.Tags(c); n > 50+7 {
		t.Errorf("%d tags of 50 answers", n)
	}
}
