package server

import (
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/edge"
)

// place gives the page its place among those in progress, or refuses it at once.
// The place is given back when the page is made, before it is sent: how fast a
// client reads says nothing about the backends. What is tried on the private port
// is neither refused nor counted.
func (x *exchange) place(path string) (adapter.Answer, error) {
	limiter := x.server.Admission
	if limiter == nil || x.trial != nil {
		return x.compose(path)
	}
	permit, err := limiter.Admit(limiter.Priority(x.r.Header), x.report.Began)
	if err != nil {
		return adapter.Answer{}, err
	}
	verdict := edge.Silent // of a panic
	defer func() { permit.Done(verdict, x.report.Budget, time.Now()) }()
	answer, err := x.compose(path)
	verdict = edge.VerdictOf(err, x.report.Parts)
	return answer, err
}
