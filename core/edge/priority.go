package edge

import (
	"net/http"
	"strings"
)

// Priority says who waits for a page.
type Priority uint8

// The priorities. A request is a person's unless a header says otherwise.
const (
	Person Priority = iota // somebody waits for it
	Ahead                  // an app prefetches it
)

// Priorities returns both, the higher one first.
func Priorities() []Priority { return []Priority{Person, Ahead} }

// String returns the priority's name, as counters use it.
func (p Priority) String() string {
	if p == Ahead {
		return "prefetch"
	}
	return "person"
}

// noUrgency is more than any: RFC 9218 has 0 to 7, and 3 where nothing is said.
const noUrgency = 8

// rules say what a prefetch is.
type rules struct {
	urgency     byte // '1' to '8'
	name, value string
}

func newRules(p Prefetch) rules {
	name, value, _ := cutHeader(p.Header)
	return rules{urgency: '0' + byte(p.Urgency), name: name, value: value} //nolint:gosec // Validate bounds it
}

// of returns the priority that a request's header gives it. Each rule can only
// lower it: that is why none of them needs to be trusted. What is malformed says
// nothing. It takes time in proportion to the header's length, and no memory.
func (r rules) of(h http.Header) Priority {
	if purposeIsPrefetch(h["Sec-Purpose"]) || urgencyOf(h["Priority"]) >= r.urgency {
		return Ahead
	}
	if r.name != "" {
		for _, value := range h[r.name] {
			if value == r.value {
				return Ahead
			}
		}
	}
	return Person
}

// purposeIsPrefetch reads Sec-Purpose (the Fetch standard, and Speculation
// Rules): a list of tokens with parameters, as in "prefetch;prerender".
func purposeIsPrefetch(lines []string) bool {
	for _, line := range lines {
		if strings.IndexByte(line, '"') >= 0 {
			continue // no purpose is a string
		}
		for member := range strings.SplitSeq(line, ",") {
			token, _, _ := strings.Cut(member, ";")
			if trim(token) == "prefetch" {
				return true
			}
		}
	}
	return false
}

// urgencyOf reads the u of Priority (RFC 9218), a dictionary of RFC 9651 as in
// "u=5, i": '0' to '7', and 0 of a header that says nothing or is malformed.
// Of two the last counts, as that standard has it.
func urgencyOf(lines []string) (urgency byte) {
	for _, line := range lines {
		for member := range strings.SplitSeq(line, ",") {
			member, _, _ = strings.Cut(trim(member), ";")
			key, value, valued := strings.Cut(member, "=")
			switch {
			case !isKey(key) || valued && !isPlain(value):
				return 0
			case key == "u" && valued && len(value) == 1 && value[0] >= '0' && value[0] <= '7':
				urgency = value[0]
			case key == "u":
				urgency = 0 // out of range, or not a number: as if it were not there
			}
		}
	}
	return urgency
}

func trim(text string) string { return strings.Trim(text, " \t") }

// isKey holds for the keys of a dictionary.
func isKey(text string) bool {
	return text != "" && (text[0] >= 'a' && text[0] <= 'z' || text[0] == '*') && of(text, func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("_-.*", c) >= 0
	})
}

// isPlain holds for numbers, tokens and booleans: a value that could hide a comma
// is none that Priority has.
func isPlain(text string) bool {
	return text != "" && of(text, func(c byte) bool { return c > ' ' && c <= '~' && strings.IndexByte(`"()=`, c) < 0 })
}

func of(text string, holds func(byte) bool) bool {
	for i := range len(text) {
		if !holds(text[i]) {
			return false
		}
	}
	return true
}
