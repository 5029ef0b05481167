package cache_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/cache"
	"github.com/facet-gateway/facet/core/fault"
)

// memory is a store without a clock, which a test can break.
type memory struct {
	mu     sync.Mutex
	values map[string]string
	calls  atomic.Int64
	writes atomic.Int64

	get   func() error // before a Get; nil: nothing happens
	write func() error
}

func newMemory() *memory { return &memory{values: make(map[string]string)} }

var errBroken = errors.New("broken")

func (m *memory) Get(_ context.Context, keys []cache.Key, _ int) ([]string, error) {
	m.calls.Add(1)
	if m.get != nil {
		if err := m.get(); err != nil {
			return nil, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	values := make([]string, len(keys))
	for i, k := range keys {
		values[i] = m.values[k.String()]
	}
	return values, nil
}

func (m *memory) Write(_ context.Context, writes []cache.Write) (int, error) {
	m.writes.Add(1)
	if m.write != nil {
		if err := m.write(); err != nil {
			return 0, err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range writes {
		if w.Value == nil {
			delete(m.values, w.Key.String())
		} else {
			m.values[w.Key.String()] = string(w.Value)
		}
	}
	return len(writes), nil
}

func (m *memory) Close() {}

func (m *memory) only(t *testing.T) (key, value string) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.values) != 1 {
		t.Fatalf("%d values", len(m.values))
	}
	for key, value = range m.values {
	}
	return key, value
}

func open(t *testing.T, store cache.Store, o cache.Options) *cache.Shared {
	t.Helper()
	s, err := cache.NewShared(store, o, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.Connect()
	return s
}

func remote(t *testing.T, s *cache.Shared) *cache.Remote[query, product] {
	t.Helper()
	r, err := cache.NewRemote[query, product]("catalog.product", s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// until polls for something to become true.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

func entry(id string, tags ...string) cache.Entry[product] {
	now := time.Now()
	return cache.Entry[product]{
		Value: product{ID: id}, Stored: now, Fresh: now.Add(time.Minute), Stale: now.Add(time.Hour), Size: 100, Tags: tags,
	}
}

func get(t *testing.T, r *cache.Remote[query, product], key query) *cache.Entry[product] {
	t.Helper()
	return &r.Get(t.Context(), []query{key})[0]
}

var one = query{"p-1", 3}

func TestEntriesPassThroughTheStore(t *testing.T) {
	m := newMemory()
	s := open(t, m, cache.Options{})
	r := remote(t, s)
	if e := get(t, r, one); e.Found() {
		t.Fatalf("found %+v", e)
	}
	r.Put(one, entry("p-1"))
	until(t, "it is written", func() bool { return s.Stats().Written == 1 })
	key, _ := m.only(t)
	if !strings.HasPrefix(key, "catalog.product:") || !strings.HasSuffix(key, ":{id=p-1,limit=3}") {
		t.Errorf("its key: %q", key)
	}
	got := r.Get(t.Context(), []query{{"p-2", 3}, one, {"p-1", 4}})
	if got[0].Found() || got[1].Value.ID != "p-1" || got[2].Found() {
		t.Errorf("got %+v", got)
	}
	r.Drop(one)
	until(t, "it is dropped", func() bool { return s.Stats().Written == 2 })
	if e := get(t, r, one); e.Found() {
		t.Errorf("found %+v", e)
	}
	if got := s.Stats(); got.Hits != 1 || got.Misses != 4 || got.Faults+got.Skipped+got.Rubbish+got.Dropped != 0 || got.InFlight != 0 {
		t.Errorf("%+v", got)
	}
	for range 2 {
		if len(r.Claim(t.Context(), []query{one}, time.Second)) != 1 {
			t.Error("no leave where nobody can tell")
		}
	}
}

func TestWhatIsOverIsNotFound(t *testing.T) {
	m := newMemory()
	s := open(t, m, cache.Options{})
	r := remote(t, s)
	e := entry("p-1")
	e.Stale = time.Now().Add(50 * time.Millisecond)
	e.Fresh = e.Stale
	r.Put(one, e)
	until(t, "it is found", func() bool { return get(t, r, one).Found() })
	until(t, "it is over", func() bool { return !get(t, r, one).Found() })
	r.Put(one, e)
	until(t, "it is not written again", func() bool { return s.Stats().Outdated == 1 })
}

func TestRubbishIsCountedAndDropped(t *testing.T) {
	m := newMemory()
	s := open(t, m, cache.Options{})
	r := remote(t, s)
	r.Put(one, entry("p-1"))
	until(t, "it is written", func() bool { return s.Stats().Written == 1 })
	key, value := m.only(t)
	for i, rubbish := range []string{value[:20], "x" + value, strings.Repeat("x", cache.DefaultMaxEntry+1)} {
		m.mu.Lock()
		m.values[key] = rubbish
		m.mu.Unlock()
		if e := get(t, r, one); e.Found() {
			t.Errorf("found %+v", e)
		}
		until(t, "it is dropped", func() bool { return s.Stats().Written == uint64(2+i) && s.Stats().Rubbish == uint64(1+i) })
	}
	if got := s.Stats(); got.Hits != 0 || got.Open {
		t.Errorf("%+v", got)
	}
}

// TestAHangingStoreCostsTheLimit has a store whose client takes no notice of
// contexts.
func TestAHangingStoreCostsTheLimit(t *testing.T) {
	m, release := newMemory(), make(chan struct{})
	m.get = func() error { <-release; return nil }
	m.write = m.get
	s := open(t, m, cache.Options{Timeout: 5 * time.Millisecond, MaxLookups: 10, MaxQueue: 10})
	r := remote(t, s)
	var worst time.Duration
	for range 200 {
		began := time.Now()
		get(t, r, one)
		r.Put(one, entry("p-1"))
		worst = max(worst, time.Since(began))
	}
	if worst > 250*time.Millisecond { // a busy machine; the limit is 5 ms
		t.Errorf("one took %v", worst)
	}
	if got := s.Stats(); m.calls.Load() > 10 || got.InFlight > 10 || got.Queued > 20 || !got.Open || got.Skipped == 0 || got.Dropped == 0 {
		t.Errorf("%d calls, %+v", m.calls.Load(), got)
	}
	close(release)
	until(t, "it is found again", func() bool { return get(t, r, one).Found() || !s.Stats().Open })
}

func TestTheStoreIsLeftAloneAfterFaultsInARow(t *testing.T) {
	m := newMemory()
	var broken atomic.Bool
	broken.Store(true)
	m.get = func() error {
		if broken.Load() {
			return errBroken
		}
		return nil
	}
	s := open(t, m, cache.Options{})
	r := remote(t, s)
	began := time.Now()
	for time.Since(began) < 300*time.Millisecond {
		get(t, r, one)
	}
	if n := m.calls.Load(); n != 5 {
		t.Errorf("%d look-ups, want 5", n)
	}
	until(t, "a probe is made", func() bool { get(t, r, one); return m.calls.Load() == 6 })
	if d := time.Since(began); d < 900*time.Millisecond {
		t.Errorf("after %v", d)
	}
	broken.Store(false)
	until(t, "it is back", func() bool { get(t, r, one); return !s.Stats().Open })
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("after %v", d)
	}
}

func TestACallerWhoLeavesSaysNothingOfTheStore(t *testing.T) {
	m := newMemory()
	m.get = func() error { time.Sleep(2 * time.Millisecond); return nil } // longer than its callers stay
	s := open(t, m, cache.Options{Timeout: time.Second})
	r := remote(t, s)
	for range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Microsecond)
		r.Get(ctx, []query{one})
		cancel()
	}
	if got := s.Stats(); got.Open || got.Faults != 0 {
		t.Errorf("%+v", got)
	}
}

func TestAPanicOfTheClientIsAFault(t *testing.T) {
	m := newMemory()
	m.get = func() error { panic("get") }
	m.write = func() error { panic("write") }
	s := open(t, m, cache.Options{})
	r := remote(t, s)
	get(t, r, one)
	r.Put(one, entry("p-1"))
	until(t, "both are counted", func() bool { return s.Stats().Faults == 1 && s.Stats().WriteFaults == 1 && s.Stats().InFlight == 0 })
}

// touchy writes and reads its own JSON, and panics over what it does not like.
type touchy string

func (t touchy) MarshalJSON() ([]byte, error) {
	if t == "unwritable" {
		panic(t)
	}
	return []byte(`"` + t + `"`), nil
}

func (t *touchy) UnmarshalJSON(text []byte) error {
	if *t = touchy(text[1 : len(text)-1]); *t == "unreadable" {
		panic(*t)
	}
	return nil
}

func TestAPanicOverAnEntryCostsThatEntry(t *testing.T) {
	s := open(t, newMemory(), cache.Options{})
	r, err := cache.NewRemote[string, touchy]("test.touchy", s)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for _, v := range []touchy{"unwritable", "good", "unreadable"} {
		r.Put(string(v), cache.Entry[touchy]{Value: v, Stored: now, Stale: now.Add(time.Hour)})
	}
	until(t, "the others are written", func() bool { return s.Stats().Written == 2 })
	got := r.Get(t.Context(), []string{"unwritable", "good", "unreadable"})
	if got[0].Found() || got[1].Value != "good" || got[2].Found() {
		t.Errorf("got %+v", got)
	}
	if n := s.Stats(); n.Dropped != 1 || n.Rubbish != 1 {
		t.Errorf("%+v", n)
	}
}

func TestTheQueueIsBoundedByBytes(t *testing.T) {
	m, release := newMemory(), make(chan struct{})
	m.write = func() error { <-release; return nil }
	s := open(t, m, cache.Options{MaxQueue: 1_000_000, MaxEntryBytes: 1 << 20})
	defer close(release)
	r := remote(t, s)
	for range 100 {
		e := entry("p-1")
		e.Size = 1 << 20
		r.Put(one, e)
	}
	if got := s.Stats(); got.Queued > 17 || got.Dropped < 80 {
		t.Errorf("%+v", got)
	}
}

func TestTooLargeIsNotWritten(t *testing.T) {
	m := newMemory()
	s := open(t, m, cache.Options{MaxEntryBytes: 2048})
	r := remote(t, s)
	e := entry("p-1")
	e.Value.Names = []string{strings.Repeat("x", 2048)}
	r.Put(one, e)
	e = entry("p-1")
	e.Size = 2049
	r.Put(one, e)
	r.Put(one, entry("p-1", slices.Repeat([]string{"t"}, cache.MaxTags+1)...))
	r.Put(one, entry("p-1", strings.Repeat("t", cache.MaxTag+1)))
	r.Put(one, entry("p-1", ""))
	r.Put(one, cache.Entry[product]{})
	until(t, "all are dropped", func() bool { return s.Stats().Dropped == 6 })
	if m.writes.Load() != 0 {
		t.Error("one was written")
	}
}

func TestCloseSendsWhatWaits(t *testing.T) {
	m := newMemory()
	s := open(t, m, cache.Options{})
	r := remote(t, s)
	for i := range 500 {
		r.Put(query{fmt.Sprint(i), 1}, entry("p-1"))
	}
	s.Close()
	if len(m.values) != 500 {
		t.Errorf("%d were written", len(m.values))
	}
	r.Put(one, entry("p-1"))
	if get(t, r, one).Found() || len(m.values) != 500 {
		t.Error("a closed one is used")
	}
}

func TestAnAnswerAskedForBeforeAnInvalidationIsNotRemembered(t *testing.T) {
	m := newMemory()
	s := open(t, m, cache.Options{})
	r := remote(t, s)
	var heard []cache.Invalidation
	s.Subscribe(func(i cache.Invalidation) { heard = append(heard, i) })
	early := entry("p-1")
	if _, err := s.Invalidate(t.Context(), cache.Invalidation{Command: "catalog.product", Key: r.Text(one)}); err != nil {
		t.Fatal(err)
	}
	if len(heard) != 1 || heard[0].Key != "{id=p-1,limit=3}" || heard[0].At.IsZero() {
		t.Errorf("heard %+v", heard)
	}
	if !r.Outdated(early.Stored, one, nil) || r.Outdated(early.Stored, query{"p-2", 3}, nil) || r.Outdated(time.Now(), one, nil) {
		t.Error("what is outdated is not")
	}
	r.Put(one, early)
	until(t, "it is refused", func() bool { return s.Stats().Outdated == 1 })
	until(t, "a later one is written", func() bool { r.Put(one, entry("p-1")); return get(t, r, one).Found() })
	until(t, "nothing waits", func() bool { return s.Stats().Queued == 0 })
	if _, err := s.Invalidate(t.Context(), cache.Invalidation{Command: "catalog.product", Key: r.Text(one)}); err != nil {
		t.Fatal(err)
	}
	if get(t, r, one).Found() {
		t.Error("it is still in the store")
	}
}

func TestInvalidationsThatMeanNothing(t *testing.T) {
	s := open(t, newMemory(), cache.Options{})
	for _, i := range []cache.Invalidation{
		{}, {Command: "a"}, {Key: "a"}, {Command: "a", Tag: "b"}, {Key: "a", Tag: "b"}, {Command: "a", Key: "b", Tag: "c"},
		{All: true}, {Tag: strings.Repeat("t", cache.MaxTag+1)}, {Command: "a", Key: strings.Repeat("k", 1000)},
		{Tag: "no store here has tags"},
	} {
		if _, err := s.Invalidate(t.Context(), i); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", i, err)
		}
	}
	m := newMemory()
	m.write = func() error { return errBroken }
	s = open(t, m, cache.Options{})
	remote(t, s)
	var heard atomic.Int64
	s.Subscribe(func(cache.Invalidation) { heard.Add(1); panic("a subscriber's") })
	_, err := s.Invalidate(t.Context(), cache.Invalidation{Command: "catalog.product", Key: "a"})
	if fault.CodeOf(err) != fault.Unavailable || !errors.Is(err, errBroken) || heard.Load() != 1 {
		t.Errorf("%v, heard %d", err, heard.Load())
	}
}

func TestOptionsOutOfRange(t *testing.T) {
	for _, o := range []cache.Options{
		{Timeout: time.Microsecond}, {Timeout: time.Minute}, {MaxLookups: -1}, {MaxLookups: 10_001}, {MaxEntryBytes: 1}, {MaxEntryBytes: 1 << 30},
		{MaxQueue: -1},
	} {
		if s, err := cache.NewShared(newMemory(), o, slog.New(slog.DiscardHandler)); err == nil {
			s.Close()
			t.Errorf("%+v was accepted", o)
		}
	}
}

func TestRecentIsBounded(t *testing.T) {
	var r cache.Recent
	start := time.Now()
	at := func(i int) time.Time { return start.Add(time.Duration(i) * time.Millisecond) }
	if r.Since(at(0), "c", "k") {
		t.Error("something, before anything")
	}
	const n = 3 * cache.MaxRecent
	for i := range n {
		r.Note("c", fmt.Sprint(i%(n/2)), "", at(i))
		r.Note("", "", "t", at(i))
	}
	if r.Len() > 2*cache.MaxRecent {
		t.Errorf("%d are kept", r.Len())
	}
	last := fmt.Sprint((n - 1) % (n / 2))
	if !r.Since(at(n-1), "c", last) || r.Since(at(n), "c", last) || !r.Since(at(n-1), "c", "other", "t") || r.Since(at(n-1), "c", "other") {
		t.Error("the last one is not kept")
	}
	if !r.Since(at(10), "c", "never seen") {
		t.Error("what fell out is forgotten, and nothing is refused for it")
	}
	if r.Note("c", last, "", at(n-1)) {
		t.Error("the same one is new a second time")
	}
	r.Note("c", "x", "", at(n).Add(time.Hour))
	if r.Len() > 2 {
		t.Errorf("%d are kept after their time", r.Len())
	}
}

func BenchmarkLookup(b *testing.B) {
	s, err := cache.NewShared(newMemory(), cache.Options{Timeout: time.Second}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	r, err := cache.NewRemote[query, product]("catalog.product", s)
	if err != nil {
		b.Fatal(err)
	}
	keys := []query{one}
	b.ReportAllocs()
	for b.Loop() {
		r.Get(b.Context(), keys)
	}
}

func BenchmarkPutBehind(b *testing.B) {
	s, err := cache.NewShared(newMemory(), cache.Options{}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	r, err := cache.NewRemote[query, product]("catalog.product", s)
	if err != nil {
		b.Fatal(err)
	}
	e := large()
	e.Stale = time.Now().Add(time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		r.Put(one, e)
	}
}
