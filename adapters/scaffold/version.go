package scaffold

import (
	"errors"
	"fmt"
	"path"
	"slices"
)

// version is one that stands in the tree, or is to.
type version struct {
	Class, Version, Base string
	Folder, Package      string
	Makers               []maker // of it, and of those it builds on
}

// maker is a package whose New makes a version.
type maker struct{ Import, Path string }

// Foreign reports whether package devices has no screen for the class.
func (v version) Foreign() bool { return !slices.Contains([]string{"tv", "phone", "tablet"}, v.Class) }

const modulePath = "github.com/facet-gateway/facet/"

// find returns a version of a class, wherever its folder is.
func (m Module) find(class, name string) (version, error) {
	for _, folder := range []string{path.Join("adapters", class, name), path.Join("adapters", class)} {
		s, err := m.open(path.Join(folder, "version.go"))
		if err != nil {
			continue
		}
		declared, ok := declaration(s)
		if !ok || declared.name != name {
			continue
		}
		v := version{Class: class, Version: name, Base: declared.base, Folder: folder, Package: s.file.Name.Name}
		return v, m.chain(&v)
	}
	return version{}, fmt.Errorf("there is no version %s of %s: no version.go in or below adapters/%s names it", name, class, class)
}

// chain fills in the makers: of a version and of those it builds on.
func (m Module) chain(v *version) error {
	v.Makers = []maker{{v.Class + v.Version, modulePath + v.Folder}}
	if v.Base == "" {
		return nil
	}
	if v.Base == v.Version {
		return errors.New("it builds on itself")
	}
	base, err := m.find(v.Class, v.Base)
	if err != nil {
		return fmt.Errorf("the base: %w", err)
	}
	v.Makers = append(v.Makers, base.Makers...)
	return nil
}

// inherits reports whether a version that v builds on has a page of a path.
func (m Module) inherits(v version, endpoint string) (bool, error) {
	for v.Base != "" {
		base, err := m.find(v.Class, v.Base)
		if err != nil {
			return false, err
		}
		s, err := m.open(path.Join(base.Folder, "version.go"))
		if err != nil {
			return false, err
		}
		if mentions(s, endpoint) {
			return true, nil
		}
		v = base
	}
	return false, nil
}
