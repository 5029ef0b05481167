package adapter

import (
	"errors"
	"fmt"
	"slices"

	"github.com/facet-gateway/facet/devices"
)

// Set is the versions of a build, each with the endpoints of the one that it
// builds on. It does not change once it is made.
type Set struct{ versions []*Version }

// NewSet returns the set of versions. It returns an error that names two versions
// of one name, a base that is not there, a cycle of bases, an override of nothing,
// and an endpoint whose path the base has and which does not say that it overrides.
func NewSet(versions ...*Version) (*Set, error) {
	r := resolution{given: versions, done: make(map[*Version]*Version, len(versions))}
	set := &Set{}
	var errs []error
	for i, v := range versions {
		if find(versions[:i], v.Class, v.Name) != nil {
			errs = append(errs, fmt.Errorf("adapter %s: two versions have this name", v))
			continue
		}
		whole, err := r.resolve(v, nil)
		if err != nil {
			errs = append(errs, fmt.Errorf("adapter %s: %w", v, err))
			continue
		}
		set.versions = append(set.versions, whole)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return set, nil
}

// With returns the set with more versions, of which none builds on another: those
// that live elsewhere, say. It returns an error that names two of one name.
func (s *Set) With(more ...*Version) (*Set, error) {
	all := &Set{versions: slices.Clone(s.versions)}
	for _, v := range more {
		if all.Find(v.Class, v.Name) != nil {
			return nil, fmt.Errorf("adapter %s: two versions have this name", v)
		}
		if v.Base != "" {
			return nil, fmt.Errorf("adapter %s: it builds on %s/%s, and must be given with it", v, v.Class, v.Base)
		}
		all.versions = append(all.versions, v)
	}
	return all, nil
}

// All returns the versions, in the order given.
func (s *Set) All() []*Version { return slices.Clone(s.versions) }

// Find returns the version of a class and a name, nil if there is none.
func (s *Set) Find(class devices.Class, name string) *Version { return find(s.versions, class, name) }

// Names returns the names of the versions of each class, in the order given: the
// first of a class answers it where nothing else is said.
func (s *Set) Names() map[devices.Class][]string {
	names := make(map[devices.Class][]string)
	for _, v := range s.versions {
		names[v.Class] = append(names[v.Class], v.Name)
	}
	return names
}

func find(versions []*Version, class devices.Class, name string) *Version {
	for _, v := range versions {
		if v.Class == class && v.Name == name {
			return v
		}
	}
	return nil
}

// resolution gives versions the endpoints of their bases.
type resolution struct {
	given []*Version
	done  map[*Version]*Version
}

// resolve returns a version with all that it has. above are those that build on it.
func (r *resolution) resolve(v *Version, above []*Version) (*Version, error) {
	if whole := r.done[v]; whole != nil {
		return whole, nil
	}
	if slices.Contains(above, v) {
		return nil, fmt.Errorf("it builds on itself: %s", cycle(above, v))
	}
	var base *Version
	if v.Base != "" {
		below := find(r.given, v.Class, v.Base)
		if below == nil {
			return nil, fmt.Errorf("it builds on %s/%s, which is not in this build", v.Class, v.Base)
		}
		var err error
		if base, err = r.resolve(below, append(above, v)); err != nil {
			return nil, err
		}
	}
	whole, err := v.over(base)
	if err == nil {
		r.done[v] = whole
	}
	return whole, err
}

// over returns the version with the endpoints of its base, nil if it has none.
func (v *Version) over(base *Version) (*Version, error) {
	whole := &Version{Class: v.Class, Name: v.Name, Base: v.Base, label: v.label, remote: v.remote, endpoints: make(map[string]Endpoint)}
	var errs []error
	if base != nil {
		for _, path := range base.paths {
			errs = append(errs, whole.add(base.endpoints[path]))
		}
	}
	for _, path := range v.paths {
		e := v.endpoints[path]
		below, known := whole.endpoints[path]
		switch {
		case known && e.overrides && e.Live() != below.Live():
			errs = append(errs, fmt.Errorf("%s: overrides what is not of its kind: a page, and what is live", path))
		case known && e.overrides:
			whole.endpoints[path] = e
		case known:
			errs = append(errs, fmt.Errorf("%s: %s has this path, too: use Override to replace it", path, base))
		case e.overrides:
			errs = append(errs, fmt.Errorf("%s: overrides nothing", path))
		default:
			errs = append(errs, whole.add(e))
		}
	}
	return whole, errors.Join(errs...)
}

// cycle names the versions from v to v again.
func cycle(above []*Version, v *Version) string {
	text := ""
	for _, one := range above[slices.Index(above, v):] {
		text += one.String() + " → "
	}
	return text + v.String()
}
