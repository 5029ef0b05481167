package scaffold

import (
	"fmt"
	"go/ast"
	"path"
)

const list = "adapters/adapters.go"

// NewAdapter writes a version of the adapter of a class: in adapters/CLASS if it
// is the first of its class, else in adapters/CLASS/VERSION. base is the version
// that it builds on; "" means none. It returns the folder, and the paths of the
// files that it wrote or changed. When anything is in the way it returns an error
// and leaves everything as it was.
func (m Module) NewAdapter(class, name, base string) (folder string, written []string, err error) {
	if err := checkNames(class, name); err != nil {
		return "", nil, err
	}
	if there, err := m.find(class, name); err == nil {
		return "", nil, fmt.Errorf("%s/%s is there already, in %s", class, name, there.Folder)
	}
	v := version{Class: class, Version: name, Base: base, Folder: path.Join("adapters", class), Package: class}
	if m.exists(v.Folder) {
		v.Folder, v.Package = path.Join(v.Folder, name), name
	}
	if err := m.chain(&v); err != nil {
		return "", nil, err
	}
	made := files{}
	for _, file := range []string{"version.go", "version_test.go"} {
		if err := made.render(path.Join(v.Folder, file), file+".tmpl", v); err != nil {
			return "", nil, err
		}
	}
	listed, err := m.enlist(v)
	if err != nil {
		return "", nil, err
	}
	return v.Folder, made.and(list), m.write(made, list, listed)
}

// enlist returns the list with the version's line.
func (m Module) enlist(v version) ([]byte, error) {
	s, err := m.open(list)
	if err != nil {
		return nil, err
	}
	makers, ok := find(s, isListOfFunctions)
	if !ok || len(s.file.Imports) == 0 {
		return nil, fmt.Errorf("%s: it has no list of functions to add a line to", list)
	}
	name, imported := v.Package, fmt.Sprintf("%q\n\t", modulePath+v.Folder)
	if v.Package != v.Class { // all versions of one name would be called alike
		name = v.Class + v.Version
		imported = name + " " + imported
	}
	last := s.file.Imports[len(s.file.Imports)-1].Pos()
	return s.with(insertion{last, imported}, insertion{makers.Rbrace, "\t" + name + ".New,\n\t"})
}

func isListOfFunctions(l *ast.CompositeLit) bool {
	a, ok := l.Type.(*ast.ArrayType)
	if !ok {
		return false
	}
	_, ok = a.Elt.(*ast.FuncType)
	return ok
}
