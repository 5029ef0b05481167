package shadow_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/shadow"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

// Two versions of one page, and the backend that they ask.
type (
	tentPage struct {
		Title string `json:"title"`
		Stars int    `json:"stars"`
	}
	tentQuery struct{}
)

var errOffline = errors.New("connection refused")

func tent(title string, version string) *adapter.Version {
	name := stream.Source("name", func(context.Context) (string, report.Mark, error) {
		fmt.Println("the backend is asked for the name")
		return "Tent", report.Mark{Rung: report.Live}, nil
	})
	stars := stream.Source("stars", func(context.Context) (int, report.Mark, error) { return 0, report.Mark{}, errOffline })
	made, err := adapter.New("phone", version, adapter.Page("/tent", func(*adapter.Request, tentQuery) stream.Assembly[tentPage] {
		return stream.Assemble(
			stream.Required("name", name, func(p *tentPage, v string) { p.Title = title + v }),
			stream.Optional("stars", stars, func(p *tentPage, v int) { p.Stars = v }),
		)
	}))
	if err != nil {
		panic(err)
	}
	return made
}

func must(e adapter.Endpoint, there bool) adapter.Endpoint {
	if !there {
		panic("no such page")
	}
	return e
}

// A server has control answer, sends that, and then offers the request to the runner.
func ExampleRunner() {
	var workers stream.Workers
	runner := shadow.NewRunner(shadow.Options{})
	control, candidate := tent("", "v1"), tent("The ", "v2")
	request := &adapter.Request{Device: &devices.Profile{Class: "phone"}}

	// The response path.
	told := report.New("request-1", report.NewTrace())
	ctx, scope := workers.Open(context.Background(), told)
	endpoint := must(control.Endpoint("/tent"))
	answer, err := endpoint.Serve(ctx, request)
	runaways := scope.Close()
	fmt.Println(string(answer.Body), err)

	// Off it.
	if shadow.Sampled(shadow.Whole, told.RequestID) {
		runner.Offer(shadow.Job{
			Class: "phone", Rollout: "articles", Candidate: candidate.String(), Page: endpoint.Name(),
			RequestID: told.RequestID, Query: request.RawQuery,
			Control: shadow.AnswerOf(answer, err, told, runaways),
			Budget:  800 * time.Millisecond,
			Run: func(ctx context.Context) shadow.Answer {
				again, endpoint := report.New(told.RequestID, told.Trace), must(candidate.Endpoint("/tent"))
				return shadow.Serve(ctx, &workers, again, scope, func(ctx context.Context) (adapter.Answer, error) {
					return endpoint.Serve(ctx, request)
				})
			},
		})
	}

	for runner.Stats().InProgress > 0 { // only to have something to tell
		time.Sleep(time.Millisecond)
	}
	_ = runner.Close(context.Background())
	of := runner.Stats().Rollouts[0]
	fmt.Println(of.Candidate, "compared:", of.Compared, "different:", of.Different)
	for _, e := range of.Examples {
		fmt.Println(e.RequestID, e.At, e.Kind, e.Control, e.Candidate)
	}

	// Output:
	// the backend is asked for the name
	// {"title":"Tent","stars":0} <nil>
	// phone/v2 compared: 1 different: 1
	// request-1 /title changed "Tent" "The Tent"
}
