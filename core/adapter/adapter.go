// Package adapter is the vocabulary of a device team: a [Version] of one device
// class's adapter is a list of endpoints, and an [Endpoint] is a path with a
// page function. The function is typed by its query and by its page; it is
// erased once, here, to Serve.
package adapter

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/facet-gateway/facet/devices"
)

// Request is what a page may know of who asks. It is read only, and belongs to
// one request.
type Request struct {
	Device   *devices.Profile // what the screen can show
	User     string           // who asks; "" is anybody
	RawQuery string           // as received: decoded into the page's query struct
}

// Answer is a page, encoded.
type Answer struct {
	ContentType string
	Body        []byte
}

// Version is one version of the adapter of a device class. It does not change
// once it is made.
type Version struct {
	Class     devices.Class
	Name      string // matches v[0-9]{1,4}
	label     string
	endpoints map[string]Endpoint
	paths     []string
}

var (
	validName = regexp.MustCompile(`^v[0-9]{1,4}$`)
	validPath = regexp.MustCompile(`^(/[a-z][a-z0-9_]*)+$`)
)

// New returns a version with its endpoints. It returns an error that names
// every endpoint whose query or page cannot work, and paths that are not of the
// form /name or stand there twice.
func New(class devices.Class, name string, endpoints ...Endpoint) (*Version, error) {
	v := &Version{Class: class, Name: name, label: string(class) + "/" + name, endpoints: make(map[string]Endpoint, len(endpoints))}
	var errs []error
	if !validName.MatchString(name) {
		errs = append(errs, fmt.Errorf("the name %q is not of the form v1", name))
	}
	for _, e := range endpoints {
		errs = append(errs, e.check())
		if _, twice := v.endpoints[e.Path]; twice {
			errs = append(errs, fmt.Errorf("%s: two endpoints have this path", e.Path))
		}
		v.endpoints[e.Path] = e
		v.paths = append(v.paths, e.Path)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("adapter %s/%s: %w", class, name, err)
	}
	return v, nil
}

// String returns the version as `Facet-Adapter` names it, such as "phone/v1".
func (v *Version) String() string { return v.label }

// Endpoint returns the endpoint of a path.
func (v *Version) Endpoint(path string) (Endpoint, bool) {
	e, ok := v.endpoints[path]
	return e, ok
}

// Paths returns the paths of the endpoints, in declared order.
func (v *Version) Paths() []string { return append([]string(nil), v.paths...) }
