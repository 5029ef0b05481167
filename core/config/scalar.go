package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// A reader turns a value into a T, or adds what is wrong and returns false.
type reader[T any] func(value) (T, bool)

// set is the field that reads a value into target and leaves target alone where
// the value is wrong.
func set[T any](name string, target *T, read reader[T]) field {
	return field{name, func(v value) {
		if got, ok := read(v); ok {
			*target = got
		}
	}}
}

// within narrows a reader to a range, both ends included.
func within[T cmp.Ordered](read reader[T], low, high T) reader[T] {
	return func(v value) (T, bool) {
		got, ok := read(v)
		if ok && (got < low || got > high) {
			v.fail("%s is out of range; allowed: %s to %s", spelled(v.node), show(low), show(high))
			return got, false
		}
		return got, ok
	}
}

// oneOf reads one of a few words.
func oneOf(words ...string) reader[string] {
	return func(v value) (string, bool) {
		got, ok := scalar(v, words[0])
		if ok && !slices.Contains(words, got) {
			v.unlisted(got, words)
			return "", false
		}
		return got, ok
	}
}

// unlisted adds an error for a value that is none of a list.
func (v value) unlisted(got string, allowed []string) {
	hint := ""
	if near := nearest(got, allowed); near != "" {
		hint = fmt.Sprintf(", did you mean %q?", near)
	}
	v.fail("unknown value %q%s; allowed: %s", shorten(got), hint, names(allowed))
}

// scalar returns a single value as the file spells it.
func scalar(v value, example string) (string, bool) {
	switch n := v.node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value, true
	}
	if _, ok := v.node.(*ast.MappingNode); ok { // the parser splits {list: [http://host]} at the colon
		v.fail("is a block; allowed: a single value, in quotes if it holds a colon, such as %q", example)
		return "", false
	}
	v.fail("is %s; allowed: a single value, such as %s", kind(v.node), example)
	return "", false
}

// distinct reads a list of values, none of them twice, at most limit of them.
func distinct(read reader[string], limit int) reader[[]string] {
	return func(v value) ([]string, bool) {
		var list []string
		before := len(v.errs.list)
		v.items(func(v value) {
			got, ok := read(v)
			switch {
			case !ok:
			case slices.Contains(list, got):
				v.fail("%q is in the list twice; allowed: once", shorten(got))
			case len(list) == limit:
				v.fail("one too many; allowed: at most %d in the list", limit)
			default:
				list = append(list, got)
			}
		})
		return list, len(v.errs.list) == before
	}
}

func boolean(v value) (got, ok bool) {
	if n, isBool := v.node.(*ast.BoolNode); isBool {
		return n.Value, true
	}
	v.fail("is %s; allowed: true or false", kind(v.node))
	return false, false
}

// count reads a whole number in plain decimals: 010 and 1_000 mean different
// things to different readers.
func count(v value) (int, bool) {
	n, isInteger := v.node.(*ast.IntegerNode)
	if isInteger {
		text := n.GetToken().Value
		if got, err := strconv.Atoi(text); err == nil && strconv.Itoa(got) == text {
			return got, true
		}
	}
	if n, ok := v.node.(*ast.StringNode); ok && n.Token.Type == token.StringType && digits(n.Value) { // too long for a number
		v.fail("%s is out of range; allowed: a whole number, such as 100", spelled(v.node))
		return 0, false
	}
	v.fail("is %s; allowed: a whole number, such as 100", kind(v.node))
	return 0, false
}

func digits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

func duration(v value) (time.Duration, bool) {
	text, ok := scalar(v, "300ms")
	if !ok || v.bare(text, "a number and a unit (ms, s, m, h), such as 300ms") {
		return 0, false
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		v.fail("%q is not a duration; allowed: a number and a unit (ms, s, m, h), such as 300ms", shorten(text))
		return 0, false
	}
	return d, true
}

func size(v value) (Size, bool) {
	text, ok := scalar(v, "16MiB")
	if !ok || v.bare(text, "a number and a unit (B, KiB, MiB, GiB), such as 16MiB") {
		return 0, false
	}
	s, ok := parseSize(text)
	if !ok {
		v.fail("%q is not a size; allowed: a whole number and a unit (B, KiB, MiB, GiB), such as 16MiB", shorten(text))
	}
	return s, ok
}

// bare refuses a number without a unit.
func (v value) bare(text, allowed string) bool {
	if text == "" || strings.Trim(text, "+-._0123456789") != "" {
		return false
	}
	v.fail("missing unit after %q; allowed: %s", shorten(text), allowed)
	return true
}

// show writes a bound as a file would.
func show(x any) string {
	d, ok := x.(time.Duration)
	if !ok {
		return fmt.Sprint(x)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
