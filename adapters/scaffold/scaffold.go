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
	"os"
	"path/filepath"
	"regexp"
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
	versionRule = regexp.MustCompile(`^v[0-9]{1,4}$`)
	pathRule    = regexp.MustCompile(`^(/[a-z][a-z0-9_]*)+$`)
)

// taken are the folders beside the families.
var taken = map[string]bool{"services": true, "simulator": true, "wire": true, "adaptertest": true, "scaffold": true}

func checkNames(class, version string) error {
	var errs []error
	if !classRule.MatchString(class) || taken[class] {
		errs = append(errs, fmt.Errorf("CLASS %q: must match [a-z][a-z0-9]{0,31}, as the name of a folder of its own", class))
	}
	if !versionRule.MatchString(version) {
		errs = append(errs, fmt.Errorf("VERSION %q: must match v[0-9]{1,4}", version))
	}
	return errors.Join(errs...)
}

func (m Module) exists(path string) bool {
	_, err := os.Stat(filepath.Join(m.root, path))
	return err == nil
}
