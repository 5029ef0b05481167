// Package storetest is what every store of rollouts has to keep to, as tests: of the
// state, of changes at once, of what watchers hear.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/rollout"
	"github.com/facet-gateway/facet/devices"
)

// Place is where a state is kept, at first none.
type Place struct {
	Open  func() rollout.Store // a store of it, one at a time
	Close func(rollout.Store)  // what Open returned
}

// Run tests the stores of places, each of which is new.
func Run(t *testing.T, place func(t *testing.T) Place) {
	t.Helper()
	for _, c := range []struct {
		name string
		test func(t *testing.T, p Place)
	}{
		{"there is nothing at first", nothing},
		{"a state comes back whole", whole},
		{"a change follows the one before", follows},
		{"of changes at once one is made", atOnce},
		{"watchers hear the newest, in order", ordered},
		{"a watch ends with its context", ends},
		{"what is too large is refused", tooLarge},
		{"replicas are told of", replicas},
		{"a closed store is away", closed},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, place(t)) })
	}
}

// Patience is how long a test waits for what must come.
const Patience = 20 * time.Second

// Until waits for something to hold.
func Until(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(Patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s", what)
		}
	}
}

// Watcher is what somebody was told.
type Watcher struct {
	mu     sync.Mutex
	states []*rollout.State
	there  []error // what was told of the store
	busy   atomic.Bool
	twice  atomic.Bool // it was told two things at once
	ended  chan error
	end    context.CancelFunc
}

// Watch watches a store until the test or End ends it.
func Watch(t testing.TB, s rollout.Store) *Watcher {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &Watcher{ended: make(chan error, 1), end: cancel}
	go func() {
		w.ended <- s.Watch(ctx, func(s *rollout.State) { w.hear(func() { w.states = append(w.states, s) }) },
			func(err error) { w.hear(func() { w.there = append(w.there, err) }) })
		close(w.ended)
	}()
	t.Cleanup(func() {
		if err := w.End(); err != nil {
			t.Errorf("the watch ended with %v", err)
		}
	})
	return w
}

func (w *Watcher) hear(what func()) {
	if !w.busy.CompareAndSwap(false, true) {
		w.twice.Store(true)
	}
	defer w.busy.Store(false)
	w.mu.Lock()
	defer w.mu.Unlock()
	what()
}

// End ends the watch, and returns what it returned; a second time nil.
func (w *Watcher) End() error {
	w.end()
	select {
	case err := <-w.ended:
		return err
	case <-time.After(Patience):
		return errors.New("it does not end")
	}
}

// Last returns the state that was told last, nil if none was.
func (w *Watcher) Last() *rollout.State {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.states) == 0 {
		return nil
	}
	return w.states[len(w.states)-1]
}

// Revisions returns those of the states that were told.
func (w *Watcher) Revisions() []uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]uint64, len(w.states))
	for i, s := range w.states {
		all[i] = s.Revision
	}
	return all
}

// Said returns all that was said of the store.
func (w *Watcher) Said() []error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.there)
}

// Is reports whether the last state is of a revision and the store is there.
func (w *Watcher) Is(revision uint64) bool {
	said, last := w.Said(), w.Last()
	return last != nil && last.Revision == revision && len(said) > 0 && said[len(said)-1] == nil
}

// Away returns why the store is away, nil if it is there or nothing was told.
func (w *Watcher) Away() error {
	if said := w.Said(); len(said) > 0 {
		return said[len(said)-1]
	}
	return nil
}

// At returns a state of a revision that tells it from others.
func At(revision uint64, by string) *rollout.State {
	at := time.Date(2026, 3, 4, 5, 6, 7, 8_000_000, time.UTC)
	return &rollout.State{
		Revision: revision,
		Document: rollout.Document{Classes: map[devices.Class]*rollout.Layer{"phone": {
			Salt: "salt", Control: "v1", Holdout: 10,
			Rollouts: []rollout.Rollout{{
				Name: "fresh", Candidate: "v2", Slice: rollout.Slice{From: 0, To: 50}, Share: 12.34, Status: rollout.Running,
				Rules: rollout.Rules{
					AppVersion: rollout.AppVersions{Min: "5.2", Below: "6"}, Countries: []string{"NL"}, Locales: []string{"nl"}, Allow: []string{"u-<1>"},
				},
				Plan: []rollout.Step{{Share: 1, Soak: rollout.Duration(10 * time.Minute)}, {Share: 50}}, Automatic: true,
				Guard:  &rollout.Guard{MinSamples: 100, Alpha: 0.01, Errors: 1, Degraded: 2, Panics: 3, P50: 10, P99: 20, Bytes: 30, Hold: true},
				Shadow: &rollout.Shadow{Sample: 10, Ignore: []string{"/a/*"}, Unordered: []string{"/b"}},
				Since:  at, Reason: "because",
			}},
			Quarantine: map[string]rollout.Quarantine{"v3": {At: at, By: "r-1", Reason: "it panicked"}},
		}}},
		History: []rollout.Event{{Revision: revision, At: at, By: by, What: "start", Class: "phone", Rollout: "fresh", Detail: "1 %"}},
	}
}

func swap(t testing.TB, s rollout.Store, next *rollout.State) {
	t.Helper()
	if err := s.Swap(t.Context(), next); err != nil {
		t.Fatalf("revision %d: %v", next.Revision, err)
	}
}

func open(t *testing.T, p Place) rollout.Store {
	t.Helper()
	s := p.Open()
	t.Cleanup(func() { p.Close(s) })
	return s
}

func nothing(t *testing.T, p Place) {
	s := open(t, p)
	w := Watch(t, s)
	Until(t, "it is told that there is nothing", func() bool { return w.Is(0) })
	if !cmp.Equal(w.Last(), &rollout.State{}) {
		t.Errorf("%+v", w.Last())
	}
	if all, err := s.Replicas(t.Context()); len(all) != 0 || err != nil {
		t.Errorf("%v, %v", all, err)
	}
}

func whole(t *testing.T, p Place) {
	s := p.Open()
	for revision := range uint64(3) {
		swap(t, s, At(revision+1, "ada"))
	}
	p.Close(s)
	w := Watch(t, open(t, p))
	Until(t, "it is told again", func() bool { return w.Is(3) })
	if diff := cmp.Diff(At(3, "ada"), w.Last()); diff != "" {
		t.Error(diff)
	}
}

func follows(t *testing.T, p Place) {
	s := open(t, p)
	w := Watch(t, s)
	for _, revision := range []uint64{0, 2, 7} {
		if err := s.Swap(t.Context(), At(revision, "eve")); !errors.Is(err, rollout.ErrConflict) {
			t.Errorf("revision %d first: %v", revision, err)
		}
	}
	swap(t, s, At(1, "ada"))
	swap(t, s, At(2, "ada"))
	for _, revision := range []uint64{0, 1, 2, 4} {
		if err := s.Swap(t.Context(), At(revision, "eve")); !errors.Is(err, rollout.ErrConflict) {
			t.Errorf("revision %d after 2: %v", revision, err)
		}
	}
	Until(t, "revision 2 is told", func() bool { return w.Is(2) })
	if by := w.Last().History[0].By; by != "ada" {
		t.Errorf("a change of %s was made", by)
	}
}

func atOnce(t *testing.T, p Place) {
	s := open(t, p)
	w := Watch(t, s)
	for revision := range uint64(5) {
		AtOnce(t, []rollout.Store{s}, revision+1)
	}
	Until(t, "the last is told", func() bool { return w.Is(5) })
}

// AtOnce has stores make twenty changes to a revision at once, of which one is made,
// and returns whose; "" if that is the one of a store that had no answer in time, as
// happens where the disk is busy.
func AtOnce(t testing.TB, stores []rollout.Store, revision uint64) string {
	t.Helper()
	const many = 20
	errs := make([]error, many)
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range errs {
		all.Go(func() {
			<-start
			errs[i] = stores[i%len(stores)].Swap(context.Background(), At(revision, fmt.Sprint("writer ", i)))
		})
	}
	close(start)
	all.Wait()
	winner, late := "", 0
	for i, err := range errs {
		switch {
		case err == nil && winner == "":
			winner = fmt.Sprint("writer ", i)
		case err == nil:
			t.Errorf("revision %d: writer %d won, too", revision, i)
		case errors.Is(err, rollout.ErrDoubt) || errors.Is(err, rollout.ErrAway):
			t.Logf("revision %d: writer %d: %v", revision, i, err)
			late++
		case !errors.Is(err, rollout.ErrConflict):
			t.Errorf("revision %d: writer %d: %v", revision, i, err)
		}
	}
	if winner == "" && late == 0 {
		t.Errorf("revision %d: nobody won", revision)
	}
	return winner
}

func ordered(t *testing.T, p Place) {
	s := open(t, p)
	watchers := []*Watcher{Watch(t, s), Watch(t, s)}
	const last = 30
	for revision := range uint64(last) {
		swap(t, s, At(revision+1, "ada"))
		if revision == last/2 {
			watchers = append(watchers, Watch(t, s))
		}
	}
	for i, w := range watchers {
		Until(t, "the last is told", func() bool { return w.Is(last) })
		revisions := w.Revisions()
		if !slices.IsSorted(revisions) || len(slices.Compact(revisions)) != len(w.Revisions()) {
			t.Errorf("watcher %d heard %v", i, w.Revisions())
		}
		if w.twice.Load() {
			t.Errorf("watcher %d was told two things at once", i)
		}
	}
}

func ends(t *testing.T, p Place) {
	s := open(t, p)
	w, other := Watch(t, s), Watch(t, s)
	Until(t, "both are told", func() bool { return w.Is(0) && other.Is(0) })
	if err := w.End(); err != nil {
		t.Error(err)
	}
	swap(t, s, At(1, "ada"))
	Until(t, "the other is told", func() bool { return other.Is(1) })
	if !w.Is(0) {
		t.Errorf("one that has ended heard %v", w.Revisions())
	}
}

func tooLarge(t *testing.T, p Place) {
	s := open(t, p)
	w := Watch(t, s)
	swap(t, s, At(1, "ada"))
	large := At(2, strings.Repeat("x", 9<<20))
	if err := s.Swap(t.Context(), large); fault.CodeOf(err) != fault.TooLarge {
		t.Errorf("%v", err)
	}
	swap(t, s, At(2, "ada"))
	Until(t, "the next is told", func() bool { return w.Is(2) })
}

func replicas(t *testing.T, p Place) {
	s := open(t, p)
	r := rollout.Replica{ID: "r-1", Revision: 3, At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Observed: []byte(`{"a":[1,2]}`)}
	if err := s.Report(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	r.Revision = 4
	Until(t, "the last report is there", func() bool {
		if err := s.Report(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		all, err := s.Replicas(t.Context())
		return err == nil && cmp.Equal(all, []rollout.Replica{r})
	})
}

func closed(t *testing.T, p Place) {
	s := p.Open()
	swap(t, s, At(1, "ada"))
	ended := make(chan error, 1)
	told := make(chan struct{}, 1)
	go func() {
		ended <- s.Watch(t.Context(), func(*rollout.State) { told <- struct{}{} }, func(error) {})
	}()
	<-told
	p.Close(s)
	p.Close(s)
	select {
	case err := <-ended:
		if err == nil {
			t.Error("the watch does not say that the store is closed")
		}
	case <-time.After(Patience):
		t.Error("the watch goes on")
	}
	if err := s.Swap(t.Context(), At(2, "ada")); !errors.Is(err, rollout.ErrAway) {
		t.Errorf("%v", err)
	}
	w := Watch(t, open(t, p))
	Until(t, "it is there again", func() bool { return w.Is(1) })
}
