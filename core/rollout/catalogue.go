package rollout

import (
	"maps"
	"slices"

	"github.com/facet-gateway/facet/devices"
)

// Catalogue is the versions of each class that a build has. Replicas of different
// builds share a document, while a new one is deployed or an old one is put back: what
// it names and a build lacks concerns that build's units alone, who have control.
type Catalogue map[devices.Class][]string

func (known Catalogue) has(class devices.Class, version string) bool {
	return slices.Contains(known[class], version)
}

// Lacks returns the versions, such as "phone/v3", that a document gives to somebody and
// the build has not.
func (known Catalogue) Lacks(d *Document) []string {
	var lacking []string
	for _, class := range slices.Sorted(maps.Keys(d.Classes)) {
		for _, version := range d.Classes[class].inForce() {
			if name := string(class) + "/" + version; !known.has(class, version) && !slices.Contains(lacking, name) {
				lacking = append(lacking, name)
			}
		}
	}
	return lacking
}

// inForce returns the versions that the layer gives to somebody, but the
// configuration's.
func (l *Layer) inForce() (versions []string) {
	if l.Control != "" {
		versions = append(versions, l.Control)
	}
	for i := range l.Rollouts {
		if l.Rollouts[i].active() {
			versions = append(versions, l.Rollouts[i].Candidate)
		}
	}
	return versions
}

// allows refuses what a change names and the build lacks. What the document before had
// in the same place may stay there. Both are formed.
func (known Catalogue) allows(next, before *Document) error {
	for _, class := range slices.Sorted(maps.Keys(next.Classes)) {
		at, was := path("classes."+string(class)), before.Classes[class]
		if _, there := known[class]; !there && was == nil {
			return at.fail("there is no adapter for this class; known: %s", list(slices.Sorted(maps.Keys(known))))
		}
		if was == nil {
			was = &Layer{}
		}
		if err := known.allowsLayer(at, class, next.Classes[class], was); err != nil {
			return err
		}
	}
	return nil
}

func (known Catalogue) allowsLayer(at path, class devices.Class, next, was *Layer) error {
	refuse := func(at path, version string) error {
		return at.fail("there is no version %.64q; known: %s", version, list(known[class]))
	}
	if v := next.Control; v != "" && v != was.Control && !known.has(class, v) {
		return refuse(at.of("control"), v)
	}
	for i := range next.Rollouts {
		r := &next.Rollouts[i]
		if old := was.find(r.Name); !known.has(class, r.Candidate) && !r.continues(old) {
			return refuse(at.of("rollouts").index(i).of("candidate"), r.Candidate)
		}
	}
	for _, version := range slices.Sorted(maps.Keys(next.Quarantine)) {
		if _, out := was.Quarantine[version]; !out && !known.has(class, version) {
			return refuse(at.of("quarantine").of(version), version)
		}
	}
	return nil
}

// continues reports whether a rollout gives its candidate no more than an old one of
// its name did: it has ended, or neither has.
func (r *Rollout) continues(old *Rollout) bool {
	return old != nil && old.Candidate == r.Candidate && (!r.active() || old.active())
}

// validVersion refuses what names no version of any build.
func validVersion(at path, version string) error {
	if version == "" || len(version) > maxText {
		return at.fail("must name a version, in 1 to %d bytes", maxText)
	}
	return nil
}
