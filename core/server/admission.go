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
	defer func() { permit.Done(verdict, x.telling(), time.Now()) }()
	answer, err := x.compose(path)
	verdict = edge.VerdictOf(err, x.report.Parts)
	return answer, err
}

// telling is the budget that a page's time is held against: that of its
// configuration. It is 0, so that nothing is learnt, of a page that was not run, or
// had less: a client that is in a hurry would else teach that pages are lost. Nor does
// one tell anything that control made after a candidate had taken its time.
func (x *exchange) telling() time.Duration {
	configured := x.live.Budgets[x.name]
	if x.allotted < configured || x.failed != nil {
		return 0
	}
	return configured
}
