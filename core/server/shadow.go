package server

import (
	"context"
	"net/url"
	"strings"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/shadow"
	"github.com/facet-gateway/facet/core/stream"
)

// mirror is what a page of control leaves behind for a candidate that is to make it,
// too, once it has been sent.
type mirror struct {
	candidate adapter.Endpoint
	version   *adapter.Version
	how       *rollout.Shadow
	request   *adapter.Request
	scope     *stream.Scope
	answer    shadow.Answer
}

// mirrored says which candidate is to make the page, too, and how; nil: none is, which
// is so of all pages but a sample of those of a rollout's control.
func (x *exchange) mirrored(path string, request *adapter.Request) *mirror {
	of := x.server.Rollouts
	if of == nil || of.Shadows == nil || x.assigned.Arm != rollout.Control {
		return nil
	}
	name, how := x.plan.Shadow(x.version.Class, x.assigned.Rollout)
	if how == nil || !shadow.Sampled(how.Sample.Hundredths(), x.report.RequestID) {
		return nil
	}
	version := x.server.find(x.version.Class, name)
	if version == nil {
		return nil
	}
	candidate, ok := version.Endpoint(path)
	if !ok {
		return nil
	}
	return &mirror{candidate: candidate, version: version, how: how, request: request}
}

// made takes down what control has made. Its scope is closed.
func (m *mirror) made(scope *stream.Scope, answer adapter.Answer, err error, r *report.Report, runaways int) {
	if m != nil {
		m.scope, m.answer = scope, shadow.AnswerOf(answer, err, r, runaways)
	}
}

// offer has the candidate make the page, if there is room for it. The answer has been
// sent: nobody waits.
func (x *exchange) offer() {
	m := x.mirror
	if m == nil || m.scope == nil {
		return
	}
	id, trace, budget, workers := x.report.RequestID, x.report.Trace, x.report.Budget, &x.server.workers
	x.server.Rollouts.Shadows.Offer(shadow.Job{
		Class: string(m.version.Class), Rollout: x.assigned.Rollout, Candidate: m.version.String(), Page: x.name,
		RequestID: id, Query: legible(m.candidate, m.request.RawQuery), Control: m.answer, Budget: budget,
		Rules: shadow.Rules{Ignore: m.how.Ignore, Unordered: m.how.Unordered},
		Run: func(ctx context.Context) shadow.Answer {
			r := report.New(id, trace)
			r.Budget = budget
			return shadow.Serve(ctx, workers, r, m.scope, func(ctx context.Context) (adapter.Answer, error) {
				return m.candidate.Serve(ctx, m.request)
			})
		},
	})
}

// legible is a query as examples of differences show it: what the page needs, which
// says what was asked for. What it can do without may say who asked.
func legible(e adapter.Endpoint, query string) string {
	values, err := url.ParseQuery(query)
	if err != nil {
		return ""
	}
	var told []string
	for _, p := range e.Parameters {
		if p.Required && values.Has(p.Name) {
			told = append(told, p.Name+"="+values.Get(p.Name))
		}
	}
	return strings.Join(told, "&")
}
