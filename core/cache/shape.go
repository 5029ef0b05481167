package cache

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// shapeOf returns a name for what the types of a command's queries and answers
// look like: other fields, names, order, tags or kinds give another name. It is
// an error if JSON would not bring an answer back as it was.
func shapeOf(key, value reflect.Type) (string, error) {
	var d description
	d.text.WriteString("v" + strconv.Itoa(version) + ";")
	if err := d.value(value); err != nil {
		return "", err
	}
	d.text.WriteByte(';')
	d.key(key)
	return fmt.Sprintf("%016x", xxhash.Sum64String(d.text.String())), nil
}

// description is the text of types, in which one that was met before, such as a
// tree's node in itself, is a number.
type description struct {
	text strings.Builder
	met  map[reflect.Type]int
}

// key describes a type of which [Text] has a speller.
func (d *description) key(t reflect.Type) {
	d.text.WriteString(t.Kind().String())
	switch t.Kind() {
	case reflect.Array:
		d.text.WriteString(strconv.Itoa(t.Len()))
		d.key(t.Elem())
	case reflect.Struct:
		d.text.WriteByte('{')
		for i := range t.NumField() {
			d.text.WriteString(t.Field(i).Name + " ")
			d.key(t.Field(i).Type)
			d.text.WriteByte(',')
		}
		d.text.WriteByte('}')
	}
}

// value describes a type of answers.
func (d *description) value(t reflect.Type) error {
	if number, ok := d.met[t]; ok {
		d.text.WriteString("^" + strconv.Itoa(number))
		return nil
	}
	if opaque, err := selfMade(t); opaque || err != nil {
		d.text.WriteString(t.PkgPath() + "." + t.Name())
		return err
	}
	d.text.WriteString(t.Kind().String())
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Float32, reflect.Float64,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return nil
	case reflect.Array:
		d.text.WriteString(strconv.Itoa(t.Len()))
		return d.value(t.Elem())
	case reflect.Slice:
		return d.value(t.Elem())
	case reflect.Pointer:
		return d.pointer(t)
	case reflect.Map:
		return d.mapping(t)
	case reflect.Struct:
		return d.structure(t)
	}
	return fmt.Errorf("%s cannot be stored", t)
}

// pointer refuses what null would be ambiguous for.
func (d *description) pointer(t reflect.Type) error {
	switch t.Elem().Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return fmt.Errorf("%s cannot be stored: it has two ways to be nothing", t)
	}
	return d.value(t.Elem())
}

func (d *description) mapping(t reflect.Type) error {
	if t.Key().Kind() != reflect.String || isMade[json.Marshaler](t.Key()) || isMade[encoding.TextMarshaler](t.Key()) {
		return fmt.Errorf("%s cannot be stored: its keys are no plain strings", t)
	}
	return d.value(t.Elem())
}

func (d *description) structure(t reflect.Type) error {
	if d.met == nil {
		d.met = make(map[reflect.Type]int)
	}
	d.met[t] = len(d.met)
	d.text.WriteByte('{')
	defer d.text.WriteByte('}')
	names := make(map[string]bool, t.NumField())
	for i := range t.NumField() {
		f := t.Field(i)
		name, err := storedName(f)
		if err != nil {
			return fmt.Errorf("%s.%s %w", t, f.Name, err)
		}
		if names[strings.ToLower(name)] {
			return fmt.Errorf("%s.%s cannot be stored: another field has its name", t, f.Name)
		}
		names[strings.ToLower(name)] = true
		d.text.WriteString(f.Name + " " + strconv.Quote(string(f.Tag)) + " ")
		if err := d.value(f.Type); err != nil {
			return fmt.Errorf("%s.%s: %w", t, f.Name, err)
		}
		d.text.WriteByte(',')
	}
	return nil
}

// storedName returns the name of a field in JSON.
func storedName(f reflect.StructField) (string, error) {
	tag := f.Tag.Get("json")
	name, options, _ := strings.Cut(tag, ",")
	switch {
	case !f.IsExported():
		return "", errors.New("cannot be stored: it is unexported, and would be lost")
	case tag == "-":
		return "", errors.New("cannot be stored: its tag leaves it out")
	case f.Anonymous && name == "":
		return "", errors.New("cannot be stored: it is embedded without a name of its own")
	case strings.Contains(options, "omit"):
		switch f.Type.Kind() {
		case reflect.Slice, reflect.Map, reflect.Struct, reflect.Array:
			return "", errors.New("cannot be stored: left out when empty, it would come back as another nothing")
		}
	}
	if name == "" {
		name = f.Name
	}
	return name, nil
}

// selfMade reports whether a type writes its own JSON. It has to read it, too.
func selfMade(t reflect.Type) (bool, error) {
	writes := isMade[json.Marshaler](t) || isMade[encoding.TextMarshaler](t)
	reads := isMade[json.Unmarshaler](t) || isMade[encoding.TextUnmarshaler](t)
	if writes != reads {
		return false, fmt.Errorf("%s cannot be stored: it either writes or reads its own JSON, not both", t)
	}
	return writes && t.Kind() != reflect.Pointer && t.Kind() != reflect.Interface, nil
}

func isMade[I any](t reflect.Type) bool {
	i := reflect.TypeFor[I]()
	return t.Implements(i) || reflect.PointerTo(t).Implements(i)
}
