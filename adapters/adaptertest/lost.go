package adaptertest

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// subset is a set of the services that a page asks; bit i stands for the i-th.
type subset uint

func (s subset) has(i int) bool { return s&(1<<i) != 0 }

func (s subset) size() int { return bits.OnesCount(uint(s)) }

// ones yields the subsets of one.
func (s subset) ones(yield func(subset) bool) {
	for rest := s; rest != 0; rest &= rest - 1 {
		if !yield(rest & -rest) {
			return
		}
	}
}

// lattice is what becomes of a page under every subset of lost services.
type lattice struct {
	stage     *stage
	services  []string
	required  subset
	replacing subset    // those that something stands in for
	outcomes  []outcome // by subset
	trees     []any     // of the outcomes
	keys      []string  // of the trees
	faults    findings
}

// lost runs every subset once, and holds each to what the losses of its members
// do by themselves.
func (s *stage) lost(t reporter) error {
	whole, err := s.healthy()
	if err != nil {
		return err
	}
	l := &lattice{stage: s, services: whole.services()}
	l.outcomes = []outcome{whole}
	for lost := subset(1); int(lost) < 1<<len(l.services); lost++ {
		if err := s.lose(l.names(lost)...); err != nil {
			return err
		}
		l.outcomes = append(l.outcomes, s.show(s.request()))
	}
	l.judge()
	t.Logf("%d combinations of %s", len(l.outcomes), strings.Join(l.services, ", "))
	return l.faults.err()
}

func (l *lattice) judge() {
	for i := range l.outcomes {
		l.trees = append(l.trees, l.outcomes[i].tree())
	}
	l.keys = slices.Sorted(slices.Values(keysOf(l.trees)))
	for i, name := range l.services {
		l.classify(name, 1<<i)
	}
	for _, name := range l.stage.spec.Required {
		if !slices.Contains(l.services, name) {
			l.faults.add("Page.Required has %s, which the page does not ask; it asks %s", name, strings.Join(l.services, ", "))
		}
	}
	for lost := range l.outcomes {
		l.check(subset(lost))
	}
}

// names are those of the services in a subset.
func (l *lattice) names(lost subset) []string {
	var names []string
	for i, name := range l.services {
		if lost.has(i) {
			names = append(names, name)
		}
	}
	return names
}

// classify finds what a service is to the page, and whether that was said of it.
func (l *lattice) classify(name string, one subset) {
	alone := &l.outcomes[one]
	if alone.err != nil {
		l.required |= one
	}
	switch required := slices.Contains(l.stage.spec.Required, name); {
	case required && alone.err == nil:
		l.faults.add("without %s there is a page: Page.Required must not have it", name)
	case !required && alone.err != nil:
		l.faults.add("without %s there is no page: Page.Required lacks it, or its part is not optional: %v", name, alone.err)
	case !required:
		l.checkTold(name, alone)
	}
	if standsIn(alone) && !standsIn(&l.outcomes[0]) {
		l.replacing |= one
	}
}

func standsIn(o *outcome) bool {
	return slices.ContainsFunc(o.parts, func(p report.Part) bool { return p.Mark.Rung == report.Default })
}

// checkTold holds Facet-Parts to tell of a service that alone is lost: in some part,
// and in the one that is called like the service, if there is one.
func (l *lattice) checkTold(name string, alone *outcome) {
	whole := &l.outcomes[0]
	if alone.told == whole.told {
		l.faults.add("without %s Facet-Parts tells nothing of it: %q", name, alone.told)
		return
	}
	namesake := slices.ContainsFunc(whole.parts, func(p report.Part) bool { return p.Name == name })
	if namesake && alone.named()[name] == whole.named()[name] {
		l.faults.add("without %s the part %s does not tell so; Facet-Parts is %q", name, name, alone.told)
	}
}

// check holds the outcome of a subset to what must be.
func (l *lattice) check(lost subset) {
	o := &l.outcomes[lost]
	where := "without " + strings.Join(l.names(lost), ", ")
	for _, name := range o.services() {
		if !slices.Contains(l.services, name) {
			l.faults.add("%s: %s is asked, too", where, name)
		}
	}
	switch {
	case lost&l.required != 0:
		l.checkProblem(where, o)
	case o.err != nil:
		l.faults.add("%s: there is no page: %v", where, o.err)
	default:
		l.checkPage(where, lost)
	}
}

func (l *lattice) checkProblem(where string, o *outcome) {
	if code := fault.CodeOf(o.err); code != fault.Unavailable || o.body != "" {
		l.faults.add("%s: the problem is %v (%v) and the body has %d bytes; want %v and none", where, code, o.err, len(o.body), fault.Unavailable)
	}
}

func (l *lattice) checkPage(where string, lost subset) {
	o := &l.outcomes[lost]
	if err := valid(o.body, l.stage.endpoint.Page); err != nil {
		l.faults.add("%s: %v", where, err)
		return
	}
	for _, path := range l.compare(lost) {
		l.faults.add("%s: %s is neither as it was nor as the loss of one of them makes it", where, path)
	}
}

// findings are what a proof found; there may be one for each combination.
type findings struct{ texts []string }

// shown is how many findings are told: the first few say it all.
const shown = 8

func (f *findings) add(format string, args ...any) {
	f.texts = append(f.texts, fmt.Sprintf(format, args...))
}

func (f *findings) err() error {
	if len(f.texts) == 0 {
		return nil
	}
	text := strings.Join(f.texts[:min(shown, len(f.texts))], "\n")
	if more := len(f.texts) - shown; more > 0 {
		text += fmt.Sprintf("\nand %d more", more)
	}
	return errors.New(text)
}
