package command_test

import (
	"context"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
)

// BenchmarkLedger is what one run and its answer cost to enter, in turn over as
// many commands as a page calls.
func BenchmarkLedger(b *testing.B) {
	controls := make([]*command.Control, 7)
	for i := range controls {
		controls[i] = command.New("bench.ledger", answerOne).Control
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		command.Enter(controls[i%len(controls)], time.Now(), 1500*time.Microsecond)
	}
}

// BenchmarkRecent is what a reader of the stream costs for each command.
func BenchmarkRecent(b *testing.B) {
	c := command.New("bench.recent", answerOne)
	for i := range 1000 {
		command.Enter(c.Control, time.Now(), time.Duration(i)*time.Millisecond)
	}
	b.ReportAllocs()
	for b.Loop() {
		c.Recent(0, 25, 50, 75, 90, 95, 99, 99.5, 100)
	}
}

// BenchmarkQuantile is what a hedged request pays to know when to hedge.
func BenchmarkQuantile(b *testing.B) {
	c := command.New("bench.quantile", func(context.Context, int) (int, error) { return 1, nil })
	for range 1000 {
		command.Enter(c.Control, time.Now(), time.Millisecond)
	}
	b.ReportAllocs()
	for b.Loop() {
		command.LatencyQuantile(c.Control, 0.95)
	}
}

func BenchmarkClock(b *testing.B) {
	for b.Loop() {
		_ = time.Now()
	}
}
