package redis_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/facet-gateway/facet/core/cache"
	"github.com/facet-gateway/facet/core/cache/cachetest"
	"github.com/facet-gateway/facet/core/cache/redis"
	"github.com/facet-gateway/facet/core/fault"
)

type product struct {
	ID    string   `json:"id"`
	Name  string   `json:"name"`
	Price int64    `json:"price"`
	Tags  []string `json:"tags"`
}

const command = "catalog.product"

// replica is one process's second level, and what it was told.
type replica struct {
	*cache.Remote[string, product]
	shared *cache.Shared
	mu     sync.Mutex
	heard  []cache.Invalidation
}

func parsed(t testing.TB, text string) redis.Address {
	t.Helper()
	a, err := redis.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// join adds a replica that uses the server, and does not wait for it.
func join(t testing.TB, server *cachetest.Server, o cache.Options) *replica {
	t.Helper()
	s, err := cache.NewShared(redis.New(parsed(t, "redis://"+server.Addr), "facet"), o, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.Connect()
	r := &replica{shared: s}
	s.Subscribe(func(i cache.Invalidation) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.heard = append(r.heard, i)
	})
	if r.Remote, err = cache.NewRemote[string, product](command, s); err != nil {
		t.Fatal(err)
	}
	return r
}

// patient has a limit that a busy machine keeps.
func patient() cache.Options { return cache.Options{Timeout: time.Second} }

func connected(t testing.TB, server *cachetest.Server, o cache.Options) *replica {
	t.Helper()
	r := join(t, server, o)
	until(t, "it is connected", func() bool { return r.shared.Stats().Connected })
	return r
}

func (r *replica) told(f func(cache.Invalidation) bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.heard, f)
}

func (r *replica) get(t testing.TB, key string) cache.Entry[product] {
	t.Helper()
	return r.Get(t.Context(), []string{key})[0]
}

func (r *replica) has(t testing.TB, key string) bool {
	t.Helper()
	e := r.get(t, key)
	return e.Found()
}

// place writes an entry until it is there: one that was asked for within the doubt
// of the clocks, some microseconds after a connection or an invalidation, is refused.
func (r *replica) place(t testing.TB, key string, tags ...string) {
	t.Helper()
	until(t, key+" is there", func() bool {
		r.Put(key, entry(key, tags...))
		return r.has(t, key)
	})
}

func until(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func entry(id string, tags ...string) cache.Entry[product] {
	now := time.Now()
	return cache.Entry[product]{
		Value:  product{ID: id, Name: strings.Repeat("A name ", 100), Price: 100},
		Stored: now, Fresh: now.Add(time.Minute), Stale: now.Add(time.Hour), Size: 800, Tags: tags,
	}
}

// client asks the server behind the replicas' backs.
func client(t testing.TB, server *cachetest.Server) func(args ...string) rueidis.RedisResult {
	t.Helper()
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{server.Addr}, ForceSingleClient: true, DisableCache: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return func(args ...string) rueidis.RedisResult {
		return c.Do(context.Background(), c.B().Arbitrary(args...).Build())
	}
}

func TestReplicasShareEntries(t *testing.T) {
	server := cachetest.Redis(t)
	a, b := connected(t, server, patient()), connected(t, server, patient())
	want := entry("p-1", "product:p-1")
	until(t, "both are there", func() bool {
		want.Stored = time.Now()
		a.Put("p-1", want)
		absent := entry("")
		absent.Absent, absent.Value = true, product{}
		a.Put("p-2", absent)
		return b.has(t, "p-1") && b.has(t, "p-2")
	})
	got := b.Get(t.Context(), []string{"p-2", "p-3", "p-1"})
	if !got[0].Absent || got[1].Found() || got[2].Value.Name != want.Value.Name || got[2].Tags[0] != "product:p-1" || got[2].Size != 800 {
		t.Errorf("%+v", got)
	}
	if d := got[2].Stored.Sub(want.Stored).Abs(); d > 100*time.Millisecond {
		t.Errorf("the clocks are %v apart", d)
	}
	until(t, "it is dropped", func() bool {
		b.Drop("p-1") // again, if a write of a's was still on its way
		return !a.has(t, "p-1")
	})
	for _, r := range []*replica{a, b} {
		if s := r.shared.Stats(); s.Faults+s.WriteFaults+s.Rubbish+s.Dropped != 0 {
			t.Errorf("%+v", s)
		}
	}
}

// TestNothingIsKeptForever: every key that is written has an expiry.
func TestNothingIsKeptForever(t *testing.T) {
	server := cachetest.Redis(t)
	a, do := connected(t, server, patient()), client(t, server)
	a.place(t, "p-1", "t-1", "t-2")
	claims(t, a, "p-1", time.Minute)
	if _, err := a.shared.Invalidate(t.Context(), cache.Invalidation{Tag: "t-2"}); err != nil {
		t.Fatal(err)
	}
	a.place(t, "p-1", "t-1")
	keys, err := do("KEYS", "*").AsStrSlice()
	if err != nil || len(keys) != 5 {
		t.Fatalf("%q, %v", keys, err)
	}
	for _, key := range keys {
		if ttl, err := do("PTTL", key).AsInt64(); err != nil || ttl <= 0 {
			t.Errorf("%s: %d, %v", key, ttl, err)
		}
	}
	life, _ := do("PTTL", "facet:!tag:t-1").AsInt64()
	if own, _ := do("PTTL", "facet:catalog.product:"+shape(keys)+":p-1").AsInt64(); own > life+5 || own < 3_500_000 {
		t.Errorf("a tag lives for %d ms, its entry for %d", life, own)
	}
}

func shape(keys []string) string {
	for _, key := range keys {
		if parts := strings.Split(key, ":"); len(parts) == 4 && parts[1] == command {
			return parts[2]
		}
	}
	return ""
}

// TestATagForgetsWhatIsOver: what a tag holds is bounded by what is alive.
func TestATagForgetsWhatIsOver(t *testing.T) {
	server := cachetest.Redis(t)
	a, do := connected(t, server, patient()), client(t, server)
	for i := range 200 {
		e := entry("x", "t")
		e.Stale = time.Now().Add(100 * time.Millisecond)
		e.Fresh = e.Stale
		a.Put(fmt.Sprint(i), e)
	}
	until(t, "all are written", func() bool { s := a.shared.Stats(); return s.Written+s.Outdated == 200 })
	until(t, "they are over", func() bool { n, _ := do("DBSIZE").AsInt64(); return n <= 2 })
	a.place(t, "last", "t")
	if n, err := do("ZCARD", "facet:!tag:t").AsInt64(); n != 1 {
		t.Errorf("%d entries, %v", n, err)
	}
}

func TestInvalidationReachesAllReplicas(t *testing.T) {
	for name, i := range map[string]cache.Invalidation{
		"by key": {Command: command, Key: "p-1"},
		"by tag": {Tag: "product:p-1"},
	} {
		t.Run(name, func(t *testing.T) {
			server := cachetest.Redis(t)
			a, b := connected(t, server, patient()), connected(t, server, patient())
			a.place(t, "p-1", "product:p-1")
			b.place(t, "p-2", "product:p-2")
			until(t, "nothing waits", func() bool { return a.shared.Stats().Queued == 0 })
			early, refused := entry("p-1", "product:p-1"), a.shared.Stats().Outdated+b.shared.Stats().Outdated
			if _, err := a.shared.Invalidate(t.Context(), i); err != nil {
				t.Fatal(err)
			}
			if a.has(t, "p-1") || b.has(t, "p-1") || !b.has(t, "p-2") {
				t.Error("the store was not told")
			}
			same := func(h cache.Invalidation) bool {
				return h.Command == i.Command && h.Key == i.Key && h.Tag == i.Tag && !h.All
			}
			if !a.told(same) {
				t.Error("the replica that said so has not heard")
			}
			until(t, "the other hears", func() bool { return b.told(same) })
			if !b.Outdated(early.Stored, "p-1", early.Tags) || b.Outdated(time.Now().Add(time.Second), "p-1", early.Tags) {
				t.Error("b does not know what is outdated")
			}
			a.Put("p-1", early)
			b.Put("p-1", early)
			until(t, "both refuse", func() bool { return a.shared.Stats().Outdated+b.shared.Stats().Outdated == refused+2 })
			b.place(t, "p-1", "product:p-1")
			if !a.has(t, "p-1") {
				t.Error("a later one is not there")
			}
			if got := a.shared.Stats().Invalidations; got != 1 {
				t.Errorf("it was counted %d times", got)
			}
		})
	}
}

// TestTheStoreRefusesWhatItsWriterHasNotHeard: an invalidation that a replica has
// not heard of yet still keeps its late answer out.
func TestTheStoreRefusesWhatItsWriterHasNotHeard(t *testing.T) {
	server := cachetest.Redis(t)
	do := client(t, server)
	store := redis.New(parsed(t, "redis://"+server.Addr), "facet")
	defer store.Close()
	now, err := store.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	key := cache.Key{Command: command, Shape: "s", Text: "p-1"}
	write := func(stored time.Time) {
		t.Helper()
		w := cache.Write{Key: key, Value: []byte("v"), TTL: time.Minute, Tags: []string{"t"}, Stored: stored}
		if done, err := store.Write(t.Context(), []cache.Write{w}); done != 1 || err != nil {
			t.Fatal(done, err)
		}
	}
	there := func() bool { n, _ := do("EXISTS", "facet:"+key.String()).AsInt64(); return n == 1 }
	for _, i := range []cache.Invalidation{{Command: command, Key: "p-1"}, {Tag: "t"}} {
		at, _, err := store.Invalidate(t.Context(), i, "", time.Minute)
		if err != nil || at.Before(now) {
			t.Fatal(at, err)
		}
		write(now)
		write(at)
		if there() {
			t.Errorf("%+v: an old answer was written", i)
		}
		write(at.Add(time.Microsecond))
		if !there() {
			t.Errorf("%+v: a new answer was refused", i)
		}
	}
}

// TestAnInvalidationByKeyFindsEveryShape: builds with other types run beside each
// other while one replaces the other.
func TestAnInvalidationByKeyFindsEveryShape(t *testing.T) {
	server := cachetest.Redis(t)
	a, b := connected(t, server, patient()), connected(t, server, patient())
	other, err := cache.NewRemote[string, struct{ Name string }](command, b.shared)
	if err != nil {
		t.Fatal(err)
	}
	there := func() bool { return !other.Get(t.Context(), []string{"p-1"})[0].Stored.IsZero() }
	until(t, "the other's is there", func() bool {
		other.Put("p-1", cache.Entry[struct{ Name string }]{Stored: time.Now(), Stale: time.Now().Add(time.Hour)})
		return there()
	})
	a.place(t, "p-1")
	until(t, "nothing waits", func() bool { return a.shared.Stats().Queued+b.shared.Stats().Queued == 0 })
	if _, err := a.shared.Invalidate(t.Context(), cache.Invalidation{Command: command, Key: "p-1"}); err != nil {
		t.Fatal(err)
	}
	if a.has(t, "p-1") || there() {
		t.Error("one is still there")
	}
}

func TestOneReplicaIsGivenLeave(t *testing.T) {
	server := cachetest.Redis(t)
	a, b := connected(t, server, patient()), connected(t, server, patient())
	first := claims(t, a, "p-1", 200*time.Millisecond)
	if !first || claims(t, b, "p-1", time.Minute) || claims(t, a, "p-1", time.Minute) {
		t.Error("not exactly one has leave")
	}
	if !claims(t, b, "p-2", time.Minute) {
		t.Error("no leave for another key")
	}
	all := []string{"p-3", "p-1", "p-2", "p-4"}
	if got := a.Claim(t.Context(), all, time.Minute); !slices.Equal(got, []string{"p-3", "p-4"}) {
		t.Errorf("of %v there is leave for %v", all, got)
	}
	until(t, "the claim is over", func() bool { return claims(t, b, "p-1", time.Minute) })
	server.Kill()
	until(t, "nobody can tell", func() bool {
		return claims(t, a, "p-1", time.Minute)
	})
}

func TestALostSubscriptionPutsAllInDoubt(t *testing.T) {
	server := cachetest.Redis(t)
	a := connected(t, server, patient())
	all := func() int {
		a.mu.Lock()
		defer a.mu.Unlock()
		n := 0
		for _, i := range a.heard {
			if i.All {
				n++
			}
		}
		return n
	}
	first := all()
	early := time.Now()
	if _, err := client(t, server)("CLIENT", "KILL", "TYPE", "pubsub").AsInt64(); err != nil {
		t.Fatal(err)
	}
	until(t, "it hears of all", func() bool { return all() == first+1 && a.shared.Stats().Connected })
	if !a.Outdated(early, "any", nil) || a.Outdated(time.Now().Add(time.Second), "any", nil) {
		t.Error("what was asked for before is not in doubt")
	}
	b := connected(t, server, patient())
	if _, err := b.shared.Invalidate(t.Context(), cache.Invalidation{Tag: "t"}); err != nil {
		t.Fatal(err)
	}
	until(t, "it hears again", func() bool { return a.told(func(i cache.Invalidation) bool { return i.Tag == "t" }) })
}

func TestAnInvalidationWithoutAStoreSaysSo(t *testing.T) {
	server := cachetest.Redis(t)
	a := connected(t, server, patient())
	server.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	_, err := a.shared.Invalidate(ctx, cache.Invalidation{Tag: "t"})
	if fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
	if !a.told(func(i cache.Invalidation) bool { return i.Tag == "t" }) {
		t.Error("it was not even done here")
	}
}

// TestRubbishInTheStore: whatever is under its keys, a replica finds nothing, and
// gets rid of it.
func TestRubbishInTheStore(t *testing.T) {
	server := cachetest.Redis(t)
	a, do := connected(t, server, patient()), client(t, server)
	a.place(t, "p-1")
	a.place(t, "p-2")
	until(t, "nothing waits", func() bool { return a.shared.Stats().Queued == 0 })
	keys, _ := do("KEYS", "facet:catalog.product:*").AsStrSlice()
	key := "facet:catalog.product:" + shape(keys) + ":p-1"
	text, err := do("GET", key).ToString()
	if err != nil {
		t.Fatal(err)
	}
	rubbish := a.shared.Stats().Rubbish
	check := func() {
		t.Helper()
		if got := a.Get(t.Context(), []string{"p-1", "p-2"}); got[0].Found() || !got[1].Found() {
			t.Fatalf("found %+v", got)
		}
		if rubbish++; a.shared.Stats().Rubbish != rubbish {
			t.Fatalf("%+v", a.shared.Stats())
		}
		until(t, "it is dropped", func() bool { n, _ := do("EXISTS", key).AsInt64(); return n == 0 })
	}
	for i := 0; i < len(text); i += 13 {
		do("SET", key, text[:i]+string(text[i]^0x40)+text[i+1:])
		check()
	}
	do("SET", key, strings.Repeat("x", 8<<20))
	check()
	do("RPUSH", key, "a", "list")
	check()
	do("SET", "facet:!tag:t", "no set")
	a.Put("p-1", entry("p-1", "t"))
	until(t, "the write fails", func() bool { return a.shared.Stats().WriteFaults > 0 })
	if _, err := a.shared.Invalidate(t.Context(), cache.Invalidation{Tag: "t"}); err != nil {
		t.Error(err)
	}
	for _, message := range []string{
		"", "rubbish", "1 {}", `x {"tag":"t"}`, `99999999999999999 {"all":true}`, `1 {"tag":"` + strings.Repeat("t", 9000) + `"}`,
	} {
		do("PUBLISH", "facet:!invalidated", message)
	}
	do("PUBLISH", "facet:!invalidated", `9000000000000000 {"tag":"far"}`) // in the year 2255
	until(t, "the last one is heard", func() bool { return a.told(func(i cache.Invalidation) bool { return i.Tag == "far" }) })
	believed := a.told(func(i cache.Invalidation) bool { return i.Tag == "" && !i.All })
	if believed || a.Outdated(time.Now().Add(time.Second), "p-1", []string{"far"}) {
		t.Error("rubbish was believed")
	}
}

func TestPasswordsAreUsedAndNotTold(t *testing.T) {
	server := cachetest.Redis(t, "--requirepass", "s3cret-word")
	good := redis.New(parsed(t, "redis://:s3cret-word@"+server.Addr+"/2"), "facet")
	defer good.Close()
	if _, err := good.Now(t.Context()); err != nil {
		t.Error(err)
	}
	for _, user := range []string{"", ":wrong-word@", "nobody:wrong-word@"} {
		bad := redis.New(parsed(t, "redis://"+user+server.Addr), "facet")
		_, err := bad.Now(t.Context())
		if err == nil || strings.Contains(err.Error(), "word") && strings.Contains(err.Error(), "wrong-word") {
			t.Errorf("%q: %v", user, err)
		}
		bad.Close()
		if _, err := bad.Now(t.Context()); err == nil || errors.Is(err, context.Canceled) {
			t.Errorf("closed: %v", err)
		}
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
