package stream_test

import (
	"context"
	"testing"

	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

type page struct{ a, b, c, d, e, f, g int }

func noop(i int) stream.Stream[int] {
	return stream.Source(i, func(context.Context) (int, report.Mark, error) {
		return i, report.Mark{Rung: report.Live}, nil
	})
}

// BenchmarkGraph is the graph of a product page around calls that do nothing:
// seven calls, one of them dependent. The bar is 12 µs, on workers, as the server
// runs it.
func BenchmarkGraph(b *testing.B) {
	var workers stream.Workers
	b.Run("workers", func(b *testing.B) { benchmarkGraph(b, workers.Open) })
	b.Run("goroutines", func(b *testing.B) { benchmarkGraph(b, stream.Open) })
}

func benchmarkGraph(b *testing.B, open func(context.Context, *report.Report) (context.Context, *stream.Scope)) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		ctx, scope := open(context.Background(), report.New("", report.Trace{}))
		first := noop(1)
		last := stream.Then(first, func(int) stream.Stream[int] { return noop(7) })
		p, err := stream.Assemble(
			stream.Required("a", first, func(p *page, v int) { p.a = v }),
			stream.Optional("b", noop(2), func(p *page, v int) { p.b = v }),
			stream.Optional("c", noop(3), func(p *page, v int) { p.c = v }),
			stream.Optional("d", noop(4), func(p *page, v int) { p.d = v }),
			stream.Optional("e", noop(5), func(p *page, v int) { p.e = v }),
			stream.Optional("f", noop(6), func(p *page, v int) { p.f = v }),
			stream.Optional("g", last, func(p *page, v int) { p.g = v }),
		).Run(ctx)
		if err != nil || p != (page{1, 2, 3, 4, 5, 6, 7}) || scope.Close() != 0 {
			b.Fatal(p, err)
		}
	}
}
