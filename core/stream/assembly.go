package stream

import (
	"context"
	"slices"
	"time"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// Assembly is a page of type P to come: parts, each with the stream of its
// value and the place it has in the page.
type Assembly[P any] struct{ parts []Part[P] }

// Assemble returns the page made of the parts. Their names differ.
func Assemble[P any](parts ...Part[P]) Assembly[P] { return Assembly[P]{parts} }

// Part is one named part of a page of type P.
type Part[P any] struct{ piece piece[P] }

// piece is a part whose value's type is forgotten.
type piece[P any] interface {
	title() string
	// begin begins the stream; the failure of a required part ends the request
	// if vital says so.
	begin(s *Scope, vital bool)
	// settle waits for the value, and returns why a required one is not there.
	settle(s *Scope) error
	// answered waits for the value, and returns the part with it. It may run on any
	// goroutine; the failure of a required part ends the request.
	answered(s *Scope) piece[P]
	vital() bool
	// place waits for the value and gives it its place in the page.
	place(s *Scope, page *P) report.Part
}

// Required returns a part without which there is no page: when its stream
// fails, the page fails at once with the same code, and all other calls end.
// set gives the value its place; it must not change the value. Name matches
// [a-z][a-z0-9_]*.
func Required[P, T any](name string, s Stream[T], set func(page *P, value T)) Part[P] {
	return Part[P]{&part[P, T]{name: name, required: true, stream: s, set: set}}
}

// Optional returns a part that the page can do without: when its stream fails,
// set is not called and the part is named as missing, with the reason.
func Optional[P, T any](name string, s Stream[T], set func(page *P, value T)) Part[P] {
	return Part[P]{&part[P, T]{name: name, stream: s, set: set}}
}

type part[P, T any] struct {
	name     string
	required bool
	stream   Stream[T]
	set      func(*P, T)
}

func (p *part[P, T]) title() string { return p.name }

func (p *part[P, T]) begin(s *Scope, vital bool) { p.stream.begin(s, vital && p.required) }

func (p *part[P, T]) settle(s *Scope) error {
	if err := p.stream.settle(s); p.required {
		return err
	}
	return nil
}

func (p *part[P, T]) vital() bool { return p.required }

func (p *part[P, T]) answered(s *Scope) piece[P] {
	known := *p
	known.stream = Stream[T]{constant[T]{p.await(s)}}
	return &known
}

// await waits for the value; a panic of what makes it is an error.
func (p *part[P, T]) await(s *Scope) (a answer[T]) {
	defer func() {
		if v := recover(); v != nil {
			a = failed[T](Panicked(v))
		}
		if a.err != nil && p.required {
			s.fail(a.err)
		}
	}()
	return p.stream.await(s)
}

func (p *part[P, T]) place(s *Scope, page *P) report.Part {
	a := p.stream.await(s)
	if a.err == nil && s.failed() == nil {
		a.err = p.apply(s, page, a.value)
	}
	if a.err != nil {
		a.mark, a.holes = report.Mark{Rung: report.Missing, Reason: fault.ReasonOf(a.err)}, report.Holes{}
	}
	return report.Part{Name: p.name, Required: p.required, Mark: a.mark, Holes: a.holes, Took: time.Duration(a.ready), Err: a.err}
}

// apply sets the value. A setter that panics leaves the page's own fields as
// they were before it ran.
func (p *part[P, T]) apply(s *Scope, page *P, value T) (err error) {
	before := *page
	defer func() {
		if v := recover(); v != nil {
			*page, err = before, Panicked(v)
		}
	}()
	if s.watcher != nil {
		defer s.watcher(p.name, value)()
	}
	p.set(page, value)
	return nil
}

// Run runs every stream of the page and returns the page, or the error of the
// required part that failed first. Setters run on the caller's goroutine, in
// declared order. The parts are recorded in the report of the scope that ctx
// carries (see [Open]); without one, in none.
func (a Assembly[P]) Run(ctx context.Context) (P, error) {
	return a.in(ctx, func(s *Scope) (P, error) { return a.run(s, nil) })
}

// in runs the page in the scope that ctx carries, or in one of its own.
func (a Assembly[P]) in(ctx context.Context, run func(*Scope) (P, error)) (P, error) {
	s := scopeOf(ctx)
	if s == nil {
		_, s = Open(ctx, report.New("", report.Trace{}))
		defer s.Close()
	}
	if err := a.check(); err != nil {
		var none P
		return none, err
	}
	return run(s)
}

func (a Assembly[P]) run(s *Scope, grown func(P)) (page P, err error) {
	s.atWork(1)
	for _, p := range a.parts {
		p.piece.begin(s, true)
	}
	if grown != nil {
		a = a.grow(s, grown)
	}
	s.report.Parts = slices.Grow(s.report.Parts, len(a.parts))
	for _, p := range a.parts { // all of them, also when one has failed: the log tells of each
		done := p.piece.place(s, &page)
		s.report.Parts = append(s.report.Parts, done)
		if done.Required && done.Err != nil {
			s.fail(done.Err)
		}
	}
	s.finish()
	if err = s.failed(); err != nil {
		var none P
		return none, err
	}
	return page, nil
}

// check finds what a device team may get wrong: a part without a name that can
// stand in a header, or two parts of one name.
func (a Assembly[P]) check() error {
	for i, p := range a.parts {
		if p.piece == nil || !validName(p.piece.title()) {
			return fault.New(fault.Internal, "a part's name must match [a-z][a-z0-9_]*")
		}
		for _, other := range a.parts[:i] {
			if other.piece.title() == p.piece.title() {
				return fault.New(fault.Internal, "two parts of the page are called "+p.piece.title())
			}
		}
	}
	return nil
}

func validName(name string) bool {
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return name != ""
}
