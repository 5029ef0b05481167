package memcached_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/cache"
	"github.com/facet-gateway/facet/core/cache/cachetest"
	"github.com/facet-gateway/facet/core/cache/memcached"
)

const command = "catalog.product"

type product struct{ ID, Name string }

func until(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func join(t testing.TB, o cache.Options, servers ...string) (*cache.Shared, *cache.Remote[string, product]) {
	t.Helper()
	s, err := cache.NewShared(memcached.New(servers, "facet", 8), o, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	r, err := cache.NewRemote[string, product](command, s)
	if err != nil {
		t.Fatal(err)
	}
	return s, r
}

func patient() cache.Options { return cache.Options{Timeout: time.Second} }

func entry(id string) cache.Entry[product] {
	now := time.Now()
	return cache.Entry[product]{Value: product{ID: id}, Stored: now, Fresh: now.Add(time.Minute), Stale: now.Add(time.Hour), Size: 100}
}

func has(t testing.TB, r *cache.Remote[string, product], key string) bool {
	t.Helper()
	e := r.Get(t.Context(), []string{key})[0]
	return e.Found() && e.Value.ID == key
}

func TestReplicasShareEntriesOverSeveralServers(t *testing.T) {
	first, second := cachetest.Memcached(t), cachetest.Memcached(t)
	s, a := join(t, patient(), first.Addr, second.Addr)
	_, b := join(t, patient(), first.Addr, second.Addr)
	keys := []string{strings.Repeat("ä", 300), "with space\r\n", ""}
	for i := range 100 {
		keys = append(keys, fmt.Sprint(i))
	}
	for _, key := range keys {
		a.Put(key, entry(key))
	}
	until(t, "all are written", func() bool { return s.Stats().Written == uint64(len(keys)) })
	got := b.Get(t.Context(), append(slices.Clone(keys), "none"))
	for i, key := range keys {
		if !got[i].Found() || got[i].Value.ID != key {
			t.Errorf("%q: %+v", key, got[i])
		}
	}
	if got[len(keys)].Found() {
		t.Error("found what is not there")
	}
	a.Drop("1")
	a.Drop("none")
	until(t, "it is dropped", func() bool { return !has(t, b, "1") })
	if !claims(t, a, "2", time.Minute) || !claims(t, b, "2", time.Minute) {
		t.Error("nobody can tell, and yet no leave")
	}
	if _, err := s.Invalidate(t.Context(), cache.Invalidation{Command: command, Key: a.Text("2")}); err != nil || has(t, b, "2") {
		t.Errorf("invalidated: %v", err)
	}
	if _, err := s.Invalidate(t.Context(), cache.Invalidation{Tag: "t"}); !errors.Is(err, cache.ErrNoTags) {
		t.Errorf("by tag: %v", err)
	}
	if got := s.Stats(); got.Faults+got.WriteFaults+got.Rubbish+got.Skipped != 0 || !got.Connected {
		t.Errorf("%+v", got)
	}
}

func TestRubbishIsDropped(t *testing.T) {
	server := cachetest.Memcached(t)
	s, r := join(t, patient(), server.Addr)
	store := memcached.New([]string{server.Addr}, "facet", 1)
	defer store.Close()
	r.Put("1", entry("1"))
	until(t, "it is there", func() bool { return has(t, r, "1") })
	other, err := cache.NewRemote[string, struct{ Name string }](command, s)
	if err != nil {
		t.Fatal(err)
	}
	if e := other.Get(t.Context(), []string{"1"})[0]; e.Stored != (time.Time{}) {
		t.Error("another type reads it")
	}
	key := cache.Key{Command: command, Shape: shapeOf(t), Text: "1"}
	for i, value := range []string{"", "rubbish", strings.Repeat("x", 500<<10)} {
		if _, err := store.Write(t.Context(), []cache.Write{{Key: key, Value: []byte(value), TTL: time.Minute}}); err != nil {
			t.Fatal(err)
		}
		if has(t, r, "1") || s.Stats().Rubbish != uint64(i+1) {
			t.Errorf("%+v", s.Stats())
		}
		until(t, "it is dropped", func() bool {
			got, err := store.Get(t.Context(), []cache.Key{key}, 1)
			return err == nil && got[0] == ""
		})
	}
}

// shapeOf learns the shape from what a remote asks a store for.
func shapeOf(t *testing.T) string {
	t.Helper()
	var seen spy
	s, err := cache.NewShared(&seen, patient(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r, err := cache.NewRemote[string, product](command, s)
	if err != nil {
		t.Fatal(err)
	}
	r.Get(t.Context(), []string{"1"})
	return seen.key.Shape
}

func TestAServerThatIsHurtCostsTheLimit(t *testing.T) {
	for name, hurt := range map[string]func(*cachetest.Server){"killed": (*cachetest.Server).Kill, "hung": (*cachetest.Server).Stop} {
		t.Run(name, func(t *testing.T) {
			server := cachetest.Memcached(t)
			s, r := join(t, cache.Options{}, server.Addr)
			until(t, "it is found", func() bool { r.Put("1", entry("1")); return has(t, r, "1") })
			hurt(server)
			took := make([]time.Duration, 0, 2000)
			for range cap(took) {
				began := time.Now()
				has(t, r, "1")
				took = append(took, time.Since(began))
				r.Put("1", entry("1"))
			}
			slices.Sort(took)
			if p99 := took[len(took)*99/100]; p99 > 50*time.Millisecond {
				t.Errorf("p99 %v", p99)
			}
			if got := s.Stats(); !got.Open || got.InFlight > cache.DefaultMaxLookups {
				t.Errorf("%+v", got)
			}
			t.Logf("p50 %v, p99 %v, worst %v", took[len(took)/2], took[len(took)*99/100], took[len(took)-1])
			server.Kill()
			server.Start()
			until(t, "it is found again", func() bool { r.Put("1", entry("1")); return has(t, r, "1") })
		})
	}
}

func BenchmarkGet(b *testing.B) {
	for _, n := range []int{1, 200} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			server := cachetest.Memcached(b)
			s, r := join(b, patient(), server.Addr)
			keys := make([]string, n)
			for i := range keys {
				keys[i] = fmt.Sprint("p-", i)
				e := entry(keys[i])
				e.Value.Name = strings.Repeat("A name ", 100)
				r.Put(keys[i], e)
			}
			until(b, "all are written", func() bool { return s.Stats().Written == uint64(n) })
			b.ReportAllocs()
			for b.Loop() {
				r.Get(b.Context(), keys)
			}
		})
	}
}

// claims asks for leave to refresh one key.
func claims(t *testing.T, r interface {
	Claim(ctx context.Context, keys []string, d time.Duration) []string
}, key string, d time.Duration,
) bool {
	t.Helper()
	return len(r.Claim(t.Context(), []string{key}, d)) == 1
}
