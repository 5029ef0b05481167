package adaptertest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// picture is all that can be reached from a value, as text: behind pointers, in
// unexported fields, and up to the capacity of slices, which an append writes to.
type picture []line

type line struct{ path, text string }

func pictureOf(value any) picture {
	w := walker{seen: map[visit]bool{}}
	w.walk("", reflect.ValueOf(value))
	return w.lines
}

// change describes the first difference between two pictures of one value; "" if
// there is none.
func (p picture) change(later picture) string {
	for i := range max(len(p), len(later)) {
		switch {
		case i >= len(p):
			return later[i].path + " is new"
		case i >= len(later):
			return p[i].path + " is gone"
		case p[i].path != later[i].path:
			return p[i].path + " is not where it was"
		case p[i].text != later[i].text:
			return fmt.Sprintf("%s was %s and is %s", p[i].path, p[i].text, later[i].text)
		}
	}
	return ""
}

// walker takes a picture.
type walker struct {
	lines picture
	seen  map[visit]bool
}

// visit is a place where the walker has been: values may be shared or cyclic.
type visit struct {
	at   uintptr
	size int
	kind reflect.Type
}

func (w *walker) add(path, text string) { w.lines = append(w.lines, line{path, text}) }

func (w *walker) walk(path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Invalid:
		w.add(path, "nil")
	case reflect.Pointer:
		w.pointer(path, v)
	case reflect.Interface:
		w.walk(path, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			w.walk(path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Array:
		w.elements(path, v, v.Len())
	case reflect.Slice:
		w.slice(path, v)
	case reflect.Map:
		w.entries(path, v)
	case reflect.Chan, reflect.Func, reflect.UnsafePointer:
		w.add(path, fmt.Sprintf("%s %x", v.Type(), v.Pointer()))
	default:
		w.add(path, fmt.Sprintf("%#v", v))
	}
}

func (w *walker) pointer(path string, v reflect.Value) {
	if v.IsNil() || v.Type() == reflect.TypeFor[*time.Location]() { // that of a time, which nobody can change
		w.add(path, fmt.Sprintf("%s %x", v.Type(), v.Pointer()))
		return
	}
	if w.enter(visit{v.Pointer(), 0, v.Type()}) {
		w.walk(path, v.Elem())
	}
}

func (w *walker) slice(path string, v reflect.Value) {
	w.add(path, fmt.Sprintf("%s of %d", v.Type(), v.Len()))
	if w.enter(visit{v.Pointer(), v.Cap(), v.Type()}) {
		w.elements(path, v.Slice(0, v.Cap()), v.Len())
	}
}

// enter reports whether the walker is somewhere for the first time.
func (w *walker) enter(at visit) bool {
	if w.seen[at] {
		return false
	}
	w.seen[at] = true
	return true
}

// elements walks a list; those from length on are in its spare capacity.
func (w *walker) elements(path string, v reflect.Value, length int) {
	for i := range v.Len() {
		at := fmt.Sprintf("%s[%d]", path, i)
		if i >= length {
			at += " (spare capacity)"
		}
		w.walk(at, v.Index(i))
	}
}

// entries walks a map in the order of its keys' texts.
func (w *walker) entries(path string, v reflect.Value) {
	w.add(path, fmt.Sprintf("%s of %d", v.Type(), v.Len()))
	if !w.enter(visit{v.Pointer(), 0, v.Type()}) {
		return
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	for _, key := range keys {
		w.walk(fmt.Sprintf("%s[%v]", path, key), v.MapIndex(key))
	}
}
