package command_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

func answerOne(context.Context, int) (int, error) { return 1, nil }

// bare is a stream that costs what a command's does without the command.
func bare() stream.Stream[int] {
	return stream.Source(nil, func(ctx context.Context) (int, report.Mark, error) {
		value, err := answerOne(ctx, 1)
		return value, report.Mark{Rung: report.Live}, err
	})
}

// BenchmarkCommand is a page of one command around nothing, as fast as it goes.
func BenchmarkCommand(b *testing.B) {
	c := command.New("bench.flat_out", answerOne)
	benchmarkPage(b, func() stream.Stream[int] { return c.Observe(1) })
}

// BenchmarkWithoutCommand is the same page without the command.
func BenchmarkWithoutCommand(b *testing.B) { benchmarkPage(b, bare) }

// BenchmarkCached is a page of one command whose answer is remembered.
func BenchmarkCached(b *testing.B) {
	c := command.New("bench.cached", answerOne).Safe()
	p := c.Policy()
	p.Cache.Fresh = time.Hour
	if err := c.Configure(p); err != nil {
		b.Fatal(err)
	}
	benchmarkPage(b, func() stream.Stream[int] { return c.Observe(1) })
}

func benchmarkPage(b *testing.B, observe func() stream.Stream[int]) {
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := run(ctx, observe()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPaced is the CPU that a command around nothing costs at the pace of a
// busy gateway: seven commands, 2,000 times a second each. The same pages
// without commands are measured in turn with them, and taken off. An iteration
// is a page; -benchtime=4000x makes it 2 s.
func BenchmarkPaced(b *testing.B) {
	commands := make([]*command.Command[int, int], 7)
	for i := range commands {
		commands[i] = command.New(fmt.Sprintf("bench.paced%d", i), answerOne)
	}
	var with, without time.Duration
	const round = 500 // pages
	for left := b.N; left > 0; left -= round {
		pages := min(left, round)
		without += paced(b, pages, func(int) stream.Stream[int] { return bare() })
		with += paced(b, pages, func(i int) stream.Stream[int] { return commands[i].Observe(1) })
	}
	var refused uint64
	for _, c := range commands {
		refused += c.Stats().RefusedEvents
	}
	b.ReportMetric(float64((with-without).Microseconds())/float64(b.N*len(commands)), "cpu-µs/command")
	b.ReportMetric(float64(refused), "refused")
	b.ReportMetric(0, "ns/op") // the pace is given, not measured
}

// paced runs pages of seven streams, one each 500 µs, and returns the CPU they took.
func paced(b *testing.B, pages int, observe func(i int) stream.Stream[int]) time.Duration {
	tick := time.NewTicker(500 * time.Microsecond)
	defer tick.Stop()
	ctx, before := b.Context(), cpu(b)
	for range pages {
		<-tick.C
		parts := make([]stream.Part[struct{}], 7)
		for i := range parts {
			parts[i] = stream.Required(string(rune('a'+i)), observe(i), func(*struct{}, int) {})
		}
		if err := runParts(ctx, parts); err != nil {
			b.Fatal(err)
		}
	}
	return cpu(b) - before
}

func runParts(ctx context.Context, parts []stream.Part[struct{}]) error {
	ctx, scope := stream.Open(ctx, report.New("", report.Trace{}))
	defer scope.Close()
	_, err := stream.Assemble(parts...).Run(ctx)
	return err
}
