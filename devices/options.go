package devices

import (
	"cmp"
	"fmt"
	"net/textproto"
	"slices"
	"strings"
)

const (
	maxHeaderLen = 64
	maxProfiles  = 32
)

// NewResolver checks the options and compiles them. Its error is an [*Error]
// whose Field is "header", "default", "desktop", or a path into "profiles".
func NewResolver(o Options) (*Resolver, error) {
	o = o.withDefaults()
	if fault := o.fault(); fault != nil {
		return nil, fault
	}
	r := &Resolver{
		name:     o.Header,
		key:      textproto.CanonicalMIMEHeaderKey(o.Header),
		profiles: slices.Clone(o.Profiles),
		classes:  make(map[Class]*Profile, len(o.Profiles)),
	}
	for i := range r.profiles {
		r.classes[r.profiles[i].Class] = &r.profiles[i]
	}
	r.unknown = "must be " + oneOf(r.Classes())
	r.fallback = r.classes[o.Default]
	r.phone = r.classes[Phone]
	r.forms = compileForms(r.classes, r.classes[o.Desktop])
	r.agents = newAgentReader(r.classes, r.classes[o.Desktop])
	return r, nil
}

func (o Options) withDefaults() Options {
	o.Header = cmp.Or(o.Header, "X-Device-Type")
	o.Default = cmp.Or(o.Default, Phone)
	o.Desktop = cmp.Or(o.Desktop, Tablet)
	if len(o.Profiles) == 0 {
		o.Profiles = Standard()
	}
	return o
}

func (o Options) fault() *Error {
	if fault := headerFault(o.Header); fault != nil {
		return fault
	}
	if len(o.Profiles) > maxProfiles {
		return &Error{"profiles", fmt.Sprintf("has %d entries, at most %d are allowed", len(o.Profiles), maxProfiles)}
	}
	for i := range o.Profiles {
		if fault := o.profileFault(i); fault != nil {
			return &Error{fmt.Sprintf("profiles[%d].%s", i, fault.Field), fault.Detail}
		}
	}
	if o.profile(o.Default) == nil {
		return &Error{"default", "must be " + oneOf(o.classes())}
	}
	if o.profile(o.Desktop) == nil {
		return &Error{"desktop", "must be " + oneOf(o.classes())}
	}
	return nil
}

func (o Options) profileFault(i int) *Error {
	p := &o.Profiles[i]
	if fault := p.fault(); fault != nil {
		return fault
	}
	if o.profile(p.Class) != p {
		return &Error{"class", "is in the list twice"}
	}
	like := o.profile(p.Adapter())
	if like == nil {
		return &Error{"like", "must be " + oneOf(o.classes())}
	}
	// One step only: a chain would hide which adapter serves a device.
	if like.Adapter() != like.Class {
		return &Error{"like", "names a class that is itself like another"}
	}
	return nil
}

// profile returns the first profile of a class, nil if there is none.
func (o Options) profile(c Class) *Profile {
	for i := range o.Profiles {
		if o.Profiles[i].Class == c {
			return &o.Profiles[i]
		}
	}
	return nil
}

func (o Options) classes() []Class {
	classes := make([]Class, len(o.Profiles))
	for i := range o.Profiles {
		classes[i] = o.Profiles[i].Class
	}
	return classes
}

// headerFault refuses names that are no header, those that are read in another
// sense, and Host, which net/http keeps elsewhere.
func headerFault(name string) *Error {
	if len(name) > maxHeaderLen || span(name, isToken) != len(name) {
		return &Error{"header", "must be a header name of 1 to 64 bytes"}
	}
	switch textproto.CanonicalMIMEHeaderKey(name) {
	case agentName, formFactorsKey, mobileKey, "Host":
		return &Error{"header", "has another meaning"}
	}
	return nil
}

func isToken(b byte) bool {
	return isLower(lower(b)) || isDigit(b) || strings.IndexByte("!#$%&'*+-.^_`|~", b) >= 0
}

func oneOf(classes []Class) string {
	names := make([]string, len(classes))
	for i, c := range classes {
		names[i] = string(c)
	}
	return "one of " + strings.Join(names, ", ")
}

// choose returns the profile of the first class that has one.
func choose(wanted []Class, classes map[Class]*Profile, desktopProfile *Profile) *Profile {
	for _, c := range wanted {
		if c == desktop {
			return desktopProfile
		}
		if p := classes[c]; p != nil {
			return p
		}
	}
	return nil
}

func compileForms(classes map[Class]*Profile, desktopProfile *Profile) []formChoice {
	var forms []formChoice
	for _, f := range formFactors() {
		by := ByFormFactors
		if slices.Contains(f.classes, desktop) {
			by = ByDesktop
		}
		forms = append(forms, formChoice{f.name, choose(f.classes, classes, desktopProfile), by})
	}
	return forms
}
