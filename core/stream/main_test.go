package stream_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/leaktest"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

func TestMain(m *testing.M) { leaktest.Main(m) }

var (
	live   = report.Mark{Rung: report.Live}
	errOdd = errors.New("odd")
)

// told is what a part of a page came to.
type told[T any] struct {
	value  T
	placed int // how often its setter ran
	part   report.Part
	err    error // of the page
}

// open returns a scope that the test's end closes; it must leave no runaway.
func open(parent context.Context, t testing.TB) (context.Context, *stream.Scope) {
	t.Helper()
	ctx, scope := stream.Open(parent, report.New("", report.Trace{}))
	t.Cleanup(func() {
		if !drained(scope) {
			t.Error("streams that run on")
		}
	})
	return ctx, scope
}

// drained closes a scope and reports whether all its streams end. On a busy
// machine some may be called runaways first.
func drained(scope *stream.Scope) bool {
	for deadline := time.Now().Add(5 * time.Second); scope.Close() > 0; runtime.Gosched() {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// optional runs a stream as the one optional part of a page.
func optional[T any](t testing.TB, s stream.Stream[T]) told[T] {
	t.Helper()
	return only(t, s, stream.Optional[told[T], T])
}

// required runs a stream as the one required part of a page.
func required[T any](t testing.TB, s stream.Stream[T]) told[T] {
	t.Helper()
	return only(t, s, stream.Required[told[T], T])
}

func only[T any](
	t testing.TB, s stream.Stream[T],
	part func(string, stream.Stream[T], func(*told[T], T)) stream.Part[told[T]],
) told[T] {
	t.Helper()
	ctx, scope := open(t.Context(), t)
	page, err := stream.Assemble(part("only", s, func(p *told[T], v T) { p.value, p.placed = v, p.placed+1 })).Run(ctx)
	parts := scope.Report().Parts
	if len(parts) == 0 || parts[0].Name != "only" { // nested ones come after it
		t.Fatalf("parts %v", parts)
	}
	page.part, page.err = parts[0], err
	return page
}

// at returns a source that answers v on a rung.
func at[T any](v T, mark report.Mark) stream.Stream[T] {
	return stream.Source(nil, func(context.Context) (T, report.Mark, error) { return v, mark, nil })
}

// fails returns a source that fails.
func fails[T any](err error) stream.Stream[T] {
	return stream.Source(nil, func(context.Context) (v T, _ report.Mark, _ error) { return v, report.Mark{}, err })
}

// hangs returns a source that ends when its context does, after it has closed ended.
func hangs(began, ended chan<- struct{}) stream.Stream[int] {
	return stream.Source(nil, func(ctx context.Context) (int, report.Mark, error) {
		if began != nil {
			close(began)
		}
		<-ctx.Done()
		if ended != nil {
			close(ended)
		}
		return 0, report.Mark{}, context.Cause(ctx)
	})
}

// soon fails the test if what should happen at once takes seconds.
func soon(t testing.TB, what string, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(5 * time.Second):
		t.Fatalf("%s: not within five seconds", what)
	}
}

// budget returns the context of a page that has so much time.
func budget(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeoutCause(t.Context(), d, fault.Because(fault.ReasonBudget, context.DeadlineExceeded))
	t.Cleanup(cancel)
	return ctx
}
