package telemetry_test

import (
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/telemetry"
)

// ofTelemetry is how many goroutines the package has.
func ofTelemetry(t *testing.T) int {
	t.Helper()
	var text strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&text, 2); err != nil { // 2: a stack for each
		t.Fatal(err)
	}
	n := 0
	for stack := range strings.SplitSeq(text.String(), "\n\n") {
		if strings.Contains(stack, "core/telemetry.") {
			n++
		}
	}
	return n
}

// TestStreamCostsNothingUnread: before the first reader and after the last one no
// goroutine runs and no command is read, however much they do.
func TestStreamCostsNothingUnread(t *testing.T) {
	c := newCommand("test.unread")
	p := newPort(t, c.Control)
	idle := func(when string, readings int) {
		t.Helper()
		for range 100 {
			ask(t, c, good)
		}
		over := time.After(3 * 100 * time.Millisecond) // three rounds of the last reader
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			if n, read := ofTelemetry(t), p.Readings(); n != 0 || read != readings {
				t.Fatalf("%s: %d goroutines run, and the commands were read %d times, %d before", when, n, read, readings)
			}
			select {
			case <-over:
				return
			case <-tick.C:
			}
		}
	}
	idle("before the first reader", 0)
	r := p.read(t, "?delay=100")
	r.round(t, 1)
	r.round(t, 1)
	if n := ofTelemetry(t); n != 1 {
		t.Errorf("a reader has %d goroutines", n)
	}
	if err := r.body.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the reader is gone", func() bool { return p.Reading() == 0 && ofTelemetry(t) == 0 })
	read := p.Readings()
	if read < 2 {
		t.Errorf("two rounds were sent of %d readings", read)
	}
	idle("after the last reader", read)
}

// BenchmarkUnread is a run of a command that a stream could tell of, but nobody
// reads, and BenchmarkUntold of one that no stream knows: they cost the same.
func BenchmarkUnread(b *testing.B) {
	c := newCommand("bench.unread")
	newTelemetry(b, telemetry.Options{Controls: []*command.Control{c.Control}})
	benchmarkRuns(b, c)
}

func BenchmarkUntold(b *testing.B) { benchmarkRuns(b, newCommand("bench.untold")) }

func benchmarkRuns(b *testing.B, c *command.Command[int, int]) {
	b.ReportAllocs()
	for b.Loop() {
		ask(b, c, good)
	}
}
