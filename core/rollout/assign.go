package rollout

import (
	"net/http"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/facet-gateway/facet/devices"
)

// Assignment is which version answers a request, and why.
type Assignment struct {
	Version string // such as "v2"; "": the one that the configuration names
	Rollout string // that the unit is in; "": none
	Arm     Arm    // that the request counts for
	Why     Why
}

// Arm is what a request counts for when a candidate is compared with control.
type Arm uint8

// The arms.
const (
	Neither   Arm = iota // in no rollout, or there not by chance
	Control              // in a rollout's slice, beyond its share
	Candidate            // in its share
)

// String returns the arm's name.
func (a Arm) String() string { return [...]string{"neither", "control", "candidate"}[a] }

// Why is what decided an assignment.
type Why uint8

// What can decide. The names are those of OpenTelemetry's feature_flag.result.reason,
// but "quarantined" and "absent", which are "disabled" there, and "forced", which is
// "targeting_match".
const (
	Default     Why = iota // no rollout has the unit
	Split                  // the bucket of the unit
	Targeted               // the unit is on an allow-list
	Forced                 // a tester's token
	Quarantined            // the candidate is out
	Absent                 // this build has no such candidate
)

// String returns the name.
func (w Why) String() string {
	return [...]string{"default", "split", "targeting_match", "forced", "quarantined", "absent"}[w]
}

// Assign returns the version that answers a unit's request with a header. The class
// is that of an adapter. A unit of "" is nobody in particular, and in no rollout. It
// takes no memory.
func (p *Plan) Assign(class devices.Class, unit string, h http.Header) Assignment {
	l := p.layers[class]
	switch {
	case l == nil:
		return Assignment{}
	case unit == "" || len(l.rollouts) == 0:
		return l.control
	}
	if len(l.allowed) > 0 {
		if i, listed := l.allowed[unit]; listed {
			return l.rollouts[i].allowed
		}
	}
	arm := l.arms[l.bucket(unit)]
	if arm == noArm {
		return l.control
	}
	r := &l.rollouts[(arm-firstArm)/2]
	switch {
	case r.ruled && !r.rules.admits(h, &p.headers):
		return l.control
	case arm%2 == 1:
		return r.candidate
	}
	return r.control
}

// longestHashed is how much of a salt, a class and a unit together is hashed without
// taking memory: no unit that a server admits is longer.
const longestHashed = 256

// bucket returns the bucket of a unit.
func (l *layer) bucket(unit string) int {
	var room [longestHashed]byte
	text := append(append(room[:0], l.prefix...), unit...)
	return int((xxhash.Sum64(text) >> 32) * Buckets >> 32) //nolint:mnd // the upper half, scaled: below Buckets
}

// Active reports whether a rollout runs among the units of a class, for whom it is
// worth to know them again.
func (p *Plan) Active(class devices.Class) bool {
	l := p.layers[class]
	return l != nil && len(l.rollouts) > 0
}

// Vary returns the request headers that the rules of a class look at.
func (p *Plan) Vary(class devices.Class) []string {
	if l := p.layers[class]; l != nil {
		return l.vary
	}
	return nil
}

// Control returns the version of a class that answers who is in no rollout, ""
// if the document says nothing.
func (p *Plan) Control(class devices.Class) string { return p.Assign(class, "", nil).Version }

// Shadow returns the version that control's requests of a rollout are to be shadowed
// by, and how; nil: by none.
func (p *Plan) Shadow(class devices.Class, rollout string) (candidate string, how *Shadow) {
	l := p.layers[class]
	if l == nil {
		return "", nil
	}
	i, there := l.named[rollout]
	if !there || l.rollouts[i].candidate.Arm != Candidate { // which is in quarantine
		return "", nil
	}
	return l.rollouts[i].candidate.Version, l.rollouts[i].shadow
}

// Quarantined reports whether a version of a class answers nobody.
func (p *Plan) Quarantined(class devices.Class, version string) bool {
	l := p.layers[class]
	return l != nil && slices.Contains(l.quarantined, version)
}

// Gives reports whether a version of a class can come to anybody by this plan: it is
// control, or the candidate of a rollout, whatever its share.
func (p *Plan) Gives(class devices.Class, version string) bool {
	l := p.layers[class]
	return l != nil && (l.control.Version == version ||
		slices.ContainsFunc(l.rollouts, func(a active) bool { return a.candidate.Version == version }))
}
