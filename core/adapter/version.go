package adapter

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/facet-gateway/facet/devices"
)

// Version is one version of the adapter of a device class. It does not change
// once it is made. One that builds on another has the other's endpoints only in
// the [Set] that both are in.
type Version struct {
	Class     devices.Class
	Name      string // matches v[0-9]{1,4}
	Base      string // the name of the version of the class that it builds on; "": none
	label     string
	endpoints map[string]Endpoint
	paths     []string
	remote    bool
}

var (
	validName = regexp.MustCompile(`^v[0-9]{1,4}$`)
	validPath = regexp.MustCompile(`^(/[a-z][a-z0-9_]*)+$`)
)

// New returns a version with its endpoints. It returns an error that names
// every endpoint whose query or page cannot work, and paths that are not of the
// form /name or stand there twice.
func New(class devices.Class, name string, endpoints ...Endpoint) (*Version, error) {
	return newVersion(class, name, "", endpoints)
}

// NewOn is [New] of a version that builds on another of its class: it has that
// one's endpoints, those that it overrides (see [Override]), and more.
func NewOn(class devices.Class, name, base string, endpoints ...Endpoint) (*Version, error) {
	return newVersion(class, name, base, endpoints)
}

func newVersion(class devices.Class, name, base string, endpoints []Endpoint) (*Version, error) {
	v := &Version{Class: class, Name: name, Base: base, label: string(class) + "/" + name}
	var errs []error
	for _, given := range []string{name, base} {
		if !validName.MatchString(given) && (given != "" || given == name) {
			errs = append(errs, fmt.Errorf("the name %q is not of the form v1", given))
		}
	}
	for _, e := range endpoints {
		errs = append(errs, e.check(), v.add(e))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("adapter %s: %w", v, err)
	}
	return v, nil
}

func (v *Version) add(e Endpoint) error {
	if _, twice := v.endpoints[e.Path]; twice {
		return fmt.Errorf("%s: two endpoints have this path", e.Path)
	}
	if v.endpoints == nil {
		v.endpoints = make(map[string]Endpoint)
	}
	v.endpoints[e.Path] = e
	v.paths = append(v.paths, e.Path)
	return nil
}

// String returns the version as `Facet-Adapter` names it, such as "phone/v1".
func (v *Version) String() string { return v.label }

// Remote reports whether the pages are made elsewhere (see [NewRemote]).
func (v *Version) Remote() bool { return v.remote }

// Endpoint returns the endpoint of the page of a path.
func (v *Version) Endpoint(path string) (Endpoint, bool) { return v.find(path, false) }

// Feed returns the endpoint of what keeps coming at a path (see [Live]).
func (v *Version) Feed(path string) (Endpoint, bool) { return v.find(path, true) }

func (v *Version) find(path string, live bool) (Endpoint, bool) {
	e, ok := v.endpoints[path]
	if !ok || e.Live() != live {
		return Endpoint{}, false
	}
	return e, true
}

// Paths returns the paths of the pages, in declared order, those of the
// version that it builds on first.
func (v *Version) Paths() []string { return v.list(false) }

// FeedPaths returns the paths of what keeps coming, in the same order.
func (v *Version) FeedPaths() []string { return v.list(true) }

func (v *Version) list(live bool) []string {
	return slices.DeleteFunc(slices.Clone(v.paths), func(path string) bool { return v.endpoints[path].Live() != live })
}
