package report

import (
	"strconv"
	"strings"
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

// maxParts is how many parts a header may name: more than any page has.
const maxParts = 100

// maxAge is how old a remembered answer can be, and more: thirty years.
const maxAge = 30 * 365 * 24 * 60 * 60

// ParseParts reads the value of `Facet-Parts` as another gateway has written it (see
// [Report.PartsHeader]): of the dictionaries of RFC 9651, those whose members are rungs
// with age, holes and reason. Parameters of other names are ignored. It reports false
// of anything else; what a field says that cannot be parsed is nothing (section 4.2).
func ParseParts(header string) ([]Part, bool) {
	if strings.Trim(header, " ") == "" {
		return nil, true
	}
	members := strings.SplitN(header, ",", maxParts+1)
	if len(members) > maxParts {
		return nil, false
	}
	parts := make([]Part, 0, len(members))
	for _, member := range members {
		p, ok := parsePart(strings.Trim(member, " \t"))
		if !ok {
			return nil, false
		}
		parts = append(parts, p)
	}
	return parts, true
}

func parsePart(member string) (p Part, ok bool) {
	items := strings.Split(member, ";")
	name, rung, _ := strings.Cut(items[0], "=")
	if p.Name = name; !validPart(name) {
		return p, false
	}
	if p.Mark.Rung, ok = named(Rungs(), rung); !ok {
		return p, false
	}
	reason := fault.None
	for _, item := range items[1:] {
		key, value, _ := strings.Cut(strings.TrimLeft(item, " "), "=")
		switch key {
		case "age":
			var seconds int
			seconds, ok = parseCount(value, maxAge)
			p.Mark.Age = time.Duration(seconds) * time.Second
		case "holes":
			p.Holes.Count, ok = parseCount(value, maxHoles)
		case "reason":
			reason, ok = named(fault.Reasons(), value)
		}
		if !ok {
			return p, false
		}
	}
	p.because(reason)
	return p, true
}

// because gives the reason its place: a live part has one for its holes only.
func (p *Part) because(reason fault.Reason) {
	if p.Mark.Rung <= Live {
		p.Holes.Reason = reason
	} else {
		p.Mark.Reason = reason
	}
}

const maxHoles = 1_000_000

func parseCount(text string, most int) (int, bool) {
	n, err := strconv.ParseUint(text, 10, 31)
	return int(n), err == nil && int(n) <= most
}

// named returns the one of a closed set that is spelled so.
func named[T interface{ String() string }](all []T, text string) (one T, ok bool) {
	for _, one = range all {
		if one.String() == text {
			return one, true
		}
	}
	return one, false
}

const maxPartName = 64 // bytes

func validPart(name string) bool {
	for i, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return name != "" && len(name) <= maxPartName
}
