package openapi

import (
	"reflect"
	"strconv"
	"strings"
	"unicode"
)

// nameAll gives each struct the name of its type with a capital, such as
// ProductPage; those that share one get the name of their package before it, and
// those that share that one, too, a number behind it.
func nameAll(structs []reflect.Type) map[reflect.Type]string {
	shared := make(map[string]int)
	for _, t := range structs {
		shared[plainName(t)]++
	}
	names, taken := make(map[reflect.Type]string, len(structs)), make(map[string]int)
	for _, t := range structs {
		name := plainName(t)
		if shared[name] > 1 {
			name = capital(t.PkgPath()[strings.LastIndexByte(t.PkgPath(), '/')+1:]) + name
		}
		if taken[name]++; taken[name] > 1 {
			name += "_" + strconv.Itoa(taken[name])
		}
		names[t] = name
	}
	return names
}

// plainName returns the name of a type in the letters that a component may have.
// A generic type has those that it is made of in brackets.
func plainName(t reflect.Type) string {
	parts := strings.FieldsFunc(t.Name(), func(r rune) bool { return r == '[' || r == ']' || r == ',' })
	for i, part := range parts {
		_, part, found := strings.Cut(part[strings.LastIndexByte(part, '/')+1:], ".")
		if !found {
			part = parts[i]
		}
		parts[i] = capital(strings.Map(componentLetter, part))
	}
	return strings.Join(parts, "")
}

// componentLetter leaves out what a component's name may not hold.
func componentLetter(r rune) rune {
	if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) || r == '_' {
		return r
	}
	return -1
}

func capital(name string) string {
	if name == "" {
		return name
	}
	return strings.ToUpper(name[:1]) + name[1:]
}
