package stream_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

func TestScopeAnswersForItsReport(t *testing.T) {
	ctx, scope := open(context.WithValue(t.Context(), report.CallKey{}, (*report.Call)(nil)), t)
	if report.From(ctx) == nil || report.From(ctx) != scope.Report() || report.CallFrom(ctx) != nil {
		t.Error("the context carries another report")
	}
	s := stream.Source(nil, func(inner context.Context) (bool, report.Mark, error) {
		return report.From(inner) == scope.Report(), live, nil
	})
	same := false
	_, err := stream.Assemble(stream.Optional("a", s, func(_ *page, v bool) { same = v })).Run(ctx)
	if err != nil || !same {
		t.Error("a call has another report than its request")
	}
}

// TestBudget: what hangs is missing for the reason "budget", what knows a stale
// answer gives it, and the page comes.
func TestBudget(t *testing.T) {
	stale := report.Mark{Rung: report.Stale, Age: time.Minute, Reason: fault.ReasonBudget}
	fallback := stream.Source(nil, func(ctx context.Context) (int, report.Mark, error) {
		<-ctx.Done()
		return 2, stale, nil
	})
	ctx, scope := open(budget(t, 20*time.Millisecond), t)
	set := func(p *page, v int) { p.a += v }
	p, err := stream.Assemble(
		stream.Optional("hanging", hangs(nil, nil), set),
		stream.Required("stale", fallback, set),
		stream.Optional("chained", stream.Then(hangs(nil, nil), stream.Of[int]), set),
		stream.Optional("or", stream.Or(hangs(nil, nil), 3), set),
		stream.Optional("live", stream.Of(10), set),
	).Run(ctx)
	if err != nil || p.a != 15 {
		t.Fatalf("page %v, %v", p, err)
	}
	want := []report.Mark{
		{Rung: report.Missing, Reason: fault.ReasonBudget}, stale, dependent, {Rung: report.Default, Reason: fault.ReasonBudget}, live,
	}
	for i, part := range scope.Report().Parts {
		if part.Mark != want[i] {
			t.Errorf("%s is %v, want %v", part.Name, part.Mark, want[i])
		}
	}
}

func TestBudgetOfARequiredPart(t *testing.T) {
	ctx, _ := open(budget(t, 5*time.Millisecond), t)
	_, err := stream.Assemble(stream.Required("hanging", hangs(nil, nil), func(*page, int) {})).Run(ctx)
	if fault.CodeOf(err) != fault.Timeout || fault.ReasonOf(err) != fault.ReasonBudget {
		t.Errorf("got %v", err)
	}
}

func TestClientLeaves(t *testing.T) {
	parent, leave := context.WithCancel(t.Context())
	began, ended, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	ctx, scope := open(parent, t)
	var err error
	go func() {
		defer close(done)
		_, err = stream.Assemble(
			stream.Optional("chained", stream.Then(hangs(nil, nil), stream.Of[int]), func(*page, int) {}),
			stream.Required("hanging", hangs(began, ended), func(*page, int) {}),
		).Run(ctx)
	}()
	soon(t, "the call begins", began)
	leave()
	soon(t, "the call ends", ended)
	soon(t, "the page ends", done)
	if fault.CodeOf(err) != fault.Canceled || fault.ReasonOf(err) != fault.ReasonCanceled || len(scope.Report().Parts) != 2 {
		t.Errorf("%v, parts %v", err, scope.Report().Parts)
	}
}

func TestClientLeavesARunaway(t *testing.T) {
	parent, leave := context.WithCancel(t.Context())
	release := make(chan struct{})
	deaf := stream.Source(nil, func(context.Context) (int, report.Mark, error) {
		leave()
		<-release
		return 0, live, nil
	})
	ctx, scope := stream.Open(parent, report.New("", report.Trace{}))
	_, err := stream.Assemble(stream.Required("deaf", deaf, func(*page, int) {})).Run(ctx)
	if n := scope.Close(); n != 1 || fault.ReasonOf(err) != fault.ReasonCanceled {
		t.Errorf("%d runaways, %v", n, err)
	}
	close(release)
}

// TestRunaways: calls that ignore their context cost one Grace in all, are
// counted, and take no answer from those that are ready.
func TestRunaways(t *testing.T) {
	release := make(chan struct{})
	deaf := func() stream.Stream[int] {
		return stream.Source(nil, func(context.Context) (int, report.Mark, error) {
			<-release
			return 1, live, nil
		})
	}
	const n = 5
	var parts []stream.Part[page]
	for i := range n {
		parts = append(parts, stream.Optional(fmt.Sprintf("deaf%d", i), deaf(), func(*page, int) { t.Error("set") }))
	}
	for i := range n { // ready long since, and read only when the grace is over
		parts = append(parts, stream.Optional(fmt.Sprintf("ready%d", i), at(1, live), func(p *page, v int) { p.a += v }))
	}
	began := time.Now()
	ctx, scope := stream.Open(budget(t, 5*time.Millisecond), report.New("", report.Trace{}))
	p, err := stream.Assemble(parts...).Run(ctx)
	runaways := scope.Close()
	if took := time.Since(began); err != nil || p.a != n || runaways != n || took < stream.Grace || took > n*stream.Grace {
		t.Errorf("page %v, %v, %d runaways after %v", p, err, runaways, took)
	}
	for i, part := range scope.Report().Parts {
		if missing := part.Mark == (report.Mark{Rung: report.Missing, Reason: fault.ReasonBudget}); missing != (i < n) || part.Took <= 0 {
			t.Errorf("%s: %v after %v", part.Name, part.Mark, part.Took)
		}
	}
	close(release)
}

// TestNothingBeginsAfterTheEnd: a runaway that comes back does not go on.
func TestNothingBeginsAfterTheEnd(t *testing.T) {
	release := make(chan struct{})
	calls := 0
	deaf := func(int) stream.Stream[int] {
		<-release
		return stream.Source(nil, func(context.Context) (int, report.Mark, error) {
			calls++
			return 0, live, nil
		})
	}
	ctx, scope := stream.Open(budget(t, time.Millisecond), report.New("", report.Trace{}))
	_, err := stream.Assemble(
		stream.Optional("then", stream.Then(stream.Of(0), deaf), func(*page, int) {}),
		stream.Optional("each", stream.Each(stream.Of([]int{0, 0, 0}), 2, deaf), func(*page, []int) {}),
	).Run(ctx)
	if n := scope.Close(); err != nil || n != 2 {
		t.Errorf("%v, %d runaways", err, n)
	}
	close(release)
	if !drained(scope) {
		t.Fatal("the runaways do not end")
	}
	if calls != 0 {
		t.Errorf("%d calls began after the end of their request", calls)
	}
}

// TestCloseEndsWhatNobodyAwaits: the elements behind the first failing one run
// on until the request is closed.
func TestCloseEndsWhatNobodyAwaits(t *testing.T) {
	began, ended := make(chan struct{}), make(chan struct{})
	s := stream.Each(stream.Of([]int{0, 1}), 2, func(v int) stream.Stream[int] {
		if v == 1 {
			return hangs(began, ended)
		}
		return stream.Source(nil, func(context.Context) (int, report.Mark, error) {
			<-began
			return 0, report.Mark{}, errOdd
		})
	})
	ctx, scope := stream.Open(t.Context(), report.New("", report.Trace{}))
	if _, err := stream.Assemble(stream.Optional("a", s, func(*page, []int) {})).Run(ctx); err != nil {
		t.Error(err)
	}
	if n := scope.Close(); n != 0 {
		t.Errorf("%d runaways", n)
	}
	select {
	case <-ended:
	default:
		t.Error("Close did not wait for the call")
	}
}
