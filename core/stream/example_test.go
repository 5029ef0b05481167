package stream_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// show runs a page of one part, as an endpoint does, and prints it.
func show[T any](s stream.Stream[T]) {
	record := report.New("", report.Trace{})
	ctx, scope := stream.Open(context.Background(), record)
	defer scope.Close()
	type page struct{ value T }
	p, err := stream.Assemble(
		stream.Optional("part", s, func(p *page, v T) { p.value = v }),
	).Run(ctx)
	fmt.Printf("%v %v %q\n", p.value, err, record.PartsHeader())
}

// price stands for a call of the service layer.
func price(id string) stream.Stream[int] {
	if id == "gone" {
		return stream.Fail[int](fault.Because(fault.ReasonTimeout, errors.New("no answer")))
	}
	return stream.Of(100 * len(id))
}

func ExampleMap() {
	show(stream.Map(price("abc"), func(cents int) string { return fmt.Sprintf("%d.%02d €", cents/100, cents%100) }))
	// Output: 3.00 € <nil> ""
}

func ExampleThen() {
	postage := func(cents int) stream.Stream[int] { return stream.Of(cents / 10) }
	show(stream.Then(price("abc"), postage))
	show(stream.Then(price("gone"), postage)) // the second call is not made
	// Output:
	// 30 <nil> ""
	// 0 <nil> "part=missing;reason=dependency"
}

func ExampleOr() {
	show(stream.Or(price("abc"), 999))
	show(stream.Or(price("gone"), 999))
	// Output:
	// 300 <nil> ""
	// 999 <nil> "part=default;reason=timeout"
}

func ExampleEach() {
	show(stream.Each(stream.Of([]string{"a", "ab", "abc"}), 2, price))
	ids := stream.Of([]string{"a", "gone", "abc"})
	show(stream.Each(ids, 2, price)) // one that fails fails the list
	show(stream.Each(ids, 2, func(id string) stream.Stream[int] { return stream.Or(price(id), -1) }))
	// Output:
	// [100 200 300] <nil> ""
	// [] <nil> "part=missing;reason=timeout"
	// [100 -1 300] <nil> "part=default;reason=timeout"
}

func ExampleSource() {
	calls := 0
	stock := func() stream.Stream[int] { // two of one key are one call
		return stream.Source("stock of abc", func(context.Context) (int, report.Mark, error) {
			calls++
			return 7, report.Mark{Rung: report.Live}, nil
		})
	}
	type page struct{ Left, Shown int }
	p, err := stream.Assemble(
		stream.Optional("left", stock(), func(p *page, n int) { p.Left = n }),
		stream.Optional("shown", stock(), func(p *page, n int) { p.Shown = min(n, 5) }),
	).Run(context.Background())
	fmt.Println(p, err, calls)
	// Output: {7 5} <nil> 1
}

func ExampleAssemble() {
	type page struct {
		Title   string
		Price   int
		Reviews []string
	}
	product := func(title stream.Stream[string]) stream.Assembly[page] {
		return stream.Assemble(
			stream.Required("catalog", title, func(p *page, title string) { p.Title = title }),
			stream.Optional("price", price("abc"), func(p *page, cents int) { p.Price = cents }),
			stream.Optional("reviews", stream.Fail[[]string](fault.Because(fault.ReasonOpen, nil)),
				func(p *page, reviews []string) { p.Reviews = reviews }),
		)
	}
	p, err := product(stream.Of("A lamp")).Run(context.Background())
	fmt.Printf("%+v %v\n", p, err)
	p, err = product(stream.Fail[string](fault.New(fault.NotFound, "no such product"))).Run(context.Background())
	fmt.Printf("%+v %v\n", p, fault.CodeOf(err))
	// Output:
	// {Title:A lamp Price:300 Reviews:[]} <nil>
	// {Title: Price:0 Reviews:[]} not_found
}
