package shadow

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Rules say what does not matter in two pages. Their entries are JSON pointers (RFC
// 6901) in which * stands for any member or any index, such as "/reviews/*/helpful".
type Rules struct {
	Ignore    []string // values that may differ, or be missing
	Unordered []string // lists whose order does not matter, of at most 1,000 elements: they are compared as multisets
}

// maxUnordered is how many elements a list has at most whose order does not matter. One
// that is longer, in either page, is compared in order.
const maxUnordered = 1000

// The bounds of a pointer.
const (
	maxPointer = 1024 // bytes
	maxTokens  = maxDepth
)

var errPointer = errors.New("must be a JSON pointer of at most 1024 bytes, such as /reviews/*/helpful")

// Validate returns an error that names the first entry that is no pointer.
func (r Rules) Validate() error {
	for name, entries := range map[string][]string{"ignore": r.Ignore, "unordered": r.Unordered} {
		for i, p := range entries {
			if _, err := tokens(p); err != nil {
				return fmt.Errorf("%s[%d]: %w", name, i, err)
			}
		}
	}
	return nil
}

// tokens returns the members and indexes that a pointer leads through.
func tokens(pointer string) ([]string, error) {
	if pointer == "" { // the whole page
		return nil, nil
	}
	if pointer[0] != '/' || len(pointer) > maxPointer {
		return nil, errPointer
	}
	all := strings.Split(pointer[1:], "/")
	if len(all) > maxTokens {
		return nil, errPointer
	}
	for i, token := range all {
		if strings.Contains(strings.ReplaceAll(strings.ReplaceAll(token, "~0", ""), "~1", ""), "~") {
			return nil, errPointer
		}
		all[i] = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
	}
	return all, nil
}

// rule is what the rules say of one place, and of those below it.
type rule struct {
	ignore, unordered bool
	below             map[string]*rule
}

// anything stands for every member and index.
const anything = "*"

// compile returns what the rules say of the whole page.
func (r Rules) compile() matches {
	if len(r.Ignore)+len(r.Unordered) == 0 {
		return nil
	}
	top := &rule{}
	for _, p := range r.Ignore {
		if at := top.reach(p); at != nil {
			at.ignore = true
		}
	}
	for _, p := range r.Unordered {
		if at := top.reach(p); at != nil {
			at.unordered = true
		}
	}
	return matches{top}
}

// reach returns the rule of a pointer, nil if it is none.
func (r *rule) reach(pointer string) *rule {
	all, err := tokens(pointer)
	if err != nil {
		return nil
	}
	for _, token := range all {
		if r.below == nil {
			r.below = make(map[string]*rule)
		}
		if r.below[token] == nil {
			r.below[token] = &rule{}
		}
		r = r.below[token]
	}
	return r
}

// matches are the rules that one place has: one by each way of spelling it.
type matches []*rule

func (m matches) ignored() bool {
	for _, r := range m {
		if r.ignore {
			return true
		}
	}
	return false
}

func (m matches) unordered() bool {
	for _, r := range m {
		if r.unordered {
			return true
		}
	}
	return false
}

// member returns the rules of a member of an object.
func (m matches) member(name string) matches {
	below := m.elements()
	if name == anything { // which is spelled that way already
		return below
	}
	for _, r := range m {
		if next := r.below[name]; next != nil {
			below = append(below, next)
		}
	}
	return below
}

// element returns the rules of an element of a list that has an order.
func (m matches) element(i int) matches {
	if len(m) == 0 {
		return nil
	}
	return m.member(strconv.Itoa(i))
}

// elements returns the rules of any element of a list: all that there are where the
// order, and with it an index, means nothing.
func (m matches) elements() matches {
	var below matches
	for _, r := range m {
		if next := r.below[anything]; next != nil {
			below = append(below, next)
		}
	}
	return below
}
