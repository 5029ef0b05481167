package stream_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// goroutines are those that some sources ran on, by their number.
type goroutines struct {
	mu   sync.Mutex
	seen map[string]int
}

// source returns a stream that notes the goroutine it runs on.
func (g *goroutines) source() stream.Stream[int] {
	return stream.Source(nil, func(context.Context) (int, report.Mark, error) {
		var stack [64]byte
		fields := bytes.Fields(stack[:runtime.Stack(stack[:], false)])
		g.mu.Lock()
		defer g.mu.Unlock()
		g.seen[string(fields[1])]++
		return 1, live, nil
	})
}

// serve makes pages of seven streams, one after the other.
func serve(t *testing.T, w *stream.Workers, pages int, source func() stream.Stream[int]) {
	t.Helper()
	for range pages {
		ctx, scope := w.Open(t.Context(), report.New("", report.Trace{}))
		var parts []stream.Part[page]
		for _, name := range []string{"a", "b", "c", "d", "e", "f", "g"} {
			parts = append(parts, stream.Required(name, source(), func(p *page, v int) { p.a += v }))
		}
		p, err := stream.Assemble(parts...).Run(ctx)
		if err != nil || p.a != len(parts) || scope.Close() != 0 {
			t.Fatal(p, err)
		}
	}
}

func TestWorkersServeManyRequestsAndEnd(t *testing.T) {
	before := goleak.IgnoreCurrent()
	g := &goroutines{seen: map[string]int{}}
	var w stream.Workers
	const pages = 200
	serve(t, &w, pages, g.source)
	runs := 0
	for _, n := range g.seen {
		runs += n
	}
	if runs != pages*7 || len(g.seen) > runs/4 {
		t.Errorf("%d runs on %d goroutines: they are not used again", runs, len(g.seen))
	}
	for deadline := time.Now().Add(5 * time.Second); ; {
		err := goleak.Find(before)
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("workers without work do not end: %v", err)
		}
	}
	serve(t, &w, 1, g.source) // after all have ended, new ones begin
}

func TestWorkersSurvivePanics(t *testing.T) {
	var w stream.Workers
	for range 50 {
		ctx, scope := w.Open(t.Context(), report.New("", report.Trace{}))
		_, err := stream.Assemble(
			stream.Optional("bad", stream.Source(nil, func(context.Context) (int, report.Mark, error) { panic("bad") }), func(*page, int) {}),
			stream.Required("good", at(1, live), func(p *page, v int) { p.a = v }),
		).Run(ctx)
		if err != nil || scope.Close() != 0 || scope.Report().Parts[0].Err == nil {
			t.Fatal(err, scope.Report().Parts)
		}
	}
}

// TestWorkersAtOnce has many requests share the workers.
func TestWorkersAtOnce(t *testing.T) {
	var w stream.Workers
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { serve(t, &w, 20, func() stream.Stream[int] { return at(1, live) }) })
	}
	all.Wait()
}

// TestIdleWorkersAreBounded: a burst leaves no more than a bounded number behind.
func TestIdleWorkersAreBounded(t *testing.T) {
	const burst = 3000
	var w stream.Workers
	var running atomic.Int32
	gate := make(chan struct{}) // open once all run
	ctx, scope := w.Open(t.Context(), report.New("", report.Trace{}))
	waits := make([]stream.Part[page], burst)
	for i := range waits {
		waits[i] = stream.Optional(fmt.Sprintf("p%d", i), stream.Source(nil, func(context.Context) (int, report.Mark, error) {
			if running.Add(1) == burst {
				close(gate)
			}
			<-gate
			return 1, live, nil
		}), func(*page, int) {})
	}
	if _, err := stream.Assemble(waits...).Run(ctx); err != nil || scope.Close() != 0 {
		t.Fatal(err)
	}
	most := 0
	for deadline := time.Now().Add(5 * time.Second); most < stream.MaxIdle && time.Now().Before(deadline); runtime.Gosched() {
		most = max(most, stream.Idle(&w))
	}
	if most != stream.MaxIdle {
		t.Errorf("%d workers are idle after %d ran at once, want %d", most, burst, stream.MaxIdle)
	}
}
