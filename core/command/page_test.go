package command_test

import (
	"context"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// run runs a page of one part, and returns its value and how it stands.
func run[V any](ctx context.Context, s stream.Stream[V]) (V, report.Part, error) {
	value, r, err := runWith(ctx, report.New("", report.Trace{}), s)
	return value, r.Parts[0], err
}

// runWith is run with a report of the test's own.
func runWith[V any](ctx context.Context, r *report.Report, s stream.Stream[V]) (V, *report.Report, error) {
	ctx, scope := stream.Open(ctx, r)
	defer scope.Close()
	value, err := stream.Assemble(stream.Required("part", s, func(page *V, value V) { *page = value })).Run(ctx)
	return value, r, err
}

// outcome runs a command once, in a request of its own, and returns how it ended.
func outcome[K comparable, V any](ctx context.Context, c *command.Command[K, V], query K) report.Outcome {
	_, r, _ := runWith(ctx, report.New("", report.Trace{}), c.Observe(query))
	return r.Calls()[0].Outcome
}

// repeat runs a command n times, which all have to end in one way.
func repeat[V any](t *testing.T, c *command.Command[int, V], n int, want report.Outcome) {
	t.Helper()
	for i := range n {
		if got := outcome(t.Context(), c, i); got != want {
			t.Fatalf("run %d of %d: %v, want %v", i+1, n, got, want)
		}
	}
}

// configure changes the policy of a command.
func configure(t testing.TB, c *command.Control, change func(*command.Policy)) {
	t.Helper()
	p := c.Policy()
	change(&p)
	if err := c.Configure(p); err != nil {
		t.Fatal(err)
	}
}

// eventually polls until a thing is so.
func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	if !poll(so) {
		t.Fatalf("it never came to be that %s", what)
	}
}

func poll(so func() bool) bool {
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-tick.C:
		case <-deadline:
			return false
		}
	}
	return true
}

// pace calls f n times, a millisecond apart, which leaves hystrix-go's monitor
// the time to count; it ends early when f returns false.
func pace(n int, f func(i int) bool) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for i := 0; i < n && f(i); i++ {
		<-tick.C
	}
}

func state(c *command.Control) string { return c.Stats().Circuit }
