package command_test

import (
	"context"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/report"
)

// ofHystrix is how many goroutines hystrix-go has now.
func ofHystrix(t *testing.T) int {
	t.Helper()
	var text strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&text, 2); err != nil { // 2: a stack for each
		t.Fatal(err)
	}
	n := 0
	for stack := range strings.SplitSeq(text.String(), "\n\n") {
		if strings.Contains(stack, "github.com/afex/hystrix-go") {
			n++
		}
	}
	return n
}

// TestGoroutinesOfACircuitAreFixed: two from its declaration on, whatever becomes of it.
func TestGoroutinesOfACircuitAreFixed(t *testing.T) {
	before := ofHystrix(t)
	b, c := newBackend(t, func(p *command.Policy) { p.Circuit.Consecutive, p.Circuit.Sleep = 3, time.Nanosecond })
	two := func() bool { return ofHystrix(t) == before+2 } // each event has one more for a moment
	eventually(t, "it has two", two)
	for i := range 50 {
		b.down.Store(i%2 == 0)
		configure(t, c.Control, func(p *command.Policy) { p.MaxConcurrent, p.Circuit.Volume = 10+i, 10+i })
		for range 20 {
			outcome(t.Context(), c, 1)
		}
		if err := c.Force(command.ForcedOpen, time.Hour); err != nil {
			t.Fatal(err)
		}
		repeat(t, c, 1, report.ShortCircuited)
		c.Release()
	}
	if s := c.Stats(); s.Opened < 10 {
		t.Errorf("the test does not test: %+v", s)
	}
	eventually(t, "it has two after it all", two)
}

// TestWhatIsNotMadeIsNotReported: hystrix-go would count short-circuited runs, and
// those that the bulkhead or the page's budget refuses, when a good probe has
// closed the circuit, and open it again.
func TestWhatIsNotMadeIsNotReported(t *testing.T) {
	b, c := newBackend(t, func(p *command.Policy) { p.Circuit.Consecutive = 3 })
	b.down.Store(true)
	repeat(t, c, 3, report.Failure)
	repeat(t, c, 500, report.ShortCircuited)
	late, cancel := context.WithTimeout(t.Context(), 500*time.Microsecond)
	defer cancel()
	outcome(late, c, 1) // is out of budget
	configure(t, c.Control, func(p *command.Policy) { p.Circuit.Sleep = time.Nanosecond; p.MaxConcurrent = 1 })
	probe := make(chan report.Outcome)
	go func() { probe <- outcome(t.Context(), c, -1) }()
	eventually(t, "the probe is in", func() bool { return b.calls.Load() == 4 })
	repeat(t, c, 100, report.Rejected)
	close(b.hang)
	if got := <-probe; got != report.Failure {
		t.Fatal(got)
	}
	// Its channel keeps the order: once it has counted this one, it has counted all before.
	const made = 4
	command.Flood(c.Control, 1)
	eventually(t, "hystrix-go has counted all", func() bool { return command.Counted(c.Control) > made })
	if got := command.Counted(c.Control); got != made+1 {
		t.Errorf("hystrix-go has counted %d runs beside the %d that were made", got-1-made, made)
	}
}
