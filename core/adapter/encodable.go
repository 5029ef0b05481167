package adapter

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// encodable finds what in a page's type JSON has no form for, wherever it is: an
// encoder finds it only once a page has it. What could be anything is refused, too,
// because no document could describe it to those who read the page.
func encodable(t reflect.Type) error { return walk(t, t.String(), map[reflect.Type]bool{}) }

func walk(t reflect.Type, path string, seen map[reflect.Type]bool) error {
	if seen[t] || encodesItself(t) {
		return nil
	}
	seen[t] = true
	if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
		return fmt.Errorf("%s: bytes have more than one form in JSON: use a string", path)
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return walk(t.Elem(), path, seen)
	case reflect.Map:
		if t.Key().Kind() != reflect.String {
			return fmt.Errorf("%s: a map's keys must be strings, not %s", path, t.Key())
		}
		return walk(t.Elem(), path, seen)
	case reflect.Struct:
		var errs []error
		for f := range fields(t) {
			errs = append(errs, walk(f.Type, path+"."+f.Name, seen))
		}
		return errors.Join(errs...)
	case reflect.Chan, reflect.Func, reflect.Interface, reflect.Complex64, reflect.Complex128,
		reflect.Uintptr, reflect.UnsafePointer, reflect.Invalid:
		return fmt.Errorf("%s: a %s cannot be encoded", path, t)
	default:
		return nil
	}
}

// fields yields the fields of a struct that JSON has.
func fields(t reflect.Type) func(func(reflect.StructField) bool) {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			f := t.Field(i)
			if f.Tag.Get("json") == "-" || !f.IsExported() && !f.Anonymous {
				continue
			}
			if !yield(f) {
				return
			}
		}
	}
}

func encodesItself(t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[json.Marshaler]()) || t.Implements(reflect.TypeFor[encoding.TextMarshaler]())
}
