package stream_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// TestSettersRunInDeclaredOrder lets the last part be ready first. The race
// detector proves that the setters run on one goroutine: that of the caller.
func TestSettersRunInDeclaredOrder(t *testing.T) {
	gates := []chan struct{}{make(chan struct{}), make(chan struct{}), make(chan struct{})}
	close(gates[2])
	var order []int
	note := func(_ *page, v int) { order = append(order, v) }
	ctx, scope := open(t.Context(), t)
	_, err := stream.Assemble(
		stream.Optional("a", waiting(0, gates[0], func() {}), note),
		stream.Required("b", waiting(1, gates[1], func() { close(gates[0]) }), note),
		stream.Optional("c", waiting(2, gates[2], func() { close(gates[1]) }), note),
	).Run(ctx)
	if err != nil || !slices.Equal(order, []int{0, 1, 2}) {
		t.Errorf("order %v, %v", order, err)
	}
	for i, p := range scope.Report().Parts {
		if p.Name != string("abc"[i]) || p.Mark != live || p.Took <= 0 || p.Required != (i == 1) {
			t.Errorf("part %d is %+v", i, p)
		}
	}
}

func TestNames(t *testing.T) {
	for name, names := range map[string][]string{
		"empty": {""}, "digit first": {"1a"}, "underscore first": {"_a"}, "upper case": {"cataLog"}, "dash": {"a-b"},
		"space": {"a b"}, "not ASCII": {"é"}, "header": {"a=b"}, "twice": {"a", "b", "a"}, "line end": {"a\n"},
	} {
		var parts []stream.Part[page]
		ran := false
		for _, n := range names {
			s := stream.Source(nil, func(context.Context) (int, report.Mark, error) {
				ran = true
				return 0, live, nil
			})
			parts = append(parts, stream.Optional(n, s, func(*page, int) {}))
		}
		if _, err := stream.Assemble(parts...).Run(t.Context()); fault.CodeOf(err) != fault.Internal || ran {
			t.Errorf("%s: %v, ran %t", name, err, ran)
		}
	}
	if _, err := stream.Assemble(stream.Part[page]{}).Run(t.Context()); fault.CodeOf(err) != fault.Internal {
		t.Errorf("a zero part: %v", err)
	}
	ok := stream.Optional("a1_b", stream.Of(3), func(p *page, v int) { p.a = v })
	if p, err := stream.Assemble(ok).Run(t.Context()); err != nil || p.a != 3 {
		t.Errorf("%v %v", p, err) // also: it runs without a scope
	}
	if p, err := stream.Assemble[page]().Run(t.Context()); err != nil || p != (page{}) {
		t.Errorf("no parts: %v %v", p, err)
	}
}

// TestRequiredFailureEndsTheRest has the failing part behind a hanging one:
// nobody waits for the first before the failure of the second tells.
func TestRequiredFailureEndsTheRest(t *testing.T) {
	gone := fault.New(fault.NotFound, "gone")
	for name, broken := range map[string]func(context.Context) (int, report.Mark, error){
		"error": func(context.Context) (int, report.Mark, error) { return 0, live, gone },
		"timeout": func(context.Context) (int, report.Mark, error) {
			return 0, live, fault.Because(fault.ReasonTimeout, context.DeadlineExceeded)
		},
		"panic": func(context.Context) (int, report.Mark, error) { panic("broken") },
	} {
		t.Run(name, func(t *testing.T) {
			began, ended, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
			var cause error
			hanging := stream.Source(nil, func(ctx context.Context) (int, report.Mark, error) {
				close(began)
				<-ctx.Done()
				cause = context.Cause(ctx)
				close(ended)
				return 0, report.Mark{}, ctx.Err()
			})
			failing := stream.Source(nil, func(ctx context.Context) (int, report.Mark, error) {
				<-began
				return broken(ctx)
			})
			var want fault.Code
			ctx, scope := open(t.Context(), t)
			set := func(*page, int) { t.Error("a setter ran") }
			go func() {
				defer close(done)
				_, err := stream.Assemble(
					stream.Optional("hanging", hanging, set),
					stream.Required("chained", stream.Map(stream.Then(failing, stream.Of[int]), func(v int) int { return v }), set),
					stream.Required("other", hanging, set),
				).Run(ctx)
				want = fault.CodeOf(err)
			}()
			soon(t, "the call sees the end", ended)
			soon(t, "the page ends", done)
			if reason := fault.ReasonOf(cause); reason != fault.ReasonCanceled {
				t.Errorf("the calls are told %v: a backend would be blamed", reason)
			}
			parts := scope.Report().Parts
			if len(parts) != 3 || parts[0].Mark.Reason != fault.ReasonCanceled || parts[1].Mark.Reason != fault.ReasonDependency ||
				fault.CodeOf(parts[1].Err) != want {
				t.Errorf("parts %v, page %v", parts, want)
			}
		})
	}
}

func TestPageFailsWithTheFirstFailure(t *testing.T) {
	first := make(chan struct{})
	late := stream.Source(nil, func(ctx context.Context) (int, report.Mark, error) {
		<-first
		<-ctx.Done()
		return 0, report.Mark{}, fault.New(fault.Unavailable, "second")
	})
	early := stream.Source(nil, func(context.Context) (int, report.Mark, error) {
		close(first)
		return 0, report.Mark{}, fault.New(fault.NotFound, "first")
	})
	ctx, _ := open(t.Context(), t)
	p, err := stream.Assemble(
		stream.Required("late", late, func(*page, int) {}),
		stream.Optional("fine", stream.Of(1), func(p *page, v int) { p.a = v }),
		stream.Required("early", early, func(*page, int) {}),
	).Run(ctx)
	if fault.CodeOf(err) != fault.NotFound || p != (page{}) {
		t.Errorf("page %v, %v", p, err)
	}
}

// TestFailureDoesNotWaitForRunaways: a page that is lost gives no grace. The
// quickest of some pages counts, as the machine may be busy.
func TestFailureDoesNotWaitForRunaways(t *testing.T) {
	quickest := time.Hour
	for range 5 {
		quickest = min(quickest, lostWithRunaway(t))
	}
	if quickest >= stream.Grace {
		t.Errorf("took %v", quickest)
	}
}

// lostWithRunaway returns how long a page took that fails beside a runaway.
func lostWithRunaway(t *testing.T) time.Duration {
	begun, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	deaf := stream.Source(nil, func(context.Context) (int, report.Mark, error) {
		close(begun)
		<-release
		return 0, live, nil
	})
	gone := stream.Source(nil, func(context.Context) (int, report.Mark, error) {
		<-begun
		return 0, live, fault.New(fault.NotFound, "")
	})
	ctx, scope := stream.Open(t.Context(), report.New("", report.Trace{}))
	began := time.Now()
	_, err := stream.Assemble(
		stream.Optional("deaf", deaf, func(*page, int) {}),
		stream.Required("gone", gone, func(*page, int) {}),
	).Run(ctx)
	took := time.Since(began)
	if n := scope.Close(); n != 1 || fault.CodeOf(err) != fault.NotFound {
		t.Errorf("%d runaways, %v", n, err)
	}
	return took
}

func TestOrKeepsARequiredPart(t *testing.T) {
	s := stream.Or(stream.Then(fails[int](errOdd), stream.Of[int]), 5)
	if got := required(t, s); got.err != nil || got.value != 5 || got.part.Mark.Reason != fault.ReasonDependency {
		t.Errorf("%v %v", got.part, got.err)
	}
	if !errors.Is(required(t, fails[int](errOdd)).err, errOdd) {
		t.Error("the cause is lost")
	}
}

// TestTwoPagesOfOneRequest share their calls: one that has failed already fails
// the page that requires it, too.
func TestTwoPagesOfOneRequest(t *testing.T) {
	gone := fails[int](fault.New(fault.NotFound, "gone"))
	ctx, scope := open(t.Context(), t)
	set := func(*page, int) { t.Error("a setter ran") }
	if _, err := stream.Assemble(stream.Optional("gone", gone, set)).Run(ctx); err != nil {
		t.Error(err)
	}
	if _, err := stream.Assemble(stream.Required("gone", gone, set)).Run(ctx); fault.CodeOf(err) != fault.NotFound {
		t.Error(err)
	}
	if n := len(scope.Report().Parts); n != 2 {
		t.Errorf("%d parts", n)
	}
}
