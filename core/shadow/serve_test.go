package shadow_test

import (
	"context"
	"fmt"
	"maps"
	"sync/atomic"
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/shadow"
	"github.com/facet-gateway/facet/core/stream"
)

// shop is the calls that pages of these tests make.
type shop struct {
	product, stock *command.Command[int, int]
	asked          atomic.Int64
	down           atomic.Bool
}

func newShop() *shop {
	s := &shop{}
	ask := func(_ context.Context, query int) (int, error) {
		s.asked.Add(1)
		if s.down.Load() {
			return 0, errOdd
		}
		return query, nil
	}
	batch := func(ctx context.Context, queries []int) (map[int]int, error) {
		got := make(map[int]int)
		for _, q := range queries {
			got[q] = q
		}
		_, err := ask(ctx, 0)
		return got, err
	}
	s.product = command.New("test.product", ask).Safe()
	s.stock = command.New("test.stock", ask).Batch(batch).Safe()
	return s
}

type sums struct{ Product, Stock int }

// page returns the page of a product and of so many stocks.
func (s *shop) page(product, stocks int) func(context.Context) (adapter.Answer, error) {
	return func(ctx context.Context) (adapter.Answer, error) {
		list := make([]int, stocks)
		for i := range list {
			list[i] = i
		}
		got, err := stream.Assemble(
			stream.Optional("product", s.product.Observe(product), func(p *sums, v int) { p.Product = v }),
			stream.Optional("stock", stream.Some(stream.Of(list), len(list), s.stock.Observe), func(p *sums, v []int) { p.Stock = len(v) }),
		).Run(ctx)
		return adapter.Answer{ContentType: "application/json", Body: fmt.Appendf(nil, "%+v", got)}, err
	}
}

// TestCandidateAsksOnlyWhatIsNew: nothing, when it asks what control asked, also what
// failed; what is new is a shadow's call, and no live command counts it.
func TestCandidateAsksOnlyWhatIsNew(t *testing.T) {
	for _, tc := range []struct {
		name     string
		down     bool
		product  int
		stocks   int
		asked    int64 // by the candidate
		shadowed uint64
	}{
		{"the same", false, 1, 5, 0, 0},
		{"the same, failed", true, 1, 5, 0, 0},
		{"less", false, 1, 2, 0, 0},
		{"another product", false, 2, 5, 1, 1},
		{"more stocks, in one batch", false, 1, 9, 1, 1},
		{"both, of a backend that fails", true, 2, 9, 2, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := newShop()
			s.down.Store(tc.down)
			ctx, scope := stream.Open(t.Context(), report.New("r-1", report.Trace{}))
			_, _ = s.page(1, 5)(ctx)
			if scope.Close() != 0 {
				t.Fatal("runaways")
			}
			before, product, stock := s.asked.Load(), s.product.Stats(), s.stock.Stats()
			got := shadow.Serve(t.Context(), nil, report.New("r-1", report.Trace{}), scope, s.page(tc.product, tc.stocks))
			if got.Err != nil || got.Hindered || got.Runaways != 0 {
				t.Errorf("%+v", got)
			}
			if n := s.asked.Load() - before; n != tc.asked {
				t.Errorf("asked %d times", n)
			}
			after, and := s.product.Stats(), s.stock.Stats()
			if !sameRuns(&after, &product) || !sameRuns(&and, &stock) {
				t.Errorf("%+v %+v", after, and)
			}
			var told uint64
			for _, n := range after.Shadowed {
				told += n
			}
			for _, n := range and.Shadowed {
				told += n
			}
			if told != tc.shadowed {
				t.Errorf("%d runs for shadows", told)
			}
		})
	}
}

func sameRuns(a, b *command.Stats) bool {
	return maps.Equal(a.Outcomes, b.Outcomes) && maps.Equal(a.Rungs, b.Rungs)
}

// TestRefusedCallsHinder: a page whose call had no ticket says nothing of the candidate.
func TestRefusedCallsHinder(t *testing.T) {
	s := newShop()
	if err := s.product.Force(command.ForcedOpen, 0); err != nil {
		t.Fatal(err)
	}
	if got := shadow.Serve(t.Context(), nil, report.New("r-1", report.Trace{}), nil, s.page(1, 1)); !got.Hindered || got.Err != nil {
		t.Errorf("%+v", got)
	}
}

// TestServeCloses the scope also under a panic, and tells of what outlives it.
func TestServeCloses(t *testing.T) {
	ended := make(chan struct{})
	hang := stream.Source(nil, func(ctx context.Context) (int, report.Mark, error) {
		<-ctx.Done()
		close(ended)
		return 0, report.Mark{}, context.Cause(ctx)
	})
	short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	got := shadow.Serve(short, nil, report.New("r-1", report.Trace{}), nil, func(ctx context.Context) (adapter.Answer, error) {
		_, _ = stream.Assemble(stream.Optional("hang", hang, func(*sums, int) { t.Error("set") })).Run(ctx)
		panic("odd")
	})
	<-ended
	if got.Panicked == nil || got.Runaways != 0 {
		t.Errorf("%+v", got)
	}
}

// TestServeTellsOfRunaways: and of the panic beside them.
func TestServeTellsOfRunaways(t *testing.T) {
	began, release := make(chan struct{}), make(chan struct{})
	deaf := stream.Source(nil, func(context.Context) (int, report.Mark, error) {
		close(began)
		<-release
		return 0, report.Mark{}, nil
	})
	broken := stream.Then(stream.Of(0), func(int) stream.Stream[int] {
		<-began
		panic("odd")
	})
	got := shadow.Serve(t.Context(), nil, report.New("r-1", report.Trace{}), nil, func(ctx context.Context) (adapter.Answer, error) {
		_, err := stream.Assemble(
			stream.Required("broken", broken, func(*sums, int) {}), stream.Optional("deaf", deaf, func(*sums, int) {}),
		).Run(ctx)
		return adapter.Answer{}, err
	})
	close(release)
	if got.Runaways != 1 || got.Hindered || got.Panicked == nil || got.Err == nil {
		t.Errorf("%+v", got)
	}
}
