package adaptertest

import (
	"reflect"
	"strconv"
)

// A combination of losses is held to the losses by themselves: each value of the
// page, and of Facet-Parts, is as it was, or as the one loss that changes it makes
// it. What several change is looked at from within, and let be where it has no
// inside to tell them apart: a list that two losses shorten, say.
//
// Where something stands in for what is lost, it has an inside of its own, which
// further losses change in their way. So that page is the one that they are compared
// with, and of a single further loss only what neither of the two changes is known.

// variant is what one loss makes of a value.
type variant struct {
	value any
	free  bool // something stands in: beside other losses it may look otherwise
}

// absent is the value of what is not there.
type absent struct{}

// compare returns the names of what is wrong with the page of a subset in which
// nothing is required.
func (l *lattice) compare(lost subset) []string {
	base, further, free := l.basis(lost)
	var faults []string
	for _, key := range l.keys {
		was, is := child(l.trees[base], key), child(l.trees[lost], key)
		var losses []variant
		for one := range further.ones {
			losses = append(losses, variant{child(l.trees[base|one], key), free&one != 0})
		}
		if free != 0 && reflect.DeepEqual(was, is) {
			continue
		}
		if path := unexplained(key, was, is, losses); path != "" {
			faults = append(faults, path)
		}
	}
	return faults
}

// basis says which page that of a subset is compared with, by which further losses
// it differs from that, and for which of these something stands in.
func (l *lattice) basis(lost subset) (base, further, free subset) {
	replaced := lost & l.replacing
	switch rest := lost &^ replaced; {
	case rest.size() > 1:
		return replaced, rest, 0
	case lost.size() > 1:
		return 0, lost, replaced
	}
	return 0, lost, 0
}

// unexplained returns the path of a value that is neither as it was nor as one of
// the losses makes it; "" if there is none.
func unexplained(path string, was, is any, losses []variant) string {
	var changing []variant
	free := false
	for _, v := range losses {
		if !reflect.DeepEqual(v.value, was) {
			changing, free = append(changing, v), free || v.free
		}
	}
	switch {
	case free:
		return ""
	case len(changing) > 1:
		return within(path, was, is, changing)
	case len(changing) == 1:
		was = changing[0].value
	}
	if !reflect.DeepEqual(was, is) {
		return path
	}
	return ""
}

// within looks into a value that several losses change.
func within(path string, was, is any, losses []variant) string {
	shape := shapeOf(was)
	alike := shape != leaf && shapeOf(is) == shape
	all := []any{was, is}
	for _, v := range losses {
		alike = alike && shapeOf(v.value) == shape
		all = append(all, v.value)
	}
	switch {
	case !alike && reflect.DeepEqual(was, is): // though each of them changes it
		return path
	case !alike:
		return ""
	}
	for _, key := range keysOf(all) {
		inner := make([]variant, len(losses))
		for i, v := range losses {
			inner[i] = variant{child(v.value, key), v.free}
		}
		if found := unexplained(path+"."+key, child(was, key), child(is, key), inner); found != "" {
			return found
		}
	}
	return ""
}

// The shapes of values without a length; a list's shape is its length.
const (
	object = -1
	leaf   = -2
)

func shapeOf(v any) int {
	switch v := v.(type) {
	case map[string]any:
		return object
	case []any:
		return len(v)
	}
	return leaf
}

// child returns the member of an object, or the element of a list by its number.
func child(of any, key string) any {
	switch of := of.(type) {
	case map[string]any:
		if v, there := of[key]; there {
			return v
		}
	case []any:
		if i, err := strconv.Atoi(key); err == nil && i < len(of) {
			return of[i]
		}
	}
	return absent{}
}

// keysOf returns the keys that any of the objects or lists has, each once.
func keysOf(all []any) []string {
	var keys []string
	seen := map[string]bool{}
	add := func(key string) {
		if !seen[key] {
			seen[key] = true
			keys = append(keys, key)
		}
	}
	for _, v := range all {
		switch v := v.(type) {
		case map[string]any:
			for key := range v {
				add(key)
			}
		case []any:
			for i := range v {
				add(strconv.Itoa(i))
			}
		}
	}
	return keys
}
