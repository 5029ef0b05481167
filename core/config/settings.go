package config

import (
	"cmp"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/facet-gateway/facet/devices"
)

// Setting is one value of a configuration, as a file would say it.
type Setting struct {
	Path  string // such as "services.catalog.commands.product.timeout"
	Value string // such as "300ms"
	form  string // the path with "*" for each name that is not a field's
}

// Settings returns every setting of a configuration, those of a default too, in
// the order of its fields. They are read off the struct, so that none is left
// out. None of them is a secret; one that is will have to be kept back here.
func (c *Config) Settings() []Setting {
	var list []Setting
	flatten(Setting{}, reflect.ValueOf(*c), &list)
	return slices.DeleteFunc(list, func(s Setting) bool { return !inFile(s.form) })
}

// inFile holds for what a file can say: not for what it comes to, for what the
// code declares of a command, and for the name of a class, which is in the path.
func inFile(form string) bool {
	return form != "warnings" && !strings.HasPrefix(form, "services.*.commands.*.traits.") && form != "devices.classes.*.class"
}

// flatten adds the settings that a value holds.
func flatten(at Setting, v reflect.Value, list *[]Setting) {
	switch {
	case v.Kind() == reflect.Pointer && !v.IsNil():
		flatten(at, v.Elem(), list)
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() {
				flatten(at.field(field.Name), v.Field(i), list)
			}
		}
	case v.Kind() == reflect.Map:
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
		for _, key := range keys {
			flatten(at.named(key.String()), v.MapIndex(key), list)
		}
	case v.Type() == reflect.TypeFor[[]devices.Profile](): // a list that is a block of names in the file
		for i := range v.Len() {
			flatten(at.named(v.Index(i).FieldByName("Class").String()), v.Index(i), list)
		}
	default:
		at.Value = spell(at.form, v)
		*list = append(*list, at)
	}
}

func (s Setting) field(name string) Setting {
	name = fieldName(name)
	return Setting{Path: join(s.Path, name), form: join(s.form, name)}
}

func (s Setting) named(name string) Setting {
	return Setting{Path: join(s.Path, name), form: join(s.form, "*")}
}

// join extends a path as an error of the file does.
func join(path, name string) string {
	if name == "*" && path != "" {
		return path + ".*"
	}
	return value{path: path}.join(name)
}

// fieldName is how the file spells a field: MaxBody is max_body, CORS is cors.
func fieldName(name string) string {
	if name == "Profiles" {
		return "classes"
	}
	var b strings.Builder
	letters := []rune(name)
	for i, r := range letters {
		next := i+1 < len(letters) && unicode.IsLower(letters[i+1])
		if i > 0 && unicode.IsUpper(r) && (unicode.IsLower(letters[i-1]) || next) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// spell returns a single value as a file has it, each value another text.
func spell(form string, v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		return show(x)
	case slog.Level:
		return strings.ToLower(x.String())
	case int64:
		if strings.HasSuffix(form, "bytes") {
			return Size(x).String()
		}
	}
	switch v.Kind() {
	case reflect.String:
		return word(v.String())
	case reflect.Slice, reflect.Array:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = spell(form, v.Index(i))
		}
		return "[" + strings.Join(items, ", ") + "]"
	case reflect.Struct: // of a list
		items := make([]string, v.NumField())
		for i := range items {
			name := fieldName(v.Type().Field(i).Name)
			items[i] = name + ": " + spell(join(form, name), v.Field(i))
		}
		return "{" + strings.Join(items, ", ") + "}"
	default:
		return fmt.Sprint(v.Interface())
	}
}

// word quotes what is not plain enough to stand alone.
func word(s string) string {
	plain := func(r rune) bool {
		return r > ' ' && r < unicode.MaxASCII && !strings.ContainsRune("\"'`,[]{}\\", r)
	}
	if s == "" || strings.ContainsFunc(s, func(r rune) bool { return !plain(r) }) {
		return strconv.Quote(s)
	}
	return s
}
