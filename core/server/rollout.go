package server

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/shadow"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

// Rollouts say which version answers whom, beside the configuration.
type Rollouts struct {
	Plan       func() *rollout.Plan // in force now, never nil; called from many goroutines, as Seen and Overran are
	Forcing    *rollout.Forcing     // reads testers' tokens; nil: there are none
	UnitHeader string               // by which an app without a user names its device, such as "X-Device-Id"; "": none does

	Shadows *shadow.Runner // runs candidates beside control; nil: none is

	// Seen is told of each request that a version answered, when it has been.
	Seen func(*rollout.Seen)

	// Overran is told at once when a version's own code goes on after its page's time:
	// it may never end. A version is replaceable unless it is the one that the
	// configuration names: a promoted one is, too.
	Overran func(v *adapter.Version, replaceable bool)
}

// headers are those that a web page may send to be assigned by.
func (r *Rollouts) headers() []string {
	var names []string
	if r != nil && r.Forcing != nil {
		names = append(names, forceHeader)
	}
	if r != nil && r.UnitHeader != "" {
		names = append(names, r.UnitHeader)
	}
	return names
}

// Where testers have their token.
const (
	forceHeader = "Facet-Force"
	forceCookie = "__Host-facet-force"
)

// choose returns the version that answers: the one that is tried, that a tester
// forces, that the rollouts assign, or that is configured.
func (x *exchange) choose(user string) (*adapter.Version, error) {
	class := x.device.Profile.Adapter()
	x.control = x.live.classes[x.device.Profile.Class]
	if x.picked() {
		if v := x.trial.version; v.Class != class {
			return nil, fault.InvalidField("version", v.String()+" does not answer the device class "+string(x.device.Profile.Class))
		}
		return x.trial.version, nil
	}
	if x.server.Rollouts == nil {
		return x.control, nil
	}
	return x.assign(class, user), nil
}

// assign asks the rollouts. What they name is of this build: a document that names
// something else was refused.
func (x *exchange) assign(class devices.Class, user string) *adapter.Version {
	plan := x.server.Rollouts.Plan()
	x.plan = plan
	x.vary(plan, class)
	x.control = x.server.controlBy(plan, class, x.control)
	if version, tester := x.forced(plan, class); version != nil {
		x.unit = cmp.Or(user, tester)
		x.assigned = rollout.Assignment{Version: version.Name, Why: rollout.Forced}
		return version
	}
	if !plan.Active(class) {
		return x.control
	}
	x.unit = x.unitOf(user)
	x.assigned = plan.Assign(class, x.unit, x.r.Header)
	return cmp.Or(x.server.find(class, x.assigned.Version), x.control)
}

// controlBy returns the control of a class: the one that a plan names, else the one
// that is configured.
func (s *Server) controlBy(plan *rollout.Plan, class devices.Class, configured *adapter.Version) *adapter.Version {
	return cmp.Or(s.find(class, plan.Control(class)), configured)
}

// find returns a version of the build, nil if there is none.
func (s *Server) find(class devices.Class, name string) *adapter.Version {
	if name == "" || s.Build == nil {
		return nil
	}
	return s.Build.Find(class, name)
}

// forced returns the version that a tester's token names for this class, and the tester. A token that
// is not valid is as none: who made a link for a tester has not made an error page.
func (x *exchange) forced(plan *rollout.Plan, class devices.Class) (v *adapter.Version, tester string) {
	of := x.server.Rollouts
	if of.Forcing == nil {
		return nil, ""
	}
	token := x.r.Header.Get(forceHeader)
	if token == "" {
		token = cookie(x.r, forceCookie)
	}
	if token == "" {
		return nil, ""
	}
	said, err := of.Forcing.Read(token, x.report.Began)
	if err != nil || said.Class != class || plan.Quarantined(class, said.Version) {
		return nil, ""
	}
	return x.server.find(class, said.Version), said.Who
}

// vary names what has decided between versions: the next request may have another.
func (x *exchange) vary(plan *rollout.Plan, class devices.Class) {
	of := x.server.Rollouts
	var names []string
	if plan.Active(class) {
		if x.server.Auth == AuthHeader {
			names = append(names, userHeader)
		}
		if of.UnitHeader != "" {
			names = append(names, of.UnitHeader)
		}
		names = append(append(names, "Cookie"), plan.Vary(class)...)
	}
	if of.Forcing != nil {
		names = append(names, forceHeader)
		if !slices.Contains(names, "Cookie") {
			names = append(names, "Cookie")
		}
	}
	if len(names) > 0 {
		h := x.w.Header()
		h["Vary"] = append(slices.Clip(h["Vary"]), strings.Join(names, ", "))
	}
}

// onTrial reports whether another version than control answers, so that there is one
// to fall back to.
func (x *exchange) onTrial() bool {
	return x.control != nil && x.version != x.control && !x.picked()
}

// overrunAfter is how long after a page's time its own code may go on: calls that are
// cut short have a Grace to find what stands in for them, and the machine as much.
const overrunAfter = 2 * stream.Grace

// replaceable reports whether the configuration names another version than the one that
// answers, so that this one can be taken out. One that somebody tries by its name is not.
func (x *exchange) replaceable() bool {
	return x.version != x.live.classes[x.device.Profile.Class] && !x.picked()
}

// serve has the endpoint make the page, and tells when its own code goes on after its
// time: nothing can stop that. One that can be replaced has a goroutine of its own, so
// that its request ends all the same; that goroutine stays as long as the code does.
func (x *exchange) serve(
	ctx context.Context, endpoint adapter.Endpoint, request *adapter.Request, left time.Duration,
) (adapter.Answer, error) {
	if x.server.Rollouts == nil || x.server.Rollouts.Overran == nil {
		return x.make(ctx, endpoint, request)
	}
	version, name, id, replaceable, counts := x.version, x.name, x.report.RequestID, x.replaceable(), x.trial == nil
	overrun := time.AfterFunc(left+overrunAfter, func() {
		x.server.Log.Error("a page's own code goes on after its time, and cannot be stopped",
			"adapter", version.String(), "page", name, "request_id", id)
		x.server.Rollouts.Overran(version, replaceable && counts)
	})
	defer overrun.Stop()
	if !replaceable {
		return x.make(ctx, endpoint, request)
	}
	answer, err := apart(func() (adapter.Answer, error) { return x.make(ctx, endpoint, request) }, left+overrunAfter+stream.Grace)
	if errors.Is(err, errOverran) {
		x.runaways++
		x.report = x.report.Again() // the other one is still written to
	}
	return answer, err
}

// errOverran is the fault of a page whose own code did not end.
var errOverran = &fault.Error{
	Code: fault.Timeout, Reason: fault.ReasonBudget, Cause: errors.New("the page's own code goes on after its time"),
}

// apart makes a page on a goroutine of its own, and gives it up after a time.
func apart(serve func() (adapter.Answer, error), limit time.Duration) (adapter.Answer, error) {
	type result struct {
		answer adapter.Answer
		err    error
	}
	made := make(chan result, 1) // with room: whoever waited may have gone
	go func() {
		var r result
		defer func() {
			if v := recover(); v != nil {
				r = result{err: stream.Panicked(v)}
			}
			made <- r
		}()
		r.answer, r.err = serve()
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case r := <-made:
		return r.answer, r.err
	case <-timer.C:
		return adapter.Answer{}, errOverran
	}
}

// seen tells what became of a request that a version answered.
func (x *exchange) seen(took time.Duration) {
	of := x.server.Rollouts
	if of == nil || of.Seen == nil || x.version == nil || x.trial != nil || (x.following != nil && !x.defective) {
		return // nobody judges by how long something was followed
	}
	of.Seen(&rollout.Seen{
		Assignment: x.assigned, Class: x.version.Class, Unit: x.unit, Report: x.report,
		Took: took, Status: x.status, Bytes: x.bytes,
		Panicked: x.defective, FellBack: x.failed != nil, Answered: x.version.Name, Revision: x.revision(),
	})
}

// revision is that of the state by which the request was assigned.
func (x *exchange) revision() uint64 {
	if x.plan == nil {
		return 0
	}
	return x.plan.Revision
}

// panicked reports whether a panic of the version's code is why the page failed, or
// came without a part.
func (x *exchange) panicked(err error) bool {
	if err != nil && fault.ReasonOf(err) == fault.ReasonPanic {
		return true
	}
	for i := range x.report.Parts {
		if p := &x.report.Parts[i]; p.Err != nil && fault.ReasonOf(p.Err) == fault.ReasonPanic {
			return true
		}
	}
	return false
}

// cookie returns the value of a cookie, "" if there is none or there are two.
func cookie(r *http.Request, name string) string {
	if len(r.Header["Cookie"]) == 0 {
		return ""
	}
	found := r.CookiesNamed(name)
	if len(found) != 1 {
		return ""
	}
	return found[0].Value
}
