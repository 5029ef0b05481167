package stream

import (
	"slices"
	"strings"
	"sync"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// Stream returns the assembly as the stream of its page, to be a part or an
// element of a larger one: a card of a grid. It fails when a required part does.
//
// Its parts are parts of the whole page, too: what several elements call by one
// name is one part there, which stands on the worst rung of those that have it,
// with a hole for each that does not, and is missing when none has it. So the
// stream itself stands on the rung "live".
func (a Assembly[P]) Stream() Stream[P] { return Stream[P]{&nested[P]{assembly: a}} }

type nested[P any] struct {
	assembly Assembly[P]

	mu     sync.Mutex
	done   bool
	answer answer[P]
}

func (n *nested[P]) begin(s *Scope, vital bool) {
	for _, p := range n.assembly.parts {
		if p.piece != nil {
			p.piece.begin(s, vital)
		}
	}
}

func (n *nested[P]) settle(s *Scope) error { return n.await(s).err }

// await waits without the lock, which others would wait for as if at work.
func (n *nested[P]) await(s *Scope) answer[P] {
	err := n.assembly.check()
	for i := 0; i < len(n.assembly.parts) && err == nil; i++ {
		err = n.assembly.parts[i].piece.settle(s)
	}
	if err != nil {
		return failed[P](err)
	}
	n.mu.Lock() // for as long as the setters take
	defer n.mu.Unlock()
	if !n.done {
		n.done = true
		n.answer = n.assembly.element(s)
	}
	return n.answer
}

// element makes the page of parts that are all there or given up, and tells the
// scope of them if there is a page.
func (a Assembly[P]) element(s *Scope) answer[P] {
	made := answer[P]{mark: report.Mark{Rung: report.Live}}
	var room [usual]report.Part
	parts := room[:0]
	for _, p := range a.parts {
		part := p.piece.place(s, &made.value)
		if part.Required && part.Err != nil {
			return failed[P](part.Err)
		}
		parts = append(parts, part)
		made.ready = max(made.ready, stamp(part.Took))
	}
	s.tell(parts)
	return made
}

// usual is how many parts an element has that needs no more memory for them.
const usual = 4

// nestedPart is what the elements of a page have told of a part.
type nestedPart struct {
	report.Part              // of the elements that have it
	having      int          // how many those are
	lacking     report.Holes // the others
}

// tell adds the parts of one element to those of the page.
func (s *Scope) tell(parts []report.Part) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range parts {
		s.tellOf(&parts[i])
	}
}

func (s *Scope) tellOf(p *report.Part) {
	i := slices.IndexFunc(s.nested, func(n nestedPart) bool { return n.Name == p.Name })
	if i < 0 {
		i = len(s.nested)
		s.nested = append(s.nested, nestedPart{Part: report.Part{Name: p.Name, Required: p.Required}})
	}
	s.nested[i].add(p)
}

func (n *nestedPart) add(p *report.Part) {
	n.Took = max(n.Took, p.Took)
	switch {
	case p.Err != nil:
		n.lacking = n.lacking.Join(report.Holes{Count: 1, Reason: p.Mark.Reason})
		if n.Err == nil {
			n.Err = p.Err
		}
		return
	case n.having == 0:
		n.Mark = p.Mark
	default:
		n.Mark = n.Mark.Join(p.Mark)
	}
	n.having++
	n.Holes = n.Holes.Join(p.Holes)
}

// part returns the record of the part of the page.
func (n *nestedPart) part() report.Part {
	p := n.Part
	if n.having == 0 {
		p.Mark = report.Mark{Rung: report.Missing, Reason: n.lacking.Reason}
		return p
	}
	p.Holes, p.Err = p.Holes.Join(n.lacking), nil
	return p
}

// finish ends the work of a page: what its elements told of parts, by name, comes
// after its own parts.
func (s *Scope) finish() {
	s.busy.Add(-1) // no batch leaves any more: all that anybody waits for is there
	s.mu.Lock()
	defer s.mu.Unlock()
	slices.SortFunc(s.nested, func(a, b nestedPart) int { return strings.Compare(a.Name, b.Name) })
	for i := range s.nested {
		p := s.nested[i].part()
		if slices.ContainsFunc(s.report.Parts, func(own report.Part) bool { return own.Name == p.Name }) {
			s.fail(fault.New(fault.Internal, "a part of the page and one of its elements are both called "+p.Name))
		}
		s.report.Parts = append(s.report.Parts, p)
	}
	s.nested = nil
}
