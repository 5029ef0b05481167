// Package scaffold writes what a device team begins with: a version of an adapter
// in a folder of its own, or an endpoint in the folder of a version, each with a
// test, and the one line in the list that makes it part of the build. What it
// writes compiles and passes, and is the team's from then on.
//
// It changes nothing that it has not read and understood, and writes nothing when
// anything is in the way. The templates are in the folder beside it.
package scaffold

import (
	"errors"
	"fmt"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// Module is a tree of this project's source.
type Module struct{ root string }

// Find returns the module that a directory is in: the nearest above it with a
// list of adapters.
func Find(dir string) (Module, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return Module{}, fmt.Errorf("find the source: %w", err)
	}
	for at := absolute; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, list)); err == nil {
			return Module{root: at}, nil
		}
		if at == filepath.Dir(at) {
			return Module{}, fmt.Errorf("%s is in no source tree: there is no %s above it", absolute, list)
		}
	}
}

// Root returns the directory of the module.
func (m Module) Root() string { return m.root }

var (
	classRule   = regexp.MustCompile(`^[a-z][a-z0-9]{0,31}$`)
	versionRule = regexp.MustCompile(`^v[1-9][0-9]{0,3}$`)
	pathRule    = regexp.MustCompile(`^(/[a-z][a-z0-9_]*)+$`)
)

// taken returns folders that are no family's, and names that the list uses itself.
func taken() []string {
	return []string{
		"services", "simulator", "wire", "adaptertest", "scaffold", // beside the families
		"main", "internal", "vendor", "testdata", "documentation", // which Go reads another meaning into
		"adapter", "adapters", "errors", "makers", "all", "errs",
	}
}

func checkNames(class, version string) error {
	var errs []error
	if !classRule.MatchString(class) || slices.Contains(taken(), class) || isGo(class) {
		errs = append(errs, fmt.Errorf("CLASS %q: must match [a-z][a-z0-9]{0,31} and have no other meaning", class))
	}
	if !versionRule.MatchString(version) {
		errs = append(errs, fmt.Errorf("VERSION %q: must match v[1-9][0-9]{0,3}", version))
	}
	return errors.Join(errs...)
}

// isGo reports whether a name is a word of the language: a keyword, or what is
// declared everywhere.
func isGo(name string) bool { return token.IsKeyword(name) || types.Universe.Lookup(name) != nil }

func (m Module) exists(path string) bool {
	_, err := os.Stat(filepath.Join(m.root, path))
	return err == nil
}
