package devices

import (
	"net/http"
	"net/textproto"
	"strings"
)

// Options configure a [Resolver]. Every zero value has a meaning.
type Options struct {
	// Header names the explicit device header; empty means X-Device-Type. It
	// has 1 to 64 bytes and is none of the headers that are read anyway.
	Header string
	// Default is the class of a request that says nothing; empty means phone.
	Default Class
	// Desktop is the class that a desktop browser takes; empty means tablet.
	Desktop Class
	// Profiles are the known classes, 1 to 32; empty means [Standard].
	Profiles []Profile
}

// Resolver names the device of a request. It never changes, so that it is safe
// for concurrent use.
type Resolver struct {
	name     string // of the device header, as configured
	key      string // the same, as net/http spells it
	profiles []Profile
	classes  map[Class]*Profile
	unknown  string // what an error says of a class nobody knows
	fallback *Profile
	forms    []formChoice
	phone    *Profile // nil where there is no such class
	agents   *agentReader
}

// agentName is spelled alike as a name and as a key.
const agentName = "User-Agent"

// formChoice is a form factor and the profile it leads to, if any.
type formChoice struct {
	name    string
	profile *Profile
	by      By
}

// Resolve names the device of a request with header h, whose keys are in
// canonical form as in every request that net/http read.
//
// The device header decides if it is there. One that is doubled, unknown,
// empty or over 64 bytes is an [*Error] whose Field is the header's name: the
// request is the client's fault. Case and surrounding blanks do not matter.
// Hints and user agents never fail: what is malformed says nothing.
func (r *Resolver) Resolve(h http.Header) (Device, error) {
	if values := h[r.key]; len(values) > 0 {
		return r.named(values)
	}
	if d := r.hinted(h); d.Profile != nil {
		return d, nil
	}
	if agents := h[agentName]; len(agents) > 0 {
		if d := r.agents.device(agents[0]); d.Profile != nil {
			return d, nil
		}
	}
	return Device{Profile: r.fallback, By: ByDefault}, nil
}

const maxValueLen = 64

func (r *Resolver) named(values []string) (Device, error) {
	if len(values) > 1 {
		return Device{}, &Error{r.name, "must be sent once"}
	}
	if len(values[0]) > maxValueLen {
		return Device{}, &Error{r.name, "is longer than 64 bytes"}
	}
	p := r.find(values[0])
	if p == nil {
		if strings.Contains(values[0], ",") {
			return Device{}, &Error{r.name, "must have one value"}
		}
		return Device{}, &Error{r.name, r.unknown}
	}
	return Device{Profile: p, By: ByHeader, Evidence: string(p.Class)}, nil
}

// find looks the value up as it is, and in lower case only where that fails.
func (r *Resolver) find(value string) *Profile {
	value = textproto.TrimString(value)
	if p := r.classes[Class(value)]; p != nil || len(value) > maxClassLen {
		return p
	}
	var buf [maxClassLen]byte
	for i := range len(value) {
		buf[i] = lower(value[i])
	}
	return r.classes[Class(buf[:len(value)])]
}

func (r *Resolver) hinted(h http.Header) Device {
	tablet := false
	if lines := h[formFactorsKey]; len(lines) > 0 {
		set := readFormFactors(lines, r.forms)
		for i := range r.forms {
			f := &r.forms[i]
			if set&(1<<i) == 0 {
				continue
			}
			if f.profile != nil {
				return Device{Profile: f.profile, By: f.by, Evidence: f.name}
			}
			tablet = tablet || f.name == formTablet
		}
	}
	if r.phone != nil && !tablet && saysMobile(h[mobileKey]) {
		return Device{Profile: r.phone, By: ByMobileHint, Evidence: mobileTrue}
	}
	return Device{}
}

// Lookup returns the profile of a class, which must not be changed.
func (r *Resolver) Lookup(c Class) (*Profile, bool) {
	p, ok := r.classes[c]
	return p, ok
}

// Classes returns a new list of the known classes, in the order of
// [Options.Profiles].
func (r *Resolver) Classes() []Class {
	classes := make([]Class, len(r.profiles))
	for i := range r.profiles {
		classes[i] = r.profiles[i].Class
	}
	return classes
}

// Header returns the name of the device header as it was configured, for the
// list of headers that a browser may send across origins.
func (r *Resolver) Header() string { return r.name }

// Vary returns the value of the Vary header: every header that can decide,
// strongest first.
func (r *Resolver) Vary() string {
	return r.name + ", " + r.AcceptCH() + ", " + agentName
}

// AcceptCH returns the value of the Accept-CH header: the hints that
// [Resolver.Resolve] reads.
func (r *Resolver) AcceptCH() string { return formFactorsName + ", " + mobileName }
