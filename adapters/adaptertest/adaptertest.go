// Package adaptertest proves the pages of an adapter, in a few lines beside them:
// that they are as their golden files have them, what becomes of them under every
// combination of lost services, that they change nothing they are given, and that
// they keep to a budget. [Prove] says what is held to what.
//
// The services are the simulated ones, really listening, and their circuits never
// open. A page of seven services has 2^7 combinations, which take 50 ms; half a second
// with the race detector, and once in a process three more to compile decoders.
//
// It is for tests only. The golden files lie in testdata beside the test; the
// flag -update writes them anew.
package adaptertest

import (
	"errors"
	"flag"
	"fmt"
	"testing"
	"time"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/leaktest"
	"github.com/facet-gateway/facet/devices"
)

// Page is a page to prove, as one user sees it.
type Page struct {
	Version  []Maker          // the version that has the page; those it builds on follow it
	Path     string           // such as /productdetails
	Query    string           // of the request
	User     string           // who asks; "": anybody
	Device   *devices.Profile // nil: the standard screen of the version's class
	Required []string         // services without which, and without a remembered answer, there is no page
	Cases    []Case           // to have golden files, too

	Time  time.Duration // of the healthy page, from its services answering at once; > 0
	Bytes int           // of the healthy page's body; > 0
}

// Maker makes a version, as the New of its package does.
type Maker func(*services.Services) (*adapter.Version, error)

// Case is a request whose answer has a golden file of its own.
type Case struct {
	Name  string   // of the file, after the page's
	Query string   // "": the page's
	User  string   // "": the page's
	Lost  []string // services that refuse
}

// Without returns the cases in which one of the services is lost.
func Without(services ...string) []Case {
	var all []Case
	for _, name := range services {
		all = append(all, Case{Name: "without-" + name, Lost: []string{name}})
	}
	return all
}

// T is what a proof needs of a test: *testing.T is one.
type T[Self any] interface {
	reporter
	Run(name string, f func(Self)) bool
}

// reporter is what one sub-test needs.
type reporter interface {
	Errorf(format string, args ...any)
	Logf(format string, args ...any)
}

// Prove runs a sub-test for each thing that is held of every page:
//
//   - golden: the page, its Facet-Parts and the number of its calls are as testdata has
//     them, and so are the page for anybody and the cases.
//   - lost: with every subset of the services that the page asks refusing, and nothing
//     remembered, there is a 503 if a required one is among them. Else there is a page
//     of its type, its Facet-Parts tell of each lost service, and it differs from the
//     healthy one in nothing but what the loss of one of them changes by itself.
//     Nobody else is asked.
//   - stale: once the page has been seen, it is the same without a required service,
//     whose parts say that they are stale.
//   - pure: no function of the page changes what it is given, up to the capacity of its
//     slices; a page of remembered answers is the same each time, and nothing that was
//     asked before, or by whom, shows in it.
//   - parts: sent while it grows, with any of its services later than the others, it is
//     of its type all the time and becomes the same page.
//   - budgets: the best of some runs takes at most Time, so that a busy machine does
//     not fail it, and the body has at most Bytes.
func Prove[Self T[Self]](t Self, p Page) {
	s, err := newStage(p)
	if err != nil {
		t.Errorf("adaptertest: %v", err)
		return
	}
	defer s.close()
	t.Run("golden", func(t Self) { s.prove(t, s.golden) })
	t.Run("lost", func(t Self) { s.prove(t, s.lost) })
	t.Run("stale", func(t Self) { s.prove(t, s.stale) })
	t.Run("pure", func(t Self) { s.prove(t, s.pure) })
	t.Run("parts", func(t Self) { s.prove(t, s.parts) })
	t.Run("budgets", func(t Self) { s.prove(t, s.budgets) })
}

// check says which field is not as it has to be.
func (p *Page) check() error {
	switch {
	case len(p.Version) == 0:
		return errors.New("Page.Version is empty: it takes the New of the version, and of those it builds on")
	case p.Path == "":
		return errors.New("Page.Path is empty: it takes the path of the page, such as /home")
	case p.Time <= 0:
		return errors.New("Page.Time is not set: it takes how long the healthy page may take")
	case p.Bytes <= 0:
		return errors.New("Page.Bytes is not set: it takes how long the healthy page's body may be")
	}
	for i, c := range p.Cases {
		if c.Name == "" {
			return fmt.Errorf("Page.Cases[%d].Name is empty: it is a part of the golden file's name", i)
		}
	}
	return nil
}

// Main is the TestMain of a package with proofs: it knows the flag -update, and
// fails when a goroutine or a descriptor is left in the end.
func Main(m *testing.M) {
	if flag.Lookup("update") == nil {
		flag.Bool("update", false, "write the golden pages anew")
	}
	leaktest.Main(m, leaktest.Circuits()...)
}

func updating() bool {
	update := flag.Lookup("update")
	return update != nil && update.Value.String() == "true"
}
