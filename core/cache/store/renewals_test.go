package store_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/cache/cachetest"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// wholesale is a backend that several replicas ask for many things at once.
type wholesale struct {
	mu     sync.Mutex
	asked  map[string]int
	latest time.Time     // at which a call that was begun has to end
	hang   chan struct{} // not nil: calls wait for it
}

func (w *wholesale) ask(ctx context.Context, ids []string) (map[string]product, error) {
	hang := w.note(ctx, ids)
	if hang != nil {
		select {
		case <-hang:
		case <-ctx.Done():
		}
	}
	got := make(map[string]product, len(ids))
	for _, id := range ids {
		got[id] = product{ID: id}
	}
	return got, nil
}

func (w *wholesale) note(ctx context.Context, ids []string) chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range ids {
		w.asked[id]++
	}
	if deadline, ok := ctx.Deadline(); ok && deadline.After(w.latest) {
		w.latest = deadline
	}
	return w.hang
}

// total is how many keys were asked for.
func (w *wholesale) total() (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, times := range w.asked {
		n += times
	}
	return n
}

// replica returns a replica of a gateway that asks it.
func (w *wholesale) replica(t *testing.T, server *cachetest.Server) replica {
	t.Helper()
	shared := (&market{}).replica(t, server, command.Cache{}).shared
	one := func(ctx context.Context, id string) (product, error) {
		got, err := w.ask(ctx, []string{id})
		return got[id], err
	}
	c := command.New("test.wholesale", one).Safe().Batch(w.ask)
	t.Cleanup(c.Close)
	if err := c.Share(shared); err != nil {
		t.Fatal(err)
	}
	r := replica{c, shared}
	r.remember(t, time.Hour)
	return r
}

// remember has answers count as fresh for so long, and as old from then on.
func (r replica) remember(t *testing.T, fresh time.Duration) {
	t.Helper()
	p := r.Policy()
	p.Timeout, p.Cache = 20*time.Second, command.Cache{Fresh: fresh, Revalidate: 2 * time.Hour, Stale: 2 * time.Hour}
	if err := r.Configure(p); err != nil {
		t.Fatal(err)
	}
}

// findAll asks for all keys in one request.
func (r replica) findAll(t *testing.T, ids []string) {
	t.Helper()
	ctx, scope := stream.Open(t.Context(), report.New("", report.Trace{}))
	defer scope.Close()
	list := stream.Source(nil, func(context.Context) ([]string, report.Mark, error) { return ids, report.Mark{}, nil })
	all := stream.Some(list, len(ids), r.Observe)
	got, err := stream.Assemble(stream.Required("part", all, func(page *[]product, v []product) { *page = v })).Run(ctx)
	if err != nil || len(got) != len(ids) {
		t.Errorf("%d answers, %v", len(got), err)
	}
}

// leave returns until when, of all the keys that were claimed, the first claim holds.
func leave(t *testing.T, server *cachetest.Server) (claims int, until time.Time) {
	t.Helper()
	var dialer net.Dialer
	conn, err := dialer.DialContext(t.Context(), "tcp", server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // it has served
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(conn)
	line := func() string {
		if !lines.Scan() {
			t.Fatalf("the server says no more: %v", lines.Err())
		}
		return lines.Text()
	}
	var n int
	_, _ = fmt.Fprint(conn, "KEYS facet:!claim:test.wholesale:*\r\n")
	if _, err := fmt.Sscanf(line(), "*%d", &n); err != nil {
		t.Fatal(err)
	}
	keys := make([]string, n)
	for i := range keys {
		line() // its length
		keys[i] = line()
	}
	for _, key := range keys {
		now := time.Now() // before the server's: in doubt the claim is shorter
		var left int64
		_, _ = fmt.Fprintf(conn, "PTTL %s\r\n", key)
		if _, err := fmt.Sscanf(line(), ":%d", &left); err != nil {
			t.Fatal(err)
		}
		if end := now.Add(time.Duration(left) * time.Millisecond); until.IsZero() || end.Before(until) {
			until = end
		}
	}
	return n, until
}

// TestOneReplicaRenewsEachOfMany: two replicas find the same answers old at one
// moment. Each is asked for by one of them, and the leave for none of them ends
// before the call that it was given for.
func TestOneReplicaRenewsEachOfMany(t *testing.T) {
	server, w := cachetest.Redis(t), &wholesale{asked: make(map[string]int)}
	a, b := w.replica(t, server), w.replica(t, server)
	ids := make([]string, 160)
	for i := range ids {
		ids[i] = fmt.Sprint("p-", i)
	}
	a.findAll(t, ids)
	a.written(t, uint64(len(ids)))
	if b.findAll(t, ids); w.total() != len(ids) {
		t.Fatalf("%d were asked for", w.total())
	}
	w.mu.Lock()
	w.hang = make(chan struct{})
	w.mu.Unlock()
	a.remember(t, time.Nanosecond)
	b.remember(t, time.Nanosecond)
	eventually(t, "all are asked for again", func() bool {
		var both sync.WaitGroup
		both.Go(func() { a.findAll(t, ids) })
		both.Go(func() { b.findAll(t, ids) })
		both.Wait()
		return w.total() >= 2*len(ids)
	})
	claims, until := leave(t, server)
	if w.mu.Lock(); claims != len(ids) || until.Before(w.latest) {
		t.Errorf("%d claims, and the first ends %v before its call may", claims, w.latest.Sub(until))
	}
	w.mu.Unlock()
	close(w.hang)
	eventually(t, "all are renewed", func() bool { return a.Stats().Renewed+b.Stats().Renewed >= uint64(len(ids)) })
	a.Close()
	b.Close()
	for id, times := range w.asked {
		if times != 2 {
			t.Errorf("%s was asked for %d times", id, times)
		}
	}
}
