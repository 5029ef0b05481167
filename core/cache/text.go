package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"reflect"
	"strconv"
)

// maxText is how many bytes of a key's text are spelled out.
const maxText = 160

// Text returns the function that spells keys of a type, for the second level and
// for the operator who names one. No two keys of a type have the same text. A
// string stands for itself, a struct for its fields in order, unexported ones
// included, such as "{id=p-1,limit=3}", an array for its elements, "[1,2]". Of a
// string, all but letters, digits and "-._~/@+*:" is escaped as %XX, so that a text
// is plain ASCII without spaces. What is longer than 160 bytes is "#" and its
// SHA-256: a shorter hash could be made to collide by who chooses the query.
//
// A type that cannot be spelled (pointers, interfaces, channels) is an error.
func Text[K comparable]() (func(K) string, error) {
	spell, err := spellerOf(reflect.TypeFor[K]())
	if err != nil {
		return nil, err
	}
	return func(key K) string {
		if text, ok := any(key).(string); ok && plain(text) && len(text) <= maxText {
			return text
		}
		b := spell(make([]byte, 0, 64), reflect.ValueOf(&key).Elem())
		if len(b) > maxText {
			sum := sha256.Sum256(b)
			return "#" + hex.EncodeToString(sum[:])
		}
		return string(b)
	}, nil
}

// A speller appends the text of a value.
type speller func([]byte, reflect.Value) []byte

func spellerOf(t reflect.Type) (speller, error) {
	switch t.Kind() {
	case reflect.String:
		return func(b []byte, v reflect.Value) []byte { return escape(b, v.String()) }, nil
	case reflect.Bool:
		return func(b []byte, v reflect.Value) []byte { return strconv.AppendBool(b, v.Bool()) }, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(b []byte, v reflect.Value) []byte { return strconv.AppendInt(b, v.Int(), 10) }, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return func(b []byte, v reflect.Value) []byte { return strconv.AppendUint(b, v.Uint(), 10) }, nil
	case reflect.Float32, reflect.Float64:
		return func(b []byte, v reflect.Value) []byte { return strconv.AppendFloat(b, v.Float(), 'g', -1, 64) }, nil
	case reflect.Array:
		return arraySpeller(t)
	case reflect.Struct:
		return structSpeller(t)
	}
	return nil, fmt.Errorf("%s cannot be part of a key", t)
}

func arraySpeller(t reflect.Type) (speller, error) {
	element, err := spellerOf(t.Elem())
	if err != nil {
		return nil, err
	}
	return func(b []byte, v reflect.Value) []byte {
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			b = element(b, v.Index(i))
		}
		return append(b, ']')
	}, nil
}

type fieldSpeller struct {
	index int
	name  string // with what goes before and after it
	spell speller
}

func structSpeller(t reflect.Type) (speller, error) {
	var fields []fieldSpeller
	before := ""
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Name == "_" { // equality does not look at it
			continue
		}
		spell, err := spellerOf(f.Type)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		fields = append(fields, fieldSpeller{i, before + f.Name + "=", spell})
		before = ","
	}
	return func(b []byte, v reflect.Value) []byte {
		b = append(b, '{')
		for _, f := range fields {
			b = f.spell(append(b, f.name...), v.Field(f.index))
		}
		return append(b, '}')
	}, nil
}

// escape appends a string so that nothing in it looks like what stands around it.
func escape(b []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		if c := s[i]; unescaped(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return b
}

func plain(s string) bool {
	for i := range len(s) {
		if !unescaped(s[i]) {
			return false
		}
	}
	return true
}

func unescaped(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	switch c {
	case '-', '.', '_', '~', '/', '@', '+', '*', ':':
		return true
	}
	return false
}
