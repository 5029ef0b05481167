package rollout

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

// The bounds of a document.
const (
	maxRollouts = 1_000 // of a class
	maxSteps    = 50
	maxRules    = 1_000 // of each list
	maxPointers = 100   // of each list of a shadow
	maxText     = 64    // bytes of a salt, a unit and the like
	maxSoak     = 30 * 24 * time.Hour
	maxExcess   = 1_000 // percent
	maxPanics   = 1_000_000
)

var validName = regexp.MustCompile(`^[a-z][a-z0-9-]{0,63}$`)

var errDuration = errors.New("must be a duration with its unit, such as 10m")

// Validate checks a document that is all new to a build. Its error is a [fault.Error]
// of code Invalid that names the first field at fault, such as
// "classes.phone.rollouts[0].share".
func (d *Document) Validate(known Catalogue) error {
	return d.follows(&Document{}, known)
}

// follows checks a document that a build is to put in the place of another.
func (d *Document) follows(before *Document, known Catalogue) error {
	return firstOf(d.formed, func() error { return known.allows(d, before) }, d.disjoint)
}

// Check checks a document whichever versions a build has. Its error is as that of
// Validate.
func (d *Document) Check() error { return firstOf(d.formed, d.disjoint) }

// disjoint refuses rollouts that have a unit in common.
func (d *Document) disjoint() error {
	for _, class := range slices.Sorted(maps.Keys(d.Classes)) {
		if err := d.Classes[class].disjoint(path("classes." + string(class)).of("rollouts")); err != nil {
			return err
		}
	}
	return nil
}

// formed checks each value by itself, and how many there are.
func (d *Document) formed() error {
	for _, class := range slices.Sorted(maps.Keys(d.Classes)) {
		at := path("classes." + string(class))
		if err := within(at, string(class)); err != nil {
			return err
		}
		if d.Classes[class] == nil {
			return at.fail("must not be null")
		}
		if err := d.Classes[class].check(at); err != nil {
			return err
		}
	}
	return nil
}

// path is where a value stands in a document.
type path string

func (p path) of(field string) path { return p + "." + path(field) }

func (p path) index(i int) path { return p + path(fmt.Sprintf("[%d]", i)) }

func (p path) fail(format string, args ...any) error {
	return fault.InvalidField(string(p), fmt.Sprintf(format, args...))
}

func list[S ~string](names []S) string {
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = string(n)
	}
	return strings.Join(texts, ", ")
}

// firstOf returns the first error that a check finds.
func firstOf(checks ...func() error) error {
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (l *Layer) check(at path) error {
	return firstOf(
		func() error { return within(at.of("salt"), l.Salt) },
		func() error { return within(at.of("control"), l.Control) },
		func() error { return percent(at.of("holdout"), l.Holdout) },
		func() error { return l.quarantined(at.of("quarantine")) },
		func() error { return l.rollouts(at.of("rollouts")) },
	)
}

func within(at path, text string) error {
	if len(text) > maxText {
		return at.fail("must be at most %d bytes", maxText)
	}
	return nil
}

func percent(at path, p Percent) error {
	if !p.valid() {
		return at.fail(percentRule)
	}
	return nil
}

func (l *Layer) quarantined(at path) error {
	for _, version := range slices.Sorted(maps.Keys(l.Quarantine)) {
		if err := validVersion(at.of(version), version); err != nil {
			return err
		}
	}
	return nil
}

func (l *Layer) rollouts(at path) error {
	if len(l.Rollouts) > maxRollouts {
		return at.fail("are %d; at most %d are allowed", len(l.Rollouts), maxRollouts)
	}
	names := make(map[string]bool, len(l.Rollouts))
	for i := range l.Rollouts {
		r := &l.Rollouts[i]
		if names[r.Name] {
			return at.index(i).of("name").fail("there are two rollouts called %.64q", r.Name)
		}
		names[r.Name] = true
		if err := r.validate(at.index(i)); err != nil {
			return err
		}
	}
	return nil
}

// disjoint refuses rollouts that have a unit in common, or one of the holdout.
func (l *Layer) disjoint(at path) error {
	taken := make([]int, 0, len(l.Rollouts))
	for i := range l.Rollouts {
		if l.Rollouts[i].active() {
			taken = append(taken, i)
		}
	}
	slices.SortStableFunc(taken, func(a, b int) int {
		return l.Rollouts[a].Slice.From.buckets() - l.Rollouts[b].Slice.From.buckets()
	})
	for n, i := range taken {
		r := &l.Rollouts[i]
		if n > 0 && l.Rollouts[taken[n-1]].Slice.overlaps(r.Slice) {
			return at.index(i).of("slice").fail("overlaps that of %s", l.Rollouts[taken[n-1]].Name)
		}
		if free := Buckets - l.Holdout.buckets(); r.Slice.To.buckets() > free {
			return at.index(i).of("slice.to").fail("reaches into the holdout, which begins at %v", percentOf(free))
		}
	}
	return nil
}

func (r *Rollout) validate(at path) error {
	return firstOf(
		func() error {
			if !validName.MatchString(r.Name) {
				return at.of("name").fail("must be a-z, then at most 63 of a-z, 0-9 and -")
			}
			return validVersion(at.of("candidate"), r.Candidate)
		},
		func() error { return r.Slice.validate(at.of("slice")) },
		func() error { return r.fits(at.of("share"), r.Share) },
		func() error { return r.Status.validate(at.of("status")) },
		func() error { return r.Rules.validate(at.of("rules")) },
		func() error { return r.steps(at.of("plan")) },
		func() error { return r.Guard.validate(at.of("guard")) },
		func() error { return r.Shadow.validate(at.of("shadow")) },
	)
}

func (s Slice) validate(at path) error {
	switch {
	case !s.From.valid():
		return at.of("from").fail(percentRule)
	case !s.To.valid():
		return at.of("to").fail(percentRule)
	case s.size() <= 0:
		return at.fail("is empty: to must be above from")
	}
	return nil
}

// fits reports whether a share is one, and has room in the slice.
func (r *Rollout) fits(at path, share Percent) error {
	if err := percent(at, share); err != nil {
		return err
	}
	if share.buckets() > r.Slice.size() {
		return at.fail("is %v, but the slice has only %v", share, percentOf(r.Slice.size()))
	}
	return nil
}

func (s Status) validate(at path) error {
	all := []Status{Running, Paused, Aborted, Promoted}
	if !slices.Contains(all, s) {
		return at.fail("must be one of %s", list(all))
	}
	return nil
}

func (r *Rollout) steps(at path) error {
	if len(r.Plan) > maxSteps {
		return at.fail("has %d steps; at most %d are allowed", len(r.Plan), maxSteps)
	}
	for i, step := range r.Plan {
		if err := r.fits(at.index(i).of("share"), step.Share); err != nil {
			return err
		}
		if i > 0 && step.Share <= r.Plan[i-1].Share {
			return at.index(i).of("share").fail("must be above that of the step before")
		}
		if step.Soak < 0 || time.Duration(step.Soak) > maxSoak {
			return at.index(i).of("soak").fail("must be 0s to 720h")
		}
	}
	if r.Automatic && len(r.Plan) == 0 {
		return at.fail("is needed by a rollout that advances by itself")
	}
	return nil
}

func (r *Rules) validate(at path) error {
	for name, version := range map[string]string{"min": r.AppVersion.Min, "below": r.AppVersion.Below} {
		if version != "" && !validAppVersion(version) {
			return at.of("app_version." + name).fail("must be numbers with dots between, such as 5.2.0")
		}
	}
	if r.AppVersion.empty() {
		return at.of("app_version.below").fail("must be above min: it admits nobody")
	}
	for name, texts := range map[string][]string{"countries": r.Countries, "locales": r.Locales, "allow": r.Allow} {
		if len(texts) > maxRules {
			return at.of(name).fail("has %d entries; at most %d are allowed", len(texts), maxRules)
		}
		for i, text := range texts {
			if err := ruleForms[name].check(at.of(name).index(i), text); err != nil {
				return err
			}
		}
	}
	return nil
}

// form is how a text of a rule is written; without a pattern, as it likes.
type form struct {
	pattern *regexp.Regexp
	say     string
}

func (f form) check(at path, text string) error {
	switch {
	case text == "" || len(text) > maxText:
		return at.fail("must be 1 to %d bytes", maxText)
	case f.pattern != nil && !f.pattern.MatchString(text):
		return at.fail("must be %s", f.say)
	}
	return nil
}

// ruleForms are what would match nobody if it were written otherwise.
var ruleForms = map[string]form{
	"countries": {regexp.MustCompile(`^[A-Za-z]{2}$`), "two letters, such as NL (ISO 3166-1)"},
	"locales":   {regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$`), "a language, such as nl or nl-BE (RFC 5646)"},
}

func (g *Guard) validate(at path) error {
	const least, most = 20, 1_000_000
	switch {
	case g == nil:
		return nil
	case g.MinSamples < least || g.MinSamples > most:
		return at.of("min_samples").fail("must be %d to %d requests", least, most)
	case g.Alpha != 0 && !(g.Alpha >= 0.0001 && g.Alpha <= 0.1):
		return at.of("alpha").fail("must be 0.0001 to 0.1")
	case !g.Errors.valid():
		return at.of("errors").fail(percentRule)
	case !g.Degraded.valid():
		return at.of("degraded").fail(percentRule)
	case g.Panics < 0 || g.Panics > maxPanics:
		return at.of("panics").fail("must be 0 to %d", maxPanics)
	}
	for name, excess := range map[string]float64{"p50": g.P50, "p99": g.P99, "bytes": g.Bytes} {
		if math.IsNaN(excess) || excess < 0 || excess > maxExcess {
			return at.of(name).fail("must be 0 to %d percent", maxExcess)
		}
	}
	return g.limited(at)
}

func (g *Guard) limited(at path) error {
	if (*g == Guard{MinSamples: g.MinSamples, Alpha: g.Alpha, Hold: g.Hold}) {
		return at.fail("has no limit: one of errors, degraded, panics, p50, p99 and bytes is needed")
	}
	return nil
}

func (s *Shadow) validate(at path) error {
	if s == nil {
		return nil
	}
	if err := percent(at.of("sample"), s.Sample); err != nil {
		return err
	}
	for name, pointers := range map[string][]string{"ignore": s.Ignore, "unordered": s.Unordered} {
		if len(pointers) > maxPointers {
			return at.of(name).fail("has %d entries; at most %d are allowed", len(pointers), maxPointers)
		}
		for i, p := range pointers {
			if !strings.HasPrefix(p, "/") || len(p) > 4*maxText {
				return at.of(name).index(i).fail("must be a JSON pointer of at most %d bytes, such as /reviews/*/helpful", 4*maxText)
			}
		}
	}
	return nil
}
