package command_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/report"
)

// steep is how long the n-th quickest of a thousand runs has taken. It rises so
// steeply around the 95th percentile, 100 ms, that its neighbours are told apart
// on a busy machine: 94 % of the runs took at most 60 ms, 96 % at most 400 ms.
func steep(n int) time.Duration {
	switch {
	case n <= 940:
		return time.Duration(n) * 60 * time.Millisecond / 940
	case n <= 950:
		return 100 * time.Millisecond
	}
	return 400 * time.Millisecond
}

// TestHedgeBeginsAtTheP95 of what runs of late have taken: not before, and, as the
// quickest of a few hedges shows, not at a percentile above.
func TestHedgeBeginsAtTheP95(t *testing.T) {
	const runs = 1000
	var mu sync.Mutex
	var began time.Time
	quickest := time.Hour
	u := &unsteady{instances: 2, answer: func(ctx context.Context, attempt int) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		if attempt%2 == 0 {
			quickest = min(quickest, time.Since(began))
			return attempt, nil
		}
		began = time.Now()
		mu.Unlock()
		<-ctx.Done()
		mu.Lock()
		return 0, ctx.Err()
	}}
	c := u.command(t, func(p *command.Policy) { p.Timeout, p.Hedge, p.Retry = time.Minute, true, command.Retry{Attempts: 1} })
	t.Cleanup(c.Close)
	for i := range runs {
		took := steep(i*387%runs + 1) // each once, in no order
		command.Enter(c.Control, time.Now().Add(-took), took)
	}
	const p95, apart = 100 * time.Millisecond, time.Millisecond // as far as the histogram errs
	if got, known := command.LatencyQuantile(c.Control, 0.95); !known || got < p95-apart || got > p95+apart {
		t.Fatalf("the 95th percentile is %v (known: %v), want %v", got, known, p95)
	}
	for range 5 {
		if got := outcome(t.Context(), c, 1); got != report.Success {
			t.Fatal(got)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if hedges := c.Stats().Hedges; hedges != 5 || quickest < p95-apart || quickest >= steep(960)/2 {
		t.Errorf("%d hedges, the quickest after %v, want 5 and %v", hedges, quickest, p95)
	}
}
