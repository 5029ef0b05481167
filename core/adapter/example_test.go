package adapter_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

// The answers of two services, and where they come from. In a real adapter the
// service layer has them.
type (
	show  struct{ Title, Studio string }
	count struct{ Episodes int }
)

func shows(id string) stream.Stream[show] { return stream.Of(show{"The Long Way Up", "studio-" + id}) }

func episodes(string) stream.Stream[count] {
	return stream.Fail[count](fault.Because(fault.ReasonTimeout, errors.New("too slow")))
}

// What a device team writes: a query, a page, and a function that declares
// which calls make the page and where their answers go.
type showQuery struct {
	ID string `query:"id" check:"id,required"`
}

type showPage struct {
	Title    string `json:"title"`
	Image    string `json:"image"`
	Episodes *int   `json:"episodes,omitempty"`
}

func showDetails(r *adapter.Request, q showQuery) stream.Assembly[showPage] {
	return stream.Assemble(
		stream.Required("show", shows(q.ID), func(page *showPage, s show) {
			page.Title = s.Title
			page.Image = fmt.Sprintf("/img/%s?w=%d", q.ID, r.Device.HeroWidth)
		}),
		stream.Optional("episodes", episodes(q.ID), func(page *showPage, c count) { page.Episodes = &c.Episodes }),
	)
}

// A whole endpoint. One of its two services is too slow: the page comes all the
// same, and says what is missing.
func Example() {
	watch, err := adapter.New("watch", "v1", adapter.Page("/showdetails", showDetails))
	if err != nil {
		fmt.Println(err)
		return
	}
	endpoint, _ := watch.Endpoint("/showdetails")
	device := &devices.Profile{Class: "watch", HeroWidth: 320}

	for _, query := range []string{"id=s-1", "id=s/1"} {
		r := report.New("request-1", report.NewTrace())
		ctx, scope := stream.Open(context.Background(), r) // the server's part
		answer, err := endpoint.Serve(ctx, &adapter.Request{Device: device, RawQuery: query})
		scope.Close()
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(watch, string(answer.Body))
		fmt.Println(r.PartsHeader())
	}

	// Output:
	// watch/v1 {"title":"The Long Way Up","image":"/img/s-1?w=320"}
	// episodes=missing;reason=timeout
	// invalid: id: must be 1 to 64 of A-Z, a-z, 0-9, _ and -
}
