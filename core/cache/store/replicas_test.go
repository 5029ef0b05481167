package store_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/cache"
	"github.com/facet-gateway/facet/core/cache/cachetest"
	"github.com/facet-gateway/facet/core/cache/store"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// replica is one command of one gateway, whose answers others share.
type replica struct {
	*command.Command[string, product]
	shared *cache.Shared
}

// product is an answer that can be kept elsewhere.
type product struct {
	ID   string `json:"id"`
	Call int64  `json:"call"` // that brought it
}

var errDown = errors.New("down")

// eventually polls until a thing is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(20 * time.Second); !so(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("it never came to be that %s", what)
		}
	}
}

// market is a backend that several replicas ask.
type market struct {
	calls atomic.Int64
	down  atomic.Bool
	gone  atomic.Bool
	hang  chan struct{} // not nil: calls wait for it
}

func (m *market) ask(ctx context.Context, id string) (product, error) {
	n := m.calls.Add(1)
	if m.hang != nil {
		select {
		case <-m.hang:
		case <-ctx.Done():
		}
	}
	switch {
	case m.down.Load():
		return product{}, errDown
	case m.gone.Load():
		return product{}, fault.New(fault.NotFound, "")
	}
	return product{id, n}, nil
}

func (m *market) replica(t *testing.T, server *cachetest.Server, policy command.Cache) replica {
	t.Helper()
	options := store.Default()
	options.Redis, options.Timeout = "redis://"+server.Addr, 200*time.Millisecond
	shared, err := store.Open(options, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(shared.Close)
	shared.Connect()
	tags := func(id string, _ product) []string { return []string{"product:" + id} }
	r := replica{command.New("test.market", m.ask).Safe().Tags(tags), shared}
	t.Cleanup(r.Close)
	if err := r.Share(shared); err != nil {
		t.Fatal(err)
	}
	shared.Subscribe(func(i cache.Invalidation) { r.Invalidated(i) })
	p := r.Policy()
	p.Timeout, p.Cache = time.Minute, policy
	if err := r.Configure(p); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the store is there", func() bool { return shared.Stats().Connected })
	return r
}

// find asks for a product and returns the call that brought it, and where it stands.
func (r replica) find(t *testing.T, id string) (int64, report.Mark) {
	t.Helper()
	record := report.New("", report.Trace{})
	ctx, scope := stream.Open(t.Context(), record)
	defer scope.Close()
	got, err := stream.Assemble(stream.Required("part", r.Observe(id), func(page *product, v product) { *page = v })).Run(ctx)
	if err == nil && got.ID != id {
		t.Fatalf("%s got the answer of %s", id, got.ID)
	}
	return got.Call, record.Parts[0].Mark
}

func (r replica) written(t *testing.T, n uint64) {
	t.Helper()
	eventually(t, "it is written", func() bool { return r.shared.Stats().Written >= n })
}

func TestReplicasShareAnswers(t *testing.T) {
	server, m := cachetest.Redis(t), &market{}
	policy := command.Cache{Fresh: time.Hour, Stale: time.Hour, Negative: time.Hour}
	a, b := m.replica(t, server, policy), m.replica(t, server, policy)
	a.find(t, "p-1")
	a.written(t, 1)
	for range 3 { // once from the store, then from its own memory
		if call, mark := b.find(t, "p-1"); call != 1 || mark.Rung != report.Cached {
			t.Errorf("call %d, %+v", call, mark)
		}
	}
	if s := b.shared.Stats(); m.calls.Load() != 1 || s.Hits != 1 {
		t.Errorf("%d calls, %+v", m.calls.Load(), s)
	}
	m.gone.Store(true)
	a.find(t, "p-2")
	a.written(t, 2)
	if _, mark := b.find(t, "p-2"); mark != (report.Mark{Rung: report.Missing, Reason: fault.ReasonNotFound}) || m.calls.Load() != 2 {
		t.Errorf("%+v after %d calls", mark, m.calls.Load())
	}
}

func TestReplicasForgetTogether(t *testing.T) {
	server, m := cachetest.Redis(t), &market{}
	policy := command.Cache{Fresh: time.Hour, Stale: time.Hour}
	a, b := m.replica(t, server, policy), m.replica(t, server, policy)
	for n, i := range []cache.Invalidation{{Tag: "product:p-0"}, {Command: "test.market", Key: "p-1"}} {
		id := []string{"p-0", "p-1"}[n]
		a.find(t, id)
		a.written(t, uint64(n+1))
		b.find(t, id)
		if _, err := a.shared.Invalidate(t.Context(), i); err != nil {
			t.Fatal(err)
		}
		before := m.calls.Load()
		eventually(t, "the other asks again", func() bool { _, mark := b.find(t, id); return mark.Rung == report.Live })
		if m.calls.Load() != before+1 {
			t.Errorf("%d calls for one", m.calls.Load()-before)
		}
		b.written(t, uint64(n+1))
		if call, mark := a.find(t, id); mark.Rung != report.Cached || call != before+1 {
			t.Errorf("the answer of call %d, %+v", call, mark)
		}
	}
}

// TestStaleCopyOfAnother stands in, also where no answer is ever fresh.
func TestStaleCopyOfAnother(t *testing.T) {
	server, m := cachetest.Redis(t), &market{}
	policy := command.Cache{Stale: time.Hour}
	a, b := m.replica(t, server, policy), m.replica(t, server, policy)
	a.find(t, "p-1")
	a.written(t, 1)
	for range 20 {
		a.find(t, "p-1")
	}
	a.find(t, "p-2")
	a.written(t, 2)
	if s := a.shared.Stats(); s.Written+s.Dropped > 2 || s.Queued != 0 {
		t.Errorf("each answer is written: %+v", s)
	}
	m.down.Store(true)
	if call, mark := b.find(t, "p-1"); call != 1 || mark.Rung != report.Stale || mark.Reason != fault.ReasonError {
		t.Errorf("call %d, %+v", call, mark)
	}
}

func TestOneReplicaRenews(t *testing.T) {
	server, m := cachetest.Redis(t), &market{}
	policy := command.Cache{Fresh: 50 * time.Millisecond, Revalidate: time.Hour, Stale: time.Hour}
	a, b := m.replica(t, server, policy), m.replica(t, server, policy)
	a.find(t, "p-1")
	a.written(t, 1)
	b.find(t, "p-1")
	m.hang = make(chan struct{})
	eventually(t, "it is asked again", func() bool {
		a.find(t, "p-1")
		return m.calls.Load() == 2
	})
	for range 20 {
		if _, mark := b.find(t, "p-1"); mark.Rung != report.Cached {
			t.Fatalf("%+v", mark)
		}
	}
	eventually(t, "the other has asked for leave", func() bool { return b.Stats().InFlight == 0 })
	if m.calls.Load() != 2 {
		t.Errorf("%d calls", m.calls.Load())
	}
	close(m.hang)
	eventually(t, "it is renewed", func() bool { return a.Stats().Renewed == 1 })
}

// TestStoreThatIsLostCostsNoAnswer: each is live, or from the process's own memory.
func TestStoreThatIsLostCostsNoAnswer(t *testing.T) {
	server, m := cachetest.Redis(t), &market{}
	a := m.replica(t, server, command.Cache{Fresh: time.Hour, Stale: time.Hour})
	a.find(t, "p-1")
	server.Kill()
	for _, id := range []string{"p-1", "p-2", "p-3", "p-4"} {
		if _, mark := a.find(t, id); mark.Rung > report.Live {
			t.Errorf("%s: %+v", id, mark)
		}
	}
	if _, mark := a.find(t, "p-4"); mark.Rung != report.Cached {
		t.Errorf("%+v", mark)
	}
}
