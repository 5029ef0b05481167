package shadow

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// Difference is one place at which two answers differ: in their pages, or where Path
// and At are no pointers in "status", "content_type", "body" or "panic".
type Difference struct {
	Path      string `json:"path"`                // At with * for each index, to be counted by
	At        string `json:"at"`                  // an RFC 6901 pointer into control's page, or the candidate's, if control has none
	Kind      Kind   `json:"kind"`                // such as "changed"
	Control   string `json:"control,omitempty"`   // what is there, as JSON of at most 120 bytes; "": nothing
	Candidate string `json:"candidate,omitempty"` // likewise
}

// Kind is how two pages differ at a place.
type Kind string

// The kinds of a difference.
const (
	Missing Kind = "missing" // control has it, the candidate has not
	Added   Kind = "added"   // the candidate has it, control has not
	Changed Kind = "changed" // both are of one type
	Type    Kind = "type"    // they are not: null, bool, number, string, list, object, or no JSON at all
)

// maxTold is how many differences of a pair of pages are told. All are counted.
const maxTold = 20

// Compare returns how a candidate's page differs from control's, both JSON: the
// first 20 differences, members by name, and how many there are. They are equal when
// their meaning is: numbers by value, whatever their size (1.0 is 1); objects whatever
// the order of their members, of which one that is absent is not one that is null;
// lists in order, unless the rules say otherwise of them. Of members of one name in
// one object the last counts.
//
// What is no JSON, is over 1 MiB or deeper than 100 is not compared: unless the
// bytes are the same, that is the one difference. A rule that is not valid matches
// nothing. It takes some 20 ns for each byte of both pages, and ten times their memory;
// the elements of an unordered list are spelled once more for each such list that they
// are in.
func Compare(control, candidate []byte, rules Rules) (told []Difference, count int) {
	c := compare(control, candidate, rules)
	return c.told, c.count
}

func compare(control, candidate []byte, rules Rules) *comparison {
	c := &comparison{}
	if bytes.Equal(control, candidate) {
		return c
	}
	a, b := read(control), read(candidate)
	c.values(rules.compile(), a, b)
	return c
}

// comparison is what has been found in two pages, and where it is.
type comparison struct {
	at     []step
	names  []string // of the members of the objects on the way
	told   []Difference
	count  int
	counts map[place]uint64
}

// step is a member of an object, or an element of a list.
type step struct {
	name  string
	index int // of an element; -1: it is a member
}

// place is what differences are counted by.
type place struct {
	path string
	kind Kind
}

// maxPlaces is how many places are told apart in a pair, and of a candidate.
const maxPlaces = 200

// values compares two values at one place.
func (c *comparison) values(m matches, a, b any) {
	if m.ignored() {
		return
	}
	switch one := a.(type) {
	case map[string]any:
		if other, ok := b.(map[string]any); ok {
			c.objects(m, one, other)
			return
		}
	case []any:
		if other, ok := b.([]any); ok {
			c.lists(m, one, other)
			return
		}
	default:
		if sameScalar(a, b) {
			return
		}
	}
	c.differ(a, b)
}

func (c *comparison) objects(m matches, a, b map[string]any) {
	from := len(c.names)
	for name := range a {
		c.names = append(c.names, name)
	}
	for _, name := range c.sorted(from) {
		c.enter(step{name, -1})
		if other, there := b[name]; there {
			c.values(m.member(name), a[name], other)
		} else {
			c.only(m.member(name), Missing, a[name])
		}
		c.leave()
	}
	c.names = c.names[:from]
	for name := range b {
		if _, there := a[name]; !there {
			c.names = append(c.names, name)
		}
	}
	for _, name := range c.sorted(from) {
		c.enter(step{name, -1})
		c.only(m.member(name), Added, b[name])
		c.leave()
	}
	c.names = c.names[:from]
}

// sorted returns the names from an index on, in their order. Those of deeper objects
// come behind them, and may move them to other memory: what is returned stays.
func (c *comparison) sorted(from int) []string {
	names := c.names[from:]
	slices.Sort(names)
	return names
}

func (c *comparison) lists(m matches, a, b []any) {
	if m.unordered() && max(len(a), len(b)) <= maxUnordered {
		c.multisets(m.elements(), a, b)
		return
	}
	for i := range max(len(a), len(b)) {
		c.element(m.element(i), i, a[min(i, len(a)):], i, b[min(i, len(b)):])
	}
}

// element compares the first of what is left of two lists, which may be none.
func (c *comparison) element(m matches, i int, a []any, j int, b []any) {
	switch {
	case len(b) == 0:
		c.enter(step{index: i})
		c.only(m, Missing, a[0])
	case len(a) == 0:
		c.enter(step{index: j})
		c.only(m, Added, b[0])
	default:
		c.enter(step{index: i})
		c.values(m, a[0], b[0])
	}
	c.leave()
}

// multisets compares two lists whose order does not matter: equal elements are paired
// up, and what is left is compared in the order in which it comes, so that it is told
// what an element has that is like none.
func (c *comparison) multisets(m matches, a, b []any) {
	if m.ignored() {
		return
	}
	left, right := unpaired(m, a, b)
	for n := range max(len(left), len(right)) {
		var i, j int
		var one, other []any
		if n < len(left) {
			i, one = left[n], a[left[n]:]
		}
		if n < len(right) {
			j, other = right[n], b[right[n]:]
		}
		c.element(m, i, one, j, other)
	}
}

// unpaired returns the indexes of the elements that have no equal in the other list.
func unpaired(m matches, a, b []any) (left, right []int) {
	of := make(map[string][]int, len(b))
	for j, v := range b {
		key := string(canonical(nil, m, v))
		of[key] = append(of[key], j)
	}
	for i, v := range a {
		key := string(canonical(nil, m, v))
		if equal := of[key]; len(equal) > 0 {
			of[key] = equal[1:]
		} else {
			left = append(left, i)
		}
	}
	for _, rest := range of {
		right = append(right, rest...)
	}
	slices.Sort(right)
	return left, right
}

// only tells of what one page has and the other has not.
func (c *comparison) only(m matches, kind Kind, v any) {
	if !m.ignored() {
		c.tell(kind, v, v)
	}
}

// differ tells of two values that are not equal.
func (c *comparison) differ(a, b any) {
	kind := Changed
	if typeOf(a) != typeOf(b) {
		kind = Type
	}
	c.tell(kind, a, b)
}

// tell takes down a difference at the place that has been reached.
func (c *comparison) tell(kind Kind, a, b any) {
	where := place{c.pointer(true), kind}
	if len(c.told) >= maxTold {
		c.add(where)
		return
	}
	d := Difference{Path: where.path, At: c.pointer(false), Kind: kind}
	if kind != Added {
		d.Control = text(a)
	}
	if kind != Missing {
		d.Candidate = text(b)
	}
	c.take(d)
}

// take takes down a difference that is told.
func (c *comparison) take(d Difference) {
	c.told = append(c.told, d)
	c.add(place{d.Path, d.Kind})
}

// add counts a difference.
func (c *comparison) add(where place) {
	c.count++
	if c.counts == nil {
		c.counts = make(map[place]uint64)
	}
	addTo(c.counts, where, 1)
}

// addTo counts what is at a place, or at "other" if there are too many places.
func addTo(counts map[place]uint64, where place, n uint64) {
	if _, known := counts[where]; !known && len(counts) >= maxPlaces {
		where = place{path: other}
	}
	counts[where] += n
}

// other is the place of differences for which there is no room.
const other = "other"

func (c *comparison) enter(s step) { c.at = append(c.at, s) }

func (c *comparison) leave() { c.at = c.at[:len(c.at)-1] }

// escaped spells a member's name in a pointer (RFC 6901, section 3).
var escaped = strings.NewReplacer("~", "~0", "/", "~1") //nolint:gochecknoglobals // it does not change

// pointer returns where the comparison is; as a pattern, whatever the index.
func (c *comparison) pointer(pattern bool) string {
	var p []byte
	for _, s := range c.at {
		p = append(p, '/')
		switch {
		case s.index < 0:
			p = append(p, escaped.Replace(s.name)...)
		case pattern:
			p = append(p, '*')
		default:
			p = strconv.AppendInt(p, int64(s.index), 10)
		}
	}
	return string(p)
}
