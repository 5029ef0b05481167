package scaffold

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"strings"
)

// NewEndpoint writes an endpoint of a version, in the version's own folder: a page
// of seven calls to cut down, its test, and the line in its version.go. A path that
// the version has from the one it builds on is overridden. It returns the folder,
// and the paths of the files that it wrote or changed. When anything is in the way
// it returns an error and leaves everything as it was.
func (m Module) NewEndpoint(class, name, at string) (folder string, written []string, err error) {
	if err := checkNames(class, name); err != nil {
		return "", nil, err
	}
	v, err := m.find(class, name)
	if err != nil {
		return "", nil, err
	}
	if err := m.checkPath(v.Folder, at); err != nil {
		return "", nil, fmt.Errorf("PATH %q: %w", at, err)
	}
	e := endpoint{version: v, Path: at, Name: camel(at), Alone: !m.exists(path.Join(v.Folder, "version_test.go"))}
	if e.Override, err = m.inherits(v, at); err != nil {
		return "", nil, err
	}
	list := path.Join(v.Folder, "version.go")
	s, err := m.open(list)
	if err != nil {
		return "", nil, err
	}
	listed, err := e.enlist(s)
	if err != nil {
		return "", nil, err
	}
	made := files{}
	file := strings.ToLower(e.Name) // without an underscore, which could mean a test or a system
	for _, suffix := range []string{".go", "_test.go"} {
		if err := made.render(path.Join(v.Folder, file+suffix), "endpoint"+suffix+".tmpl", e); err != nil {
			return "", nil, err
		}
	}
	return v.Folder, made.and(list), m.write(made, list, listed)
}

// checkPath says why there can be no endpoint of a path in a folder: it is none, or
// the names of its function and types are taken.
func (m Module) checkPath(folder, at string) error {
	if !pathRule.MatchString(at) {
		return errors.New("must match (/[a-z][a-z0-9_]*)+")
	}
	name := camel(at)
	if token.IsKeyword(name) {
		return fmt.Errorf("%s is a word of Go", name)
	}
	known, err := m.names(folder)
	if err != nil {
		return err
	}
	for _, name := range []string{name, name + "Page", name + "Query"} {
		if known[name] {
			return fmt.Errorf("%s has something called %s already", folder, name)
		}
	}
	return nil
}

// endpoint is what the templates of an endpoint are filled with.
type endpoint struct {
	version
	Path, Name string
	Override   bool // of a page of the version that this one builds on
	Alone      bool // its test finds no list of makers beside it
}

// Exported returns the name for a test.
func (e endpoint) Exported() string { return strings.ToUpper(e.Name[:1]) + e.Name[1:] }

// unused is the line of a version without a page of its own.
const unused = "\t_ = p // until it has a page of its own\n"

// enlist returns a version.go with the endpoint's line.
func (e endpoint) enlist(s *source) ([]byte, error) {
	if mentions(s, e.Path) {
		return nil, fmt.Errorf("%s: it has the path %s already", s.path, e.Path)
	}
	version, ok := find(s, isVersion)
	pages, declared := find(s, isPages)
	if !ok || !declared {
		return nil, fmt.Errorf("%s: it has no `p := pages{…}` and adapter.New(…) to add a line to", s.path)
	}
	kind := "Page"
	if e.Override {
		kind = "Override"
	}
	variable, _ := pages.Lhs[0].(*ast.Ident)
	line := fmt.Sprintf("\tadapter.%s(%q, %s.%s),\n\t", kind, e.Path, variable.Name, e.Name)
	if s.set.Position(version.Lparen).Line == s.set.Position(version.Rparen).Line { // no comma at its end yet
		line = ",\n" + line
	}
	text, err := s.with(insertion{version.Rparen, line})
	return bytes.Replace(text, []byte(unused), nil, 1), err
}

// isPages holds for `p := pages{…}`.
func isPages(a *ast.AssignStmt) bool {
	lit, ok := a.Rhs[0].(*ast.CompositeLit)
	if !ok {
		return false
	}
	name, ok := lit.Type.(*ast.Ident)
	_, named := a.Lhs[0].(*ast.Ident)
	return ok && named && name.Name == "pages"
}

// camel makes a name of a path: /my/new_page → myNewPage.
func camel(at string) string {
	words := strings.FieldsFunc(at, func(r rune) bool { return r == '/' || r == '_' })
	for i := range words[1:] {
		words[i+1] = strings.ToUpper(words[i+1][:1]) + words[i+1][1:]
	}
	return strings.Join(words, "")
}
