package adaptertest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/stream"
)

// pure watches the page: with every answer there, with each lost, and with all of
// them remembered. Then it asks whether one request shows in another.
func (s *stage) pure(t reporter) error {
	whole, err := s.healthy()
	if err != nil {
		return err
	}
	eyes := &witness{}
	losses := [][]string{nil}
	for _, name := range whole.services() {
		losses = append(losses, []string{name})
	}
	for _, names := range losses {
		if err := s.lose(names...); err != nil {
			return err
		}
		s.watched(s.request(), eyes.watch)
		eyes.lookAgain()
	}
	t.Logf("%d values given to functions of the page", len(eyes.sights))
	return errors.Join(eyes.faults(), s.lose(), s.remembered(whole), s.apart())
}

// remembered runs the page on remembered answers, which are the very ones that the
// next request gets.
func (s *stage) remembered(whole outcome) error {
	if err := s.remember(command.Cache{Fresh: memory}); err != nil {
		return err
	}
	const runs = 3 // the first fills the memory
	eyes := &witness{}
	for range runs {
		o := s.watched(s.request(), eyes.watch)
		eyes.lookAgain() // at what earlier runs were given, too
		if o.err != nil || o.body != whole.body {
			eyes.found.add("of remembered answers it is another page: %v%s", o.err, diff(whole.body, o.body))
			break
		}
	}
	return errors.Join(eyes.faults(), s.remember(command.Cache{}))
}

// apart holds the page of anybody, after all that was asked, to what it was before.
func (s *stage) apart() error {
	want, got := s.first, s.show(s.anybody())
	was, is := fault.CodeOf(want.err), fault.CodeOf(got.err)
	if was != is || want.told != got.told || want.body != got.body {
		return fmt.Errorf("the page of anybody shows what was asked before: %v with the parts %q, which was %v with %q%s",
			is, got.told, was, want.told, diff(want.body, got.body))
	}
	return nil
}

func diff(want, got string) string {
	if want == got {
		return ""
	}
	return " (-want +got)\n" + cmp.Diff(want, got)
}

// witness remembers each value that a function of the page is given, and what it
// looked like. It is a [stream.Watcher].
type witness struct {
	mu     sync.Mutex
	sights []sight
	found  findings
	blamed map[string]bool
}

type sight struct {
	where  string
	value  any
	before picture
}

var _ stream.Watcher = (*witness)(nil).watch

func (w *witness) watch(where string, value any) (after func()) {
	seen := sight{where, value, pictureOf(value)}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sights = append(w.sights, seen)
	return func() { w.compare(seen, "changes what it is given") }
}

// lookAgain compares all that was seen, once the page is made: a function may have
// put it where another one changes it.
func (w *witness) lookAgain() {
	for _, seen := range w.sights {
		w.compare(seen, "lets what it is given be changed later")
	}
}

// compare blames a function once.
func (w *witness) compare(seen sight, what string) {
	change := seen.before.change(pictureOf(seen.value))
	w.mu.Lock()
	defer w.mu.Unlock()
	if change == "" || w.blamed[seen.where] {
		return
	}
	if w.blamed == nil {
		w.blamed = map[string]bool{}
	}
	w.blamed[seen.where] = true
	w.found.add("%s %s: %s", seen.where, what, change)
}

func (w *witness) faults() error { return w.found.err() }
