package openapi

import (
	"reflect"
	"slices"
	"strings"
)

// member is a field of a struct, as JSON has it.
type member struct {
	name     string
	kind     reflect.Type
	depth    int  // of embedding
	optional bool // it is left out when it is empty
	quoted   bool // a number or a truth value, written as a text
}

// members returns the fields of a struct in their order, with those of structs
// that are embedded without a name. One that is embedded less deeply hides its
// namesakes, as encoding/json has it.
func members(t reflect.Type, above []reflect.Type) []member {
	var all []member
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Tag.Get("json") == "-" {
			continue
		}
		if inner := embedded(f); inner != nil {
			if !slices.Contains(above, inner) {
				all = append(all, promoted(members(inner, append(above, t)), f)...)
			}
		} else if f.IsExported() {
			all = append(all, newMember(f))
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(m member) bool {
		return slices.ContainsFunc(all, func(other member) bool { return other.name == m.name && other.depth < m.depth })
	})
}

// embedded returns the struct whose fields a field stands for; nil if it is one itself.
func embedded(f reflect.StructField) reflect.Type {
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if !f.Anonymous || name != "" || t.Kind() != reflect.Struct || itself(t) != nil {
		return nil
	}
	return t
}

// promoted returns the fields of an embedded struct as those of the outer one. A
// pointer that is nil leaves all of them out.
func promoted(inner []member, f reflect.StructField) []member {
	for i := range inner {
		inner[i].depth++
		inner[i].optional = inner[i].optional || f.Type.Kind() == reflect.Pointer
	}
	return inner
}

func newMember(f reflect.StructField) member {
	m := member{name: f.Name, kind: f.Type}
	for i, word := range strings.Split(f.Tag.Get("json"), ",") {
		switch {
		case i == 0 && word != "":
			m.name = word
		case i == 0:
		case word == "omitempty", word == "omitzero":
			m.optional = true
		case word == "string":
			m.quoted = quotable(f.Type)
		}
	}
	return m
}

// quotable reports whether the option "string" means anything of a type.
func quotable(t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Kind() == reflect.String || t.Kind() >= reflect.Bool && t.Kind() <= reflect.Float64
}
