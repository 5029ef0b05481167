package command_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// A page that shows reviews, from a backend that fails after its first answer.
func ExampleNew() {
	healthy := true
	reviews := command.New("reviews.top", func(_ context.Context, product string) (string, error) {
		if !healthy {
			return "", errors.New("connection refused")
		}
		return "five stars for " + product, nil
	}).Safe().Stale(10 * time.Minute).Default(func(string) string { return "no reviews yet" })

	type page struct{ Reviews string }
	show := func(product string) {
		ctx, scope := stream.Open(context.Background(), report.New("", report.Trace{}))
		defer scope.Close()
		p, err := stream.Assemble(
			stream.Optional("reviews", reviews.Observe(product), func(p *page, text string) { p.Reviews = text }),
		).Run(ctx)
		fmt.Printf("%s, %v [%s]\n", p.Reviews, err, scope.Report().PartsHeader())
	}
	show("p-1")
	healthy = false
	show("p-1") // the remembered answer
	show("p-2") // the default
	// Output:
	// five stars for p-1, <nil> []
	// five stars for p-1, <nil> [reviews=stale;age=0;reason=error]
	// no reviews yet, <nil> [reviews=default;reason=error]
}
