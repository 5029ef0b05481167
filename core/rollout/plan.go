package rollout

import (
	"maps"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/facet-gateway/facet/devices"
)

// Headers are the names of the request headers that rules look at; "": there is none.
type Headers struct {
	AppVersion string
	Country    string
	Locale     string // its first language counts, such as that of Accept-Language
}

// DefaultHeaders are those that apps and edges send most.
func DefaultHeaders() Headers {
	return Headers{AppVersion: "X-App-Version", Country: "X-Country", Locale: "Accept-Language"}
}

// Plan is a state made ready to assign by. It never changes, and is safe for
// concurrent use.
type Plan struct {
	Revision uint64
	headers  Headers
	layers   map[devices.Class]*layer
}

// layer is a class made ready.
type layer struct {
	control  Assignment // of who is in no rollout
	prefix   string     // what is hashed before the unit
	arms     [Buckets]uint16
	holdout  int // the first bucket of it
	rollouts []active
	named    map[string]int // the rollouts by their names
	allowed  map[string]int // the rollouts by units
	vary     []string       // headers that decide

	quarantined []string
}

// active is a running or paused rollout.
type active struct {
	candidate, control Assignment
	allowed            Assignment
	rules              Rules
	ruled              bool // there are rules but the allow-list
	shadow             *Shadow
}

// What arms holds of a bucket: 0 of one that is in no rollout, else twice the index
// of the rollout, and firstArm, and 1 if it is the candidate's.
const (
	noArm    = 0
	firstArm = 2
)

// NewPlan makes a state ready for a build, whose document must pass Check. What it gives
// to a version that the build lacks, control has. It takes 20 KiB for a class that the
// document has.
func NewPlan(s *State, known Catalogue, headers Headers) *Plan {
	p := &Plan{Revision: s.Revision, headers: headers.canonical(), layers: make(map[devices.Class]*layer, len(s.Classes))}
	for class, of := range s.Classes {
		p.layers[class] = newLayer(class, of, known, &p.headers)
	}
	return p
}

func (h Headers) canonical() Headers {
	return Headers{
		textproto.CanonicalMIMEHeaderKey(h.AppVersion),
		textproto.CanonicalMIMEHeaderKey(h.Country),
		textproto.CanonicalMIMEHeaderKey(h.Locale),
	}
}

func newLayer(class devices.Class, of *Layer, known Catalogue, h *Headers) *layer {
	l := &layer{prefix: of.Salt + "\x00" + string(class) + "\x00", allowed: make(map[string]int), named: make(map[string]int)}
	l.quarantined, l.holdout = slices.Sorted(maps.Keys(of.Quarantine)), Buckets-of.Holdout.buckets()
	l.control = Assignment{Version: of.Control, Why: Default}
	if _, out := of.Quarantine[of.Control]; out || !known.has(class, of.Control) {
		l.control.Version = ""
	}
	for i := range of.Rollouts {
		if r := &of.Rollouts[i]; r.active() {
			l.add(r, of.outcome(class, r.Candidate, known), h)
		}
	}
	slices.Sort(l.vary)
	l.vary = slices.Compact(l.vary)
	return l
}

// outcome is what comes of who is to have a candidate: Split, or why control has them.
func (l *Layer) outcome(class devices.Class, candidate string, known Catalogue) Why {
	if _, out := l.Quarantine[candidate]; out {
		return Quarantined
	}
	if !known.has(class, candidate) {
		return Absent
	}
	return Split
}

// add gives a rollout its buckets. One whose candidate answers nobody keeps them: its
// units are all control.
func (l *layer) add(r *Rollout, outcome Why, h *Headers) {
	index := len(l.rollouts)
	a := active{rules: r.Rules, ruled: r.Rules.any(), shadow: r.Shadow}
	a.control = Assignment{Version: l.control.Version, Rollout: r.Name, Arm: Control, Why: Split}
	a.candidate = Assignment{Version: r.Candidate, Rollout: r.Name, Arm: Candidate, Why: Split}
	a.allowed = Assignment{Version: r.Candidate, Rollout: r.Name, Why: Targeted}
	if outcome != Split {
		a.candidate = Assignment{Version: l.control.Version, Rollout: r.Name, Why: outcome}
		a.allowed = a.candidate
	}
	l.rollouts, l.named[r.Name] = append(l.rollouts, a), index
	for _, unit := range r.Rules.Allow {
		l.allowed[unit] = index
	}
	from, to := r.Slice.From.buckets(), r.Slice.To.buckets()
	for b := from; b < to; b++ {
		arm := firstArm + 2*index //nolint:mnd // two arms each
		if b < from+r.Share.buckets() {
			arm++
		}
		l.arms[b] = uint16(arm) //nolint:gosec // there are at most 1,000 rollouts
	}
	l.vary = append(l.vary, r.Rules.headers(h)...)
}

// any reports whether there is a rule beside the allow-list.
func (r *Rules) any() bool {
	return r.AppVersion != AppVersions{} || len(r.Countries) > 0 || len(r.Locales) > 0
}

// headers are those that the rules look at.
func (r *Rules) headers(h *Headers) []string {
	var names []string
	for name, asked := range map[string]bool{
		h.AppVersion: r.AppVersion != AppVersions{}, h.Country: len(r.Countries) > 0, h.Locale: len(r.Locales) > 0,
	} {
		if asked && name != "" {
			names = append(names, name)
		}
	}
	return names
}

// admits reports whether who sent the header takes part.
func (r *Rules) admits(h http.Header, names *Headers) bool {
	return (r.AppVersion == AppVersions{} || r.AppVersion.admits(first(h, names.AppVersion))) &&
		(len(r.Countries) == 0 || contains(r.Countries, first(h, names.Country))) &&
		(len(r.Locales) == 0 || speaks(r.Locales, first(h, names.Locale)))
}

func first(h http.Header, name string) string {
	if lines := h[name]; len(lines) > 0 {
		return lines[0]
	}
	return ""
}

func contains(all []string, text string) bool {
	for _, one := range all {
		if strings.EqualFold(one, text) {
			return true
		}
	}
	return false
}

// speaks reports whether the first language of a header is one of the locales, or a
// variety of one.
func speaks(locales []string, header string) bool {
	end := strings.IndexAny(header, ",;")
	if end >= 0 {
		header = header[:end]
	}
	tag := strings.TrimSpace(header)
	for _, locale := range locales {
		if len(tag) >= len(locale) && strings.EqualFold(tag[:len(locale)], locale) && (len(tag) == len(locale) || tag[len(locale)] == '-') {
			return true
		}
	}
	return false
}
