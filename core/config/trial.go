package config

import "strings"

// trial reads the fields of a struct that another package validates, and turns
// what that package says into errors at the right lines. What is refused is
// taken back, so that the next fault can be found.
type trial map[string]attempt

type attempt struct {
	at   value
	undo func()
}

// try is like [set], for the field that the validating package calls key. Its
// name in the file is the last part of key.
func try[T any](t trial, key string, target *T, read reader[T]) field {
	return field{key[strings.LastIndexByte(key, '.')+1:], func(v value) {
		got, ok := read(v)
		if !ok {
			return
		}
		old := *target
		*target = got
		t[key] = attempt{v, func() { *target = old }}
	}}
}

// settle validates until nothing is wrong. The function returns the key of the
// first field at fault and the words for it, no words if there is none. A fault
// in a field that the file did not set is one of the block v.
func (t trial) settle(v value, validate func() (key, problem string)) {
	for {
		key, problem := validate()
		if problem == "" {
			return
		}
		a, ok := t[key]
		if !ok {
			v.path += "." + key
			v.failKey("its default %s", problem)
			return
		}
		a.at.fail("%s %s", spelled(a.at.node), problem)
		a.undo()
		delete(t, key)
	}
}
