package report_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/facet-gateway/facet/core/report"
)

func TestCallsFromManyGoroutines(t *testing.T) {
	r := report.New("id", report.NewTrace())
	var wait sync.WaitGroup
	for g := range 8 {
		wait.Go(func() {
			for i := range 100 {
				c := r.Begin(fmt.Sprintf("c.%d.%d", g, i))
				c.Attempts++
				if len(r.Calls()) == 0 {
					t.Error("a call that has begun is not there")
				}
			}
		})
	}
	wait.Wait()
	calls, names := r.Calls(), map[string]bool{}
	for _, c := range calls {
		names[c.Command] = true
		if c.Request() != r || c.Began.Before(r.Began) || c.Caching.MaxAge != report.Unlimited || c.Attempts != 1 {
			t.Fatalf("call %+v", c)
		}
	}
	if len(calls) != 800 || len(names) != 800 {
		t.Errorf("%d calls of %d names", len(calls), len(names))
	}
	calls[0] = nil
	if r.Calls()[0] == nil {
		t.Error("Calls gives away its own list")
	}
}

func TestContexts(t *testing.T) {
	ctx := context.Background()
	if report.From(ctx) != nil || report.CallFrom(ctx) != nil {
		t.Error("an empty context has a record")
	}
	r := report.New("id", report.Trace{})
	c := r.Begin("x.y")
	ctx = context.WithValue(report.WithCall(ctx, c), report.RequestKey{}, r)
	if report.From(ctx) != r || report.CallFrom(ctx) != c || c.Request() != r {
		t.Error("the context has lost its records")
	}
	if (&report.Call{}).Request() != nil {
		t.Error("a call for no request has one")
	}
}

func TestOutcomes(t *testing.T) {
	names := []string{"success", "failure", "timeout", "rejected", "short_circuited", "canceled", "caller_fault", "out_of_budget"}
	all := report.Outcomes()
	if len(all) != len(names) {
		t.Fatalf("%d outcomes", len(all))
	}
	for i, o := range all {
		if int(o) != i || o.String() != names[i] {
			t.Errorf("outcome %d is %v, want %s", i, o, names[i])
		}
	}
	if report.Outcome(99).String() != "failure" {
		t.Error("an unknown outcome is no failure")
	}
}

func TestAttemptsGoToDifferentInstances(t *testing.T) {
	r := report.New("id", report.NewTrace())
	call := r.Begin("c.c")
	call.Spread = &report.Spread{}
	var wait sync.WaitGroup
	var took sync.Map
	for range 8 {
		attempt := call.Attempt()
		if attempt.Request() != r || attempt.Command != "c.c" || attempt.Caching.MaxAge != report.Unlimited {
			t.Fatalf("%+v", attempt)
		}
		wait.Go(func() {
			for _, instance := range []string{"a", "b", "c"} {
				if attempt.Spread.Take(instance) {
					if _, twice := took.LoadOrStore(instance, true); twice {
						t.Error(instance, "was taken twice")
					}
				}
			}
		})
	}
	wait.Wait()
	if len(r.Calls()) != 1 {
		t.Error("an attempt is no call of its own")
	}
}
