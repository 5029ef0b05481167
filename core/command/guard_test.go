package command_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// TestGuard has each call made once or not at all, and counted as a command's.
func TestGuard(t *testing.T) {
	g := command.NewGuard("route.guard")
	p := command.DefaultPolicy()
	p.Timeout, p.MaxConcurrent, p.Circuit.Consecutive = 50*time.Millisecond, 1, 2
	if err := g.Configure(p); err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	hang := func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }
	for _, tc := range []struct {
		name    string
		call    func(context.Context) error
		outcome report.Outcome
		reason  fault.Reason
	}{
		{"good", func(context.Context) error { return nil }, report.Success, fault.None},
		{"refused", func(context.Context) error { return fault.ErrRefused }, report.CallerFault, fault.ReasonError},
		{"bad", func(context.Context) error { return broken }, report.Failure, fault.ReasonError},
		{"panic", func(context.Context) error { panic("a defect") }, report.Failure, fault.ReasonPanic},
		{"open", func(context.Context) error { return nil }, report.ShortCircuited, fault.ReasonOpen},
	} {
		before, calls := g.Stats().Outcomes[tc.outcome.String()], 0
		err := g.Do(t.Context(), func(ctx context.Context) error { calls++; return tc.call(ctx) })
		made := tc.outcome != report.ShortCircuited
		if fault.ReasonOf(err) != tc.reason || g.Stats().Outcomes[tc.outcome.String()] != before+1 || (calls == 1) != made || calls > 1 {
			t.Errorf("%s: %v after %d calls, %v", tc.name, err, calls, g.Stats().Outcomes)
		}
	}
	g = command.NewGuard("route.guard_2")
	if err := g.Configure(p); err != nil {
		t.Fatal(err)
	}
	err := g.Do(t.Context(), func(ctx context.Context) error {
		if err := g.Do(ctx, hang); !errors.Is(err, command.ErrFull) {
			t.Errorf("a second call: %v", err)
		}
		return hang(ctx)
	})
	if !errors.Is(err, command.ErrTimeout) || g.Stats().InFlight != 0 {
		t.Errorf("%v", err)
	}
	if rungs := g.Stats().Rungs; rungs["missing"] != 2 {
		t.Errorf("%v", rungs)
	}
}
