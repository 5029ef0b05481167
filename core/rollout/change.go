package rollout

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/devices"
)

// Change is one change of a document: what it is called, of what, and what it does.
// Its function changes the copy that it is given, and returns the sentence that the
// history has, or why it cannot be.
type Change struct {
	What    string
	Class   devices.Class
	Rollout string
	do      func(d *Document, now time.Time) (detail string, err error)
	grows   bool // it brings what people write at any length
}

// maxDocument is how long a document may be, in bytes as JSON. Stores take more, so that
// there is always room to abort all of its rollouts with a reason each.
const maxDocument = 512 << 10

func (d *Document) fits() error {
	text, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encode the document: %w", err)
	}
	if len(text) > maxDocument {
		return fault.New(fault.TooLarge, fmt.Sprintf("the document would take %d bytes; at most %d are allowed", len(text), maxDocument))
	}
	return nil
}

// History is how many changes a state remembers.
const History = 200

// Apply returns the state after a change by somebody at a moment. It fails, and
// nothing is changed, when the change cannot be, the document would not be valid, or
// the change names a version that is not known here.
func (s *State) Apply(c Change, by string, now time.Time, known Catalogue) (*State, error) {
	next := s.clone()
	now = now.UTC().Truncate(time.Millisecond)
	detail, err := c.do(&next.Document, now)
	if err != nil {
		return nil, err
	}
	if err := next.follows(&s.Document, known); err != nil {
		return nil, err
	}
	if c.grows {
		if err := next.fits(); err != nil {
			return nil, err
		}
	}
	begin(&next.Document, &s.Document, now)
	next.Revision++
	next.History = append(next.History, Event{
		Revision: next.Revision, At: now, By: by, What: c.What, Class: c.Class, Rollout: c.Rollout, Detail: detail,
	})
	next.History = slices.Delete(next.History, 0, max(0, len(next.History)-History))
	return next, nil
}

// clone returns a copy that shares nothing that a change writes to.
func (s *State) clone() *State {
	next := *s
	next.History = slices.Clone(s.History)
	next.Classes = make(map[devices.Class]*Layer, len(s.Classes))
	for class, l := range s.Classes {
		if l == nil { // which is not valid
			next.Classes[class] = nil
			continue
		}
		copied := *l
		copied.Rollouts = slices.Clone(l.Rollouts)
		copied.Quarantine = maps.Clone(l.Quarantine)
		next.Classes[class] = &copied
	}
	return &next
}

// begin has the comparison of a rollout begin anew whose candidate, control or units are
// other ones now: what the candidate before has done says nothing about this one.
func begin(next, before *Document, now time.Time) {
	for class, l := range next.Classes {
		was := before.Classes[class]
		if was == nil {
			continue
		}
		for i := range l.Rollouts {
			r := &l.Rollouts[i]
			if old := was.find(r.Name); old != nil && r.active() && (l.Control != was.Control || !r.compares(old)) {
				r.Since = now
			}
		}
	}
}

// compares reports whether a rollout gives the same candidate to the same units as an
// old one did.
func (r *Rollout) compares(old *Rollout) bool {
	return r.Candidate == old.Candidate && r.Share == old.Share && r.Slice == old.Slice && reflect.DeepEqual(r.Rules, old.Rules)
}

// layer returns the layer of a class, which it makes if there is none.
func (d *Document) layer(class devices.Class) *Layer {
	if d.Classes[class] == nil {
		d.Classes[class] = &Layer{}
	}
	return d.Classes[class]
}

// Rollout returns a rollout, nil if there is none. Nobody changes it.
func (d *Document) Rollout(class devices.Class, name string) *Rollout {
	if l := d.Classes[class]; l != nil {
		return l.find(name)
	}
	return nil
}

// find returns a rollout, nil if there is none.
func (l *Layer) find(name string) *Rollout {
	for i := range l.Rollouts {
		if l.Rollouts[i].Name == name {
			return &l.Rollouts[i]
		}
	}
	return nil
}

// of returns the change of a rollout that there is.
func of(what string, class devices.Class, name string, do func(l *Layer, r *Rollout) (string, error)) Change {
	return Change{What: what, Class: class, Rollout: name, do: func(d *Document, now time.Time) (string, error) {
		r := d.Rollout(class, name)
		if r == nil {
			return "", &fault.Error{Code: fault.NotFound, Field: "rollout", Detail: fmt.Sprintf("there is no rollout %.64q of %.32q", name, class)}
		}
		before := *r
		detail, err := do(d.layer(class), r)
		if r.Status != before.Status || r.Share != before.Share {
			r.Since = now
		}
		return detail, err
	}}
}

// because is a reason at the end of a sentence, if there is one.
func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

func refuse(format string, args ...any) error {
	return fault.New(fault.Conflict, fmt.Sprintf(format, args...))
}

// Start begins a rollout, or begins one again that has ended. Without a share it has
// that of its plan's first step; without a slice, all that the holdout leaves.
func Start(class devices.Class, r Rollout) Change {
	return Change{What: "start", Class: class, Rollout: r.Name, grows: true, do: func(d *Document, now time.Time) (string, error) {
		l := d.layer(class)
		known := l.find(r.Name)
		if known != nil && known.active() {
			return "", refuse("%s runs already", r.Name)
		}
		r.Status, r.Since, r.Reason = Running, now, ""
		if (r.Slice == Slice{}) {
			r.Slice.To = percentOf(Buckets - l.Holdout.buckets())
		}
		if r.Share == 0 && len(r.Plan) > 0 {
			r.Share = r.Plan[0].Share
		}
		if known == nil {
			l.Rollouts = append(l.Rollouts, r)
		} else {
			*known = r
		}
		return fmt.Sprintf("%s at %v %%", r.Candidate, r.Share), nil
	}}
}

// Restart begins a rollout again that has ended, as it was described, at the share of
// its plan's first step, or at the one given if it is not 0.
func Restart(class devices.Class, name string, share Percent) Change {
	return of("restart", class, name, func(_ *Layer, r *Rollout) (string, error) {
		if r.active() {
			return "", refuse("%s runs already", name)
		}
		if share == 0 && len(r.Plan) > 0 {
			share = r.Plan[0].Share
		}
		if share == 0 {
			return "", fault.InvalidField("share", "is needed: "+name+" has no plan that says it")
		}
		r.Status, r.Share, r.Reason = Running, share, ""
		return fmt.Sprintf("%s at %v %%", r.Candidate, share), nil
	})
}

// Grow gives the candidate a share, larger or smaller than before.
func Grow(class devices.Class, name string, share Percent) Change {
	return of("step", class, name, func(_ *Layer, r *Rollout) (string, error) {
		return r.grow(share)
	})
}

// Advance goes on to the next step of the plan.
func Advance(class devices.Class, name string) Change {
	return of("step", class, name, func(_ *Layer, r *Rollout) (string, error) { return r.advance() })
}

// AdvanceFrom is [Advance] from a share: if somebody has changed it, there is nothing
// to do.
func AdvanceFrom(class devices.Class, name string, share Percent) Change {
	return of("step", class, name, func(_ *Layer, r *Rollout) (string, error) {
		if r.Share != share || r.Status != Running {
			return "", refuse("%s has gone on", name)
		}
		return r.advance()
	})
}

func (r *Rollout) advance() (string, error) {
	next := r.Next()
	if next == nil {
		return "", refuse("%s has no further step", r.Name)
	}
	return r.grow(next.Share)
}

func (r *Rollout) grow(share Percent) (string, error) {
	if !r.active() {
		return "", refuse("%s is %s: start it again first", r.Name, r.Status)
	}
	detail := fmt.Sprintf("from %v to %v %%", r.Share, share)
	r.Share = share
	return detail, nil
}

// Next returns the step of the plan that follows the share, nil if there is none.
func (r *Rollout) Next() *Step {
	for i := range r.Plan {
		if r.Plan[i].Share > r.Share {
			return &r.Plan[i]
		}
	}
	return nil
}

// Due reports whether the plan advances the rollout now: it runs, advances by itself,
// and the step that it is on has had its time.
func (r *Rollout) Due(now time.Time) bool {
	if r.Status != Running || !r.Automatic || r.Next() == nil {
		return false
	}
	for _, step := range r.Plan {
		if step.Share == r.Share {
			return now.Sub(r.Since) >= time.Duration(step.Soak)
		}
	}
	return false // it has strayed
}

// Strayed reports whether a person gave a rollout that advances by itself a share that
// is no step of its plan: then a person goes on.
func (r *Rollout) Strayed() bool {
	return r.Status == Running && r.Automatic && r.Next() != nil &&
		!slices.ContainsFunc(r.Plan, func(s Step) bool { return s.Share == r.Share })
}

// Pause keeps the share as it is: no plan advances it.
func Pause(class devices.Class, name, reason string) Change {
	return of("pause", class, name, func(_ *Layer, r *Rollout) (string, error) {
		if r.Status != Running {
			return "", refuse("%s is %s", name, r.Status)
		}
		r.Status, r.Reason = Paused, reason
		return reason, nil
	})
}

// Resume lets a paused rollout run again. The step that it is on begins anew.
func Resume(class devices.Class, name string) Change {
	return of("resume", class, name, func(_ *Layer, r *Rollout) (string, error) {
		if r.Status != Paused {
			return "", refuse("%s is %s", name, r.Status)
		}
		r.Status, r.Reason = Running, ""
		return "", nil
	})
}

// Abort makes all units control again.
func Abort(class devices.Class, name, reason string) Change {
	return of("abort", class, name, func(_ *Layer, r *Rollout) (string, error) {
		if !r.active() {
			return "", refuse("%s is %s", name, r.Status)
		}
		r.Status, r.Share, r.Reason = Aborted, 0, reason
		return reason, nil
	})
}

// Promote makes the candidate the control of the class, for all of its units.
func Promote(class devices.Class, name string) Change {
	return of("promote", class, name, func(l *Layer, r *Rollout) (string, error) {
		if !r.active() {
			return "", refuse("%s is %s", name, r.Status)
		}
		if why, out := l.Quarantine[r.Candidate]; out {
			return "", refuse("%s is in quarantine%s", r.Candidate, because(why.Reason))
		}
		detail := r.Candidate + " is control"
		l.Control, r.Status, r.Share = r.Candidate, Promoted, 0
		return detail, nil
	})
}

// Confine takes a version out: it answers nobody until it is released. Without a moment
// it is that of the change.
func Confine(class devices.Class, version string, q Quarantine) Change {
	return Change{What: "quarantine", Class: class, do: func(d *Document, now time.Time) (string, error) {
		l := d.layer(class)
		if why, out := l.Quarantine[version]; out {
			return "", refuse("%s is in quarantine%s", version, because(why.Reason))
		}
		if l.Quarantine == nil {
			l.Quarantine = make(map[string]Quarantine)
		}
		if q.At.IsZero() {
			q.At = now
		}
		l.Quarantine[version] = q
		return version + because(q.Reason), nil
	}}
}

// Release ends the quarantine of a version.
func Release(class devices.Class, version string) Change {
	return Change{What: "release", Class: class, do: func(d *Document, _ time.Time) (string, error) {
		l := d.layer(class)
		if _, out := l.Quarantine[version]; !out {
			detail := fmt.Sprintf("%.64q of %.32q is not in quarantine", version, class)
			return "", &fault.Error{Code: fault.NotFound, Field: "version", Detail: detail}
		}
		delete(l.Quarantine, version)
		return version, nil
	}}
}

// Replace puts another document in the place of the one that there is. What a running
// rollout's units are chosen by stays: else they would change arms. When a share last
// changed, and why, is not the document's to say.
func Replace(with Document) Change {
	return Change{What: "put", grows: true, do: func(d *Document, now time.Time) (string, error) {
		next := (&State{Document: with}).clone().Document
		for class, l := range next.Classes {
			if l == nil { // likewise
				continue
			}
			if err := l.succeed(path("classes."+string(class)), d.Classes[class], now); err != nil {
				return "", err
			}
		}
		*d = next
		return "", nil
	}}
}

// succeed takes over from the layer before what no document says.
func (l *Layer) succeed(at path, before *Layer, now time.Time) error {
	if before == nil {
		before = &Layer{}
	}
	for i := range l.Rollouts {
		r := &l.Rollouts[i]
		was := before.find(r.Name)
		if was == nil || was.Status != r.Status || was.Share != r.Share {
			r.Since, r.Reason = now, ""
		} else {
			r.Since, r.Reason = was.Since, was.Reason
		}
		if was == nil || !was.active() || !r.active() {
			continue
		}
		if r.Slice.From != was.Slice.From {
			return at.of("rollouts").index(i).of("slice.from").fail("cannot change while %s runs: its units would change arms", r.Name)
		}
		if l.Salt != before.Salt {
			return at.of("salt").fail("cannot change while %s runs: its units would change arms", r.Name)
		}
	}
	return nil
}
