// Package strict reads JSON that people write, and names what is wrong with it by
// its path, such as "classes.phone.rollouts[0].share". encoding/json leaves out what
// is misspelt, takes the last of two values of one name, and forgets where it was
// when a type's own decoder fails; here each of them is an error.
package strict

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/facet-gateway/facet/core/fault"
)

// maxDepth bounds how deep values stand within each other.
const maxDepth = 32

// Decode reads text, one JSON value, into what into points to: structs, maps with
// keys of strings, slices, pointers, strings, booleans, numbers, and whatever has
// UnmarshalText, from a string. Names are spelt as the json tag says, case and all.
// Null is a value of pointers, slices and maps only. What is not named keeps what
// into holds. An error is a [fault.Error] of code Invalid that names the field.
func Decode(text []byte, into any) error {
	d := decoder{json.NewDecoder(bytes.NewReader(text))}
	d.UseNumber()
	if err := d.value(reflect.ValueOf(into).Elem(), "", 0); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fault.InvalidField("body", "goes on after its JSON")
	}
	return nil
}

type decoder struct{ *json.Decoder }

// next returns the next token.
func (d decoder) next(path string) (json.Token, error) {
	t, err := d.Token()
	if err != nil {
		return nil, fault.InvalidField(named(path), "is no JSON: "+words(err))
	}
	return t, nil
}

func words(err error) string {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return "it ends too early"
	}
	return err.Error()
}

// named is how a value is called: the outermost one has no name of its own.
func named(path string) string {
	if path == "" {
		return "body"
	}
	return path
}

func (d decoder) value(into reflect.Value, path string, depth int) error {
	if depth > maxDepth {
		return fault.InvalidField(named(path), fmt.Sprintf("is more than %d values deep", maxDepth))
	}
	t, err := d.next(path)
	if err != nil {
		return err
	}
	return d.fill(into, t, path, depth)
}

// fill gives into the value that begins with the token.
func (d decoder) fill(into reflect.Value, t json.Token, path string, depth int) error {
	if texts, ok := into.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return spell(texts, t, path)
	}
	switch into.Kind() {
	case reflect.Pointer:
		if t == nil {
			into.SetZero()
			return nil
		}
		into.Set(reflect.New(into.Type().Elem()))
		return d.fill(into.Elem(), t, path, depth)
	case reflect.Struct:
		return d.object(into, t, path, depth)
	case reflect.Map:
		return d.entries(into, t, path, depth)
	case reflect.Slice:
		return d.list(into, t, path, depth)
	default:
		return scalar(into, t, path)
	}
}

func spell(into encoding.TextUnmarshaler, t json.Token, path string) error {
	text, ok := t.(string)
	if !ok {
		return mismatch(path, "a string", t)
	}
	if err := into.UnmarshalText([]byte(text)); err != nil {
		if _, is := into.(*time.Time); is {
			return fault.InvalidField(named(path), "must be a time, such as 2026-01-31T12:00:00Z (RFC 3339)")
		}
		return fault.InvalidField(named(path), err.Error())
	}
	return nil
}

func (d decoder) object(into reflect.Value, t json.Token, path string, depth int) error {
	fields := members(into.Type())
	return d.members(t, path, func(name, at string) error {
		index, known := fields[name]
		if !known {
			return fault.InvalidField(at, "there is no such field")
		}
		return d.value(into.FieldByIndex(index), at, depth+1)
	})
}

// members are the indexes of a struct's fields by their names, those of structs that
// it embeds by value too.
func members(t reflect.Type) map[string][]int {
	all := make(map[string][]int, t.NumField())
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			all[name] = f.Index
		}
	}
	return all
}

func (d decoder) entries(into reflect.Value, t json.Token, path string, depth int) error {
	if t == nil {
		into.SetZero()
		return nil
	}
	into.Set(reflect.MakeMap(into.Type()))
	return d.members(t, path, func(name, at string) error {
		value := reflect.New(into.Type().Elem()).Elem()
		if err := d.value(value, at, depth+1); err != nil {
			return err
		}
		into.SetMapIndex(reflect.ValueOf(name).Convert(into.Type().Key()), value)
		return nil
	})
}

// members has each member of an object read, of which none comes twice.
func (d decoder) members(t json.Token, path string, read func(name, at string) error) error {
	if t != json.Delim('{') {
		return mismatch(path, "an object", t)
	}
	seen := make(map[string]bool)
	for d.More() {
		t, err := d.next(path)
		if err != nil {
			return err
		}
		name, _ := t.(string) // the decoder has no other
		at := join(path, name)
		if seen[name] {
			return fault.InvalidField(at, "is there twice")
		}
		seen[name] = true
		if err := read(name, at); err != nil {
			return err
		}
	}
	_, err := d.next(path)
	return err
}

const longestName = 256 // of a field that is told, in bytes

func join(path, name string) string {
	if len(name) > longestName {
		name = strings.ToValidUTF8(name[:longestName], "") + "…"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

func (d decoder) list(into reflect.Value, t json.Token, path string, depth int) error {
	if t == nil {
		into.SetZero()
		return nil
	}
	if t != json.Delim('[') {
		return mismatch(path, "a list", t)
	}
	list := reflect.MakeSlice(into.Type(), 0, 0)
	for d.More() {
		element := reflect.New(into.Type().Elem()).Elem()
		if err := d.value(element, path+"["+strconv.Itoa(list.Len())+"]", depth+1); err != nil {
			return err
		}
		list = reflect.Append(list, element)
	}
	into.Set(list)
	_, err := d.next(path)
	return err
}

func scalar(into reflect.Value, t json.Token, path string) error {
	switch v := t.(type) {
	case string:
		if into.Kind() == reflect.String {
			into.SetString(v)
			return nil
		}
	case bool:
		if into.Kind() == reflect.Bool {
			into.SetBool(v)
			return nil
		}
	case json.Number:
		return number(into, v, path)
	}
	return mismatch(path, wanted(into.Kind()), t)
}

// mismatch is the error of a value that is of another type.
func mismatch(path, wanted string, t json.Token) error {
	is := "null"
	switch t := t.(type) {
	case string:
		is = "a string"
	case bool:
		is = "a bool"
	case json.Number:
		is = "a number"
	case json.Delim:
		is = map[json.Delim]string{'{': "an object", '[': "a list"}[t]
	}
	return fault.InvalidField(named(path), "must be "+wanted+", not "+is)
}

func number(into reflect.Value, n json.Number, path string) error {
	var err error
	switch {
	case into.CanInt():
		var i int64
		if i, err = n.Int64(); err == nil && !into.OverflowInt(i) {
			into.SetInt(i)
			return nil
		}
	case into.CanUint():
		var u uint64
		if u, err = strconv.ParseUint(n.String(), 10, 64); err == nil && !into.OverflowUint(u) {
			into.SetUint(u)
			return nil
		}
	case into.CanFloat():
		var f float64
		if f, err = n.Float64(); err == nil {
			into.SetFloat(f)
			return nil
		}
	default:
		return mismatch(path, wanted(into.Kind()), n)
	}
	return fault.InvalidField(named(path), "must be "+wanted(into.Kind()))
}

func wanted(k reflect.Kind) string {
	switch k {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	default:
		return "a whole number in its range"
	}
}
