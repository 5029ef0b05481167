package openapi

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"
)

// shapes makes schemas of types, as package adapter's encoder writes them. A named
// struct becomes a component, made once.
type shapes struct {
	structs []reflect.Type // in the order in which they were met
	bodies  map[reflect.Type]*schema
	refs    []*schema
	errs    []error
}

// enumerated is a type of text that knows all its values.
type enumerated interface{ Enum() []string }

// schema returns what a type is encoded as.
func (s *shapes) schema(t reflect.Type) *schema {
	if t.Kind() == reflect.Pointer {
		return orNull(s.value(t))
	}
	return s.value(t)
}

// value returns what a type is encoded as if it is not nil.
func (s *shapes) value(t reflect.Type) *schema {
	if t.Kind() == reflect.Pointer {
		return s.schema(t.Elem())
	}
	if known := itself(t); known != nil {
		return known
	}
	switch t.Kind() {
	case reflect.Slice, reflect.Array:
		return s.list(t)
	case reflect.Map:
		return &schema{Type: types{"object"}, Values: s.schema(t.Elem())}
	case reflect.Struct:
		return s.object(t)
	default:
		return scalar(t)
	}
}

// itself returns the schema of a type that does not look like what it is encoded
// as; nil if it does.
func itself(t reflect.Type) *schema {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return &schema{Type: types{textType}, Format: "date-time"}
	case t == reflect.TypeFor[json.Number]():
		return &schema{Type: types{"number"}}
	case implements[json.Marshaler](t):
		return &schema{}
	case implements[encoding.TextMarshaler](t):
		return text()
	}
	return nil
}

// implements reports whether a type or a pointer to it has an interface: a type
// is encoded by the method of its pointer where it has an address.
func implements[I any](t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[I]()) || reflect.PointerTo(t).Implements(reflect.TypeFor[I]())
}

func scalar(t reflect.Type) *schema {
	switch t.Kind() {
	case reflect.Bool:
		return &schema{Type: types{"boolean"}}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &schema{Type: types{"integer"}}
	case reflect.Float32, reflect.Float64:
		return &schema{Type: types{"number"}}
	case reflect.String:
		named := text()
		if e, ok := reflect.Zero(t).Interface().(enumerated); ok {
			named.Enum = slices.Clone(e.Enum())
		}
		return named
	default:
		return &schema{} // no version has such a page
	}
}

func (s *shapes) list(t reflect.Type) *schema {
	return &schema{Type: types{"array"}, Items: s.schema(t.Elem())}
}

// object returns the schema of a struct; of a named one a reference, to be named
// once all are known.
func (s *shapes) object(t reflect.Type) *schema {
	if t.Name() == "" {
		return s.body(t)
	}
	if !slices.Contains(s.structs, t) {
		s.structs = append(s.structs, t) // first: it may hold itself
		if s.bodies == nil {
			s.bodies = make(map[reflect.Type]*schema)
		}
		s.bodies[t] = s.body(t)
	}
	ref := &schema{of: t}
	s.refs = append(s.refs, ref)
	return ref
}

func (s *shapes) body(t reflect.Type) *schema {
	object := &schema{Type: types{"object"}, Properties: make(map[string]*schema)}
	for _, m := range members(t, nil) {
		if object.Properties[m.name] != nil {
			s.errs = append(s.errs, fmt.Errorf("%s: two fields are called %q", t, m.name))
		}
		object.Properties[m.name] = s.member(m)
		if !m.optional {
			object.Required = append(object.Required, m.name)
		}
	}
	return object
}

// member returns the schema of a field: one that is left out when it is nil is
// never null.
func (s *shapes) member(m member) *schema {
	switch {
	case m.quoted && m.optional:
		return text()
	case m.quoted && m.kind.Kind() == reflect.Pointer:
		return orNull(text())
	case m.quoted:
		return text()
	case m.optional:
		return s.value(m.kind)
	}
	return s.schema(m.kind)
}

// components gives the structs their names and returns them by these.
func (s *shapes) components() (map[string]*schema, error) {
	names := nameAll(s.structs)
	for _, ref := range s.refs {
		ref.Ref = schemasAt + names[ref.of]
	}
	all := make(map[string]*schema, len(s.structs))
	for t, body := range s.bodies {
		all[names[t]] = body
	}
	return all, errors.Join(s.errs...)
}
