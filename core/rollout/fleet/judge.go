package fleet

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/rollout/guard"
)

// judgement is what was last found about a rollout.
type judgement struct {
	key     armKey
	sum     guard.Tally
	judged  bool // there is a guard, and there were enough requests
	verdict string
	waits   string // why the plan does not go on though its time has come
}

// limit bounds what a turn waits for of the store.
const limit = 900 * time.Millisecond

// report tells the others of this replica, and hears of them.
func (f *Fleet) report(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	s, _ := f.current()
	observed, err := f.observed()
	if err != nil {
		f.Log.Error("what requests came to cannot be told: a defect", "error", err.Error())
		return
	}
	own := rollout.Replica{ID: f.Replica, Revision: s.Revision, At: f.Now().UTC(), Lacks: f.Known.Lacks(&s.Document), Observed: observed}
	var all []rollout.Replica
	if err = f.store.Report(ctx, own); err == nil {
		all, _ = f.store.Replicas(ctx) // Watch tells of a store that is away
	}
	f.hear(own, all)
	f.reported(err)
}

// reported takes down whether the store has taken a report. One that tells states, but
// takes nothing, is full, or does not let this replica write.
func (f *Fleet) reported(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away == nil && err != nil && f.deaf == nil {
		f.Log.Warn("the store of rollouts takes no report: no change can be made", "error", err.Error())
	}
	f.deaf = err
}

// hear takes down the replicas that live. None was heard of while the store was away:
// what is known of the others stays.
func (f *Fleet) hear(own rollout.Replica, all []rollout.Replica) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if all == nil {
		all = slices.Clone(f.others)
	}
	all = slices.DeleteFunc(all, func(r rollout.Replica) bool { return r.ID == f.Replica })
	all = append(all, own)
	slices.SortFunc(all, func(a, b rollout.Replica) int { return strings.Compare(a.ID, b.ID) })
	f.others = all
}

// judgeAll compares the arms of each rollout that has a guard, and stops those whose
// candidate is worse.
func (f *Fleet) judgeAll(ctx context.Context) {
	f.mu.Lock()
	s, replicas := f.state, f.others
	f.mu.Unlock()
	found := make(map[armKey]judgement)
	for key, sum := range f.sums(replicas) {
		if r := s.Rollout(key.class, key.name); r != nil {
			found[key] = f.judge(ctx, key, r, sum)
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.found = found
}

// judge says what is to become of a rollout, and does it.
func (f *Fleet) judge(ctx context.Context, key armKey, r *rollout.Rollout, sum guard.Tally) judgement {
	j := judgement{key: key, sum: sum}
	enough := true
	if r.Guard != nil {
		v := sum.Judge(r.Guard)
		enough, j.verdict = v.Judged, v.Sentence(r.Candidate)
		j.judged = enough
	}
	switch {
	case j.verdict != "":
		f.stop(ctx, key, r, j.verdict)
	case r.Strayed():
		j.waits = "its share is no step of its plan: a person goes on"
	case !r.Due(f.Now()):
	case !enough:
		j.waits = "its time has come, but there are fewer requests than its guard needs"
	default:
		f.automatic(ctx, rollout.AdvanceFrom(key.class, key.name, r.Share), "plan")
	}
	return j
}

// stop aborts a rollout, or holds it if its guard says so.
func (f *Fleet) stop(ctx context.Context, key armKey, r *rollout.Rollout, why string) {
	switch {
	case !r.Guard.Hold:
		f.automatic(ctx, rollout.Abort(key.class, key.name, why), "guard")
	case r.Status == rollout.Running:
		f.automatic(ctx, rollout.Pause(key.class, key.name, why), "guard")
	}
}

// automatic makes a change without a person. That another replica was first is what
// happens to all but one.
func (f *Fleet) automatic(ctx context.Context, c rollout.Change, hand string) {
	_, err := f.Apply(ctx, c, hand+"@"+f.Replica)
	if err != nil && fault.CodeOf(err) != fault.Conflict && ctx.Err() == nil {
		f.Log.Warn("a rollout was not changed", "what", c.What, "class", string(c.Class), "rollout", c.Rollout, "error", err.Error())
	}
}
