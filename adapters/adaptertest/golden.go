package adaptertest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/core/fault"
)

const (
	folder     = "testdata"
	folderMode = 0o755
	fileMode   = 0o644
)

// record is what a golden file holds.
type record struct {
	Calls   map[string]int  `json:"calls,omitempty"` // by command; of pages that lack no service
	Parts   string          `json:"facet_parts,omitempty"`
	Page    json.RawMessage `json:"page,omitempty"`
	Problem *problem        `json:"problem,omitempty"`
}

// problem is what a client is told instead of a page.
type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Field  string `json:"field,omitempty"`
}

// golden holds the page, that of anybody, and the cases to their files.
func (s *stage) golden(t reporter) error {
	whole, err := s.healthy()
	if err != nil {
		return err
	}
	files := []string{s.file("")}
	errs := []error{hold(files[0], whole, true)}
	if s.spec.User != "" {
		files = append(files, s.file("anonymous"))
		errs = append(errs, hold(files[1], s.show(s.anybody()), true))
	}
	for _, c := range s.spec.Cases {
		file := s.file(c.Name)
		if slices.Contains(files, file) {
			errs = append(errs, fmt.Errorf("two cases are called %s", c.Name))
			continue
		}
		files = append(files, file)
		errs = append(errs, s.holdCase(file, c))
	}
	t.Logf("%d golden files", len(files))
	return errors.Join(append(errs, s.orphans(files))...)
}

func (s *stage) holdCase(file string, c Case) error {
	if err := s.lose(c.Lost...); err != nil {
		return err
	}
	return hold(file, s.show(s.of(c)), len(c.Lost) == 0)
}

// file returns the golden file of a case: no path has a hyphen or a dot.
func (s *stage) file(name string) string {
	base := strings.ReplaceAll(s.endpoint.Name(), "/", ".")
	if name != "" {
		base += "-" + name
	}
	return filepath.Join(folder, base+".json")
}

// hold compares an answer with its file, or writes that with -update. What is called
// is a part of it while all services answer: else it may be chance.
func hold(file string, o outcome, healthy bool) error {
	r := recordOf(o)
	if healthy && o.err == nil {
		r.Calls = o.commands()
	}
	text, err := r.encode()
	if err != nil {
		return err
	}
	if updating() {
		return errors.Join(os.MkdirAll(folder, folderMode), os.WriteFile(file, text, fileMode))
	}
	golden, err := os.ReadFile(file) //nolint:gosec // a file of the test, named for its page
	if err != nil {
		return fmt.Errorf("%w; -update writes it", err)
	}
	if diff := cmp.Diff(string(golden), string(text)); diff != "" {
		return fmt.Errorf("it is not as %s has it (-want +got; -update writes it anew):\n%s", file, diff)
	}
	return nil
}

func recordOf(o outcome) record {
	if o.err != nil {
		return record{Problem: problemOf(o.err)}
	}
	return record{Parts: o.told, Page: json.RawMessage(o.body)}
}

func (r record) encode() ([]byte, error) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "\t")
	err := e.Encode(r)
	return text.Bytes(), err
}

func problemOf(err error) *problem {
	code := fault.CodeOf(err)
	p := &problem{Status: code.Status(), Code: code.String()}
	var f *fault.Error
	if errors.As(err, &f) {
		p.Field = f.Field
	}
	return p
}

// orphans finds golden files of the page that no case has any more; with -update
// it removes them.
func (s *stage) orphans(files []string) error {
	found, err := filepath.Glob(s.file("*"))
	errs := []error{err}
	for _, file := range found {
		switch {
		case slices.Contains(files, file):
		case updating():
			errs = append(errs, os.Remove(file))
		default:
			errs = append(errs, fmt.Errorf("%s is of no case any more; -update removes it", file))
		}
	}
	return errors.Join(errs...)
}
