// Package fleet is what the replicas of a gateway do about rollouts together. Each
// follows the state in a store, counts what its requests came to, tells the others
// once a second, and reads what they tell. Any of them judges the sum, and changes
// the state by compare-and-swap: whichever is first has done it for all.
//
// The automatic hand may hold a rollout, abort it, or take a version out. It makes a
// share larger only as a plan says that a person wrote, when the step has had its
// time and, with a guard, enough requests of both arms.
//
// When the store is away, everything goes on with the last known state; changes are
// refused. A version that must be taken out then is taken out here at once, and
// everywhere as soon as the store is back.
package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/core/stream"
)

// Options is what a fleet needs. All is required but Now.
type Options struct {
	Known   rollout.Catalogue
	Headers rollout.Headers
	Replica string       // the id of this one
	Defects DefectLimits // beyond which a version is taken out
	Log     *slog.Logger
	Now     func() time.Time // nil: time.Now
}

// Fleet is one replica's part of it. Safe for concurrent use.
type Fleet struct {
	Options
	store  rollout.Store
	plan   atomic.Pointer[rollout.Plan]
	meters atomic.Pointer[meters]

	suspects suspects

	heard func()        // once it has heard of its store
	first chan struct{} // closed then

	mu      sync.Mutex
	state   *rollout.State
	watched uint64        // the revision that the store has told last
	news    chan struct{} // closed when the state changes
	away    error         // why the store is not there; nil: it is
	deaf    error         // why it took no report; nil: it did
	looked  bool          // it has been heard whether it is
	lacks   []string      // versions that the state gives to somebody, but this build has not
	others  []rollout.Replica
	found   map[armKey]judgement // of each active rollout
	ownOuts []confinement        // that the store has not got yet
}

// New returns a fleet that knows of no rollout yet; Join gives it a store, which Run
// follows.
func New(o Options) *Fleet {
	if o.Now == nil {
		o.Now = time.Now
	}
	f := &Fleet{Options: o, news: make(chan struct{}), away: rollout.ErrAway, first: make(chan struct{})}
	f.others = []rollout.Replica{{ID: o.Replica, At: o.Now().UTC()}}
	f.heard = sync.OnceFunc(func() { close(f.first) })
	f.meters.Store(&meters{})
	f.suspects.limits = o.Defects
	f.force(&rollout.State{})
	return f
}

// Join gives the fleet its store, before anything is changed and before Run.
func (f *Fleet) Join(store rollout.Store) { f.store = store }

// Await waits until Run has heard of its store: a state, or that it is away. Who does not
// wait assigns by nothing until then. It ends with ctx, too.
func (f *Fleet) Await(ctx context.Context) {
	select {
	case <-f.first:
	case <-ctx.Done():
	}
}

// Plan is what requests are assigned by now, never nil. It costs one atomic load.
func (f *Fleet) Plan() *rollout.Plan { return f.plan.Load() }

// State returns the state in force. Nobody changes it.
func (f *Fleet) State() *rollout.State {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state
}

// watch puts in force what the store tells: also an older state than the last that it
// has told, because it was itself set back.
func (f *Fleet) watch(s *rollout.State) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.Revision < f.watched {
		f.Log.Warn("the store of rollouts was set back", "from", f.watched, "to", s.Revision)
		f.force(s)
	} else if s.Revision > f.state.Revision {
		f.force(s)
	}
	f.watched = s.Revision
	f.heard()
}

// accept puts a state in force that this replica has made, unless a newer one is.
func (f *Fleet) accept(s *rollout.State) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.Revision > f.state.Revision {
		f.force(s)
	}
}

// force puts a state in force. The caller holds the lock.
func (f *Fleet) force(s *rollout.State) {
	f.state = s
	f.ownOuts = pending(f.ownOuts, s)
	f.enforce()
	f.lack(f.Known.Lacks(&s.Document))
	close(f.news)
	f.news = make(chan struct{})
}

// lack takes down, and tells, which versions this build has not. The caller holds the
// lock.
func (f *Fleet) lack(versions []string) {
	if len(versions) > 0 && !slices.Equal(versions, f.lacks) {
		f.Log.Warn("this build lacks versions of the rollouts: control answers instead", "versions", versions, "revision", f.state.Revision)
	}
	f.lacks = versions
}

// enforce makes the plan of the state, and of what this replica has taken out. The
// caller holds the lock.
func (f *Fleet) enforce() {
	s := f.state
	for _, out := range f.ownOuts {
		if next, err := s.Apply(rollout.Confine(out.class, out.version, out.why), f.Replica, f.Now(), f.Known); err == nil {
			next.Revision = s.Revision
			s = next
		}
	}
	f.plan.Store(rollout.NewPlan(s, f.Known, f.Headers))
	next := newMeters(s, *f.meters.Load())
	f.meters.Store(&next)
}

// available takes down whether the store is there.
func (f *Fleet) available(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case err != nil && (f.away == nil || !f.looked):
		f.Log.Warn("the store of rollouts is away: the last known state holds", "revision", f.state.Revision, "error", err.Error())
	case err == nil && f.away != nil:
		f.Log.Info("the store of rollouts is there", "revision", f.state.Revision)
	}
	f.away, f.looked = err, true
	if err != nil {
		f.heard()
	}
}

// tick is how often a replica tells the others, and judges.
const tick = time.Second

// Run follows the store, tells the other replicas, judges and advances, until ctx ends.
func (f *Fleet) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		defer cancel()
		defer func() {
			if v := recover(); v != nil {
				ended <- stream.Panicked(v)
			}
		}()
		ended <- f.store.Watch(ctx, f.watch, f.available)
	}()
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		_, news := f.current()
		select {
		case <-ctx.Done():
			if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
				return fmt.Errorf("follow the store of rollouts: %w", err)
			}
			return nil
		case <-news:
			f.report(ctx)
		case <-ticker.C:
			f.turn(ctx)
		}
	}
}

// turn is what a replica does once a second.
func (f *Fleet) turn(ctx context.Context) {
	defer func() {
		if v := recover(); v != nil {
			f.Log.Error("rollouts were not looked after: a defect", "error", stream.Panicked(v).Error())
		}
	}()
	f.report(ctx)
	f.confineAll(ctx)
	f.judgeAll(ctx)
}

// tries is how often a change is tried that others are ahead of.
const tries = 10

// Apply makes a change in somebody's name, and returns the state that it made. It
// fails with a [fault.Error]: Conflict when it cannot be, Unavailable when the store
// is away. A change that others are ahead of is made upon theirs.
//
// What this replica has taken out by itself, and the store has not heard of, goes first:
// no change is made upon a state that is over.
func (f *Fleet) Apply(ctx context.Context, c rollout.Change, by string) (*rollout.State, error) {
	f.confineAll(ctx)
	return f.apply(ctx, c, by)
}

func (f *Fleet) apply(ctx context.Context, c rollout.Change, by string) (*rollout.State, error) {
	for range tries {
		s, news := f.current()
		next, err := f.swap(ctx, s, c, by)
		if !errors.Is(err, rollout.ErrConflict) {
			return next, err
		}
		if err := wait(ctx, news); err != nil {
			return nil, err
		}
	}
	return nil, fault.New(fault.Conflict, "others change the rollouts all the time")
}

// Replace puts a document in the place of the one of a revision. If another is in
// force meanwhile, it fails with code Conflict.
func (f *Fleet) Replace(ctx context.Context, d rollout.Document, revision uint64, by string) (*rollout.State, error) {
	s, _ := f.current()
	if s.Revision != revision {
		return nil, stale(s.Revision)
	}
	next, err := f.swap(ctx, s, rollout.Replace(d), by)
	if errors.Is(err, rollout.ErrConflict) {
		return nil, stale(0)
	}
	return next, err
}

func stale(now uint64) error {
	detail := "the document is not of the revision in force"
	if now > 0 {
		detail += fmt.Sprintf(", which is %d", now)
	}
	return &fault.Error{Code: fault.Conflict, Field: "If-Match", Detail: detail}
}

func (f *Fleet) current() (*rollout.State, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state, f.news
}

// swap makes a change of a state.
func (f *Fleet) swap(ctx context.Context, s *rollout.State, c rollout.Change, by string) (*rollout.State, error) {
	next, err := s.Apply(c, by, f.Now(), f.Known)
	if err != nil {
		return nil, err
	}
	err = f.store.Swap(ctx, next)
	for fault.CodeOf(err) == fault.TooLarge && len(next.History) > 1 { // what is decided now matters more than what was
		next.History = next.History[(len(next.History)+1)/2:]
		err = f.store.Swap(ctx, next)
	}
	switch {
	case errors.Is(err, rollout.ErrConflict):
		return nil, rollout.ErrConflict
	case fault.CodeOf(err) == fault.TooLarge:
		return nil, err //nolint:wrapcheck // it says what is too large
	case errors.Is(err, rollout.ErrDoubt):
		return nil, &fault.Error{Code: fault.Unavailable, Detail: err.Error(), Cause: err}
	case err != nil:
		return nil, &fault.Error{Code: fault.Unavailable, Detail: err.Error(), Cause: err}
	}
	f.accept(next)
	f.Log.Info("rollouts changed", "what", c.What, "by", by, "revision", next.Revision,
		"class", string(c.Class), "rollout", c.Rollout, "detail", next.History[len(next.History)-1].Detail)
	return next, nil
}

// patience is how long a change waits for the state that was ahead of it.
const patience = 2 * time.Second

func wait(ctx context.Context, news <-chan struct{}) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-news:
		return nil
	case <-ctx.Done():
		return fault.Because(fault.ReasonTimeout, ctx.Err())
	case <-timer.C:
		return &fault.Error{Code: fault.Unavailable, Detail: "another change came first, and is not known here yet"}
	}
}
