package shadow

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// Job is one request that control has answered, and that a candidate is to answer,
// too. Nobody changes what it refers to once it is offered.
type Job struct {
	Class     string // of the adapter, such as "phone"
	Rollout   string // whose candidate it is
	Candidate string // such as "phone/v2"

	Page      string // such as "productdetails"
	RequestID string
	Query     string // as a person may read it: the caller leaves out what tells of a user

	Control Answer // see [AnswerOf]
	Rules   Rules

	// Budget is the time that the candidate has; 0: 1 s.
	Budget time.Duration
	// Run has the candidate answer, as [Serve] does. It must return soon after its
	// context has ended, and may panic.
	Run func(ctx context.Context) Answer
}

// Answer is the answer of control or of a candidate, with what says whether it can be
// compared.
type Answer struct {
	adapter.Answer
	Err      error // instead of the page: its code is compared
	Panicked error // why the page, or a part of it, panicked; nil: none did
	Hindered bool  // the other one may have seen another backend
	Runaways int   // goroutines of the page that outlived it
}

// Serve has a candidate answer in a scope of its own, which is opened after control's
// and closed with the answer. r is a new report of the request, and becomes a
// shadow's; workers may be nil.
func Serve(
	ctx context.Context, workers *stream.Workers, r *report.Report, control *stream.Scope,
	serve func(context.Context) (adapter.Answer, error),
) (a Answer) {
	r.Shadow = true
	ctx, scope := workers.OpenAfter(ctx, r, control)
	defer func() {
		v := recover()
		a = AnswerOf(a.Answer, a.Err, r, scope.Close())
		if v != nil {
			a.Panicked = stream.Panicked(v)
		}
	}()
	a.Answer, a.Err = serve(ctx)
	return a
}

// AnswerOf returns an answer, or the error instead, with what its report tells of it.
// The scope of its page is closed, and runaways is what its Close has returned.
//
// Control is hindered by a call without an answer that ended with the page, or was not
// made for want of time, for the candidate asks that again; and by runaways, since
// nothing is shared then. A candidate is hindered by such a call, and by one that was
// refused, because it is a shadow's. A page that failed is hindered only by the call
// that it failed for: the others ended because of it. One whose client left is hindered,
// and so is control's when its time was over.
func AnswerOf(a adapter.Answer, err error, r *report.Report, runaways int) Answer {
	answer := Answer{Answer: a, Err: err, Runaways: runaways, Panicked: panicIn(r, err)}
	if runaways > 0 { // its calls must not be read
		answer.Hindered = !r.Shadow
		return answer
	}
	answer.Hindered = cutShort(err, r.Shadow)
	for _, call := range r.Calls() {
		if hinders(call, r.Shadow) && (err == nil || errors.Is(err, call.Err)) {
			answer.Hindered = true
			break
		}
	}
	return answer
}

// panicIn returns the panic that a page failed for or lost a part for, nil if none.
func panicIn(r *report.Report, err error) error {
	if fault.ReasonOf(err) == fault.ReasonPanic {
		return err
	}
	for i := range r.Parts {
		if lost := r.Parts[i].Err; fault.ReasonOf(lost) == fault.ReasonPanic {
			return lost
		}
	}
	return nil
}

// cutShort reports whether an error says only that the page had come to its end. To a
// candidate its time is given: that it needs more of it is its own.
func cutShort(err error, shadow bool) bool {
	reason := fault.ReasonOf(err)
	return reason == fault.ReasonCanceled || reason == fault.ReasonBudget && !shadow
}

// hinders reports whether a call is one that the other page may have had an answer to.
func hinders(c *report.Call, shadow bool) bool {
	switch fault.ReasonOf(c.Err) {
	case fault.ReasonCanceled, fault.ReasonBudget:
		return shadow || c.Mark.Rung == report.Missing // else what stood in is shared
	case fault.ReasonFull, fault.ReasonOpen:
		return shadow
	}
	return false
}

const defaultBudget = time.Second

func (j *Job) budget() time.Duration { return cmp.Or(max(j.Budget, 0), defaultBudget) }

// errBudget is the cause of the end of a job that took too long.
var errBudget = fault.Because(fault.ReasonBudget, errors.New("the candidate's budget is spent"))

// answer has the candidate answer within its budget.
func (j *Job) answer(life context.Context) (a Answer) {
	ctx, cancel := context.WithTimeoutCause(life, j.budget(), errBudget)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			a.Panicked = stream.Panicked(v)
		}
	}()
	if a = j.Run(ctx); a.Panicked == nil && fault.ReasonOf(a.Err) == fault.ReasonPanic {
		a.Panicked = a.Err
	}
	return a
}

// compare compares the candidate's answer with control's.
func (j *Job) compare(a *Answer) (c *comparison) {
	defer func() {
		if v := recover(); v != nil { // a defect of this package is nobody's end
			c = &comparison{}
			c.outcome("defect", "", fmt.Sprintf("panic: %v", v))
		}
	}()
	c = &comparison{}
	switch {
	case a.Err != nil || j.Control.Err != nil:
		c.outcome("status", status(j.Control.Err), status(a.Err))
	case j.Control.ContentType != a.ContentType:
		c.outcome("content_type", j.Control.ContentType, a.ContentType)
	case isJSON(a.ContentType):
		return compare(j.Control.Body, a.Body, j.Rules)
	case !bytes.Equal(j.Control.Body, a.Body):
		c.outcome("body", size(j.Control.Body), size(a.Body))
	}
	return c
}

// outcome compares what is no part of a page.
func (c *comparison) outcome(of, control, candidate string) {
	if control != candidate {
		c.take(Difference{Path: of, At: of, Kind: Changed, Control: cut(control), Candidate: cut(candidate)})
	}
}

// comparable reports whether a difference would be the candidate's: not if it was
// hindered, and a panic of its own tells more than what it left undone.
func (j *Job) comparable(a *Answer) bool {
	return !a.Hindered && (a.Panicked == nil || j.Control.Panicked != nil)
}

// status spells what an error comes to.
func status(err error) string {
	code := fault.CodeOf(err)
	return fmt.Sprintf("%d %s", code.Status(), code)
}

func isJSON(contentType string) bool {
	media, _, _ := strings.Cut(contentType, ";")
	media = strings.ToLower(strings.TrimSpace(media))
	return media == "application/json" || strings.HasSuffix(media, "+json")
}

func size(body []byte) string { return fmt.Sprintf("%d bytes", len(body)) }
