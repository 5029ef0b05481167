package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// value is a node of the document, with the path and the key that lead to it.
// Reading it adds what is wrong to errs and goes on, so that one run finds
// every error of a file.
type value struct {
	node ast.Node
	key  *token.Token
	path string
	errs *collector
}

// field is one name of a block, and what to do with its value.
type field struct {
	name   string
	decode func(value)
}

// fields reads a block whose names are known.
func (v value) fields(known ...field) {
	names := make([]string, len(known))
	for i, f := range known {
		names[i] = f.name
	}
	v.entries(func(name string, child value) {
		if i := slices.Index(names, name); i >= 0 {
			known[i].decode(child)
			return
		}
		child.unknown("field", name, names)
	})
}

// entries reads a block whose names the caller judges. A name that comes a
// second time is an error and not visited.
func (v value) entries(visit func(name string, child value)) {
	m, ok := v.node.(*ast.MappingNode)
	if !ok {
		v.fail("is %s; allowed: a block of names and values", kind(v.node))
		return
	}
	lines := make(map[string]int, len(m.Values))
	for _, e := range m.Values {
		key := e.Key.GetToken()
		child := value{node: e.Value, key: key, path: v.join(key.Value), errs: v.errs}
		if line, twice := lines[key.Value]; twice {
			child.failKey("set twice, first on line %d; allowed: once", line)
			continue
		}
		lines[key.Value] = key.Position.Line
		visit(key.Value, child)
	}
}

// items reads a list.
func (v value) items(visit func(child value)) {
	list, ok := v.node.(*ast.SequenceNode)
	if !ok {
		v.fail("is %s; allowed: a list, such as [one, two]", kind(v.node))
		return
	}
	for i, n := range list.Values {
		visit(value{node: n, key: n.GetToken(), path: fmt.Sprintf("%s[%d]", v.path, i), errs: v.errs})
	}
}

// isBlock is false for what entries has refused.
func (v value) isBlock() bool {
	_, ok := v.node.(*ast.MappingNode)
	return ok
}

// find returns the value of a name in a block.
func (v value) find(name string) (found value, ok bool) {
	m, isMap := v.node.(*ast.MappingNode)
	if !isMap {
		return value{}, false
	}
	for _, e := range m.Values {
		if key := e.Key.GetToken(); key.Value == name {
			return value{node: e.Value, key: key, path: v.join(name), errs: v.errs}, true
		}
	}
	return value{}, false
}

// descend returns the value of a name in a block in a block, as far as there is one, with
// the path of all names. A name may have an index of a list: "instances[0]".
func (v value) descend(names []string) value {
	for i, name := range names {
		name, index, listed := strings.Cut(strings.TrimSuffix(name, "]"), "[")
		next, ok := v.find(name)
		if !ok {
			v.path = v.join(name)
			for _, further := range names[i+1:] {
				v.path += "." + further
			}
			return v
		}
		if v = next; listed {
			v.items(func(one value) {
				if one.path == v.path+"["+index+"]" {
					next = one
				}
			})
			v = next
		}
	}
	return v
}

// fail adds an error at the value, or at its key where the value is a block or
// nothing.
func (v value) fail(format string, args ...any) {
	at := v.key
	switch n := v.node.(type) {
	case *ast.MappingNode:
		if n.IsFlowStyle {
			at = n.GetToken()
		}
	case *ast.SequenceNode:
		if n.IsFlowStyle {
			at = n.GetToken()
		}
	case nil, *ast.NullNode:
	default:
		at = n.GetToken()
	}
	v.failAt(at, fmt.Sprintf(format, args...))
}

func (v value) failKey(format string, args ...any) { v.failAt(v.key, fmt.Sprintf(format, args...)) }

func (v value) failAt(t *token.Token, message string) {
	v.errs.add(t.Position.Line, t.Position.Column, v.path, message)
}

// missing adds an error for a name that the block has to have.
func (v value) missing(name, allowed string) {
	child := v
	child.path = v.join(name)
	child.fail("missing; allowed: %s", allowed)
}

// unknown adds an error for a name that is none of those known.
func (v value) unknown(what, name string, known []string) {
	hint := ""
	if near := nearest(name, known); near != "" {
		hint = fmt.Sprintf(", did you mean %q?", near)
	}
	v.failKey("unknown %s%s; allowed: %s", what, hint, names(known))
}

// join extends the path. A name that is no plain word is quoted, so that no
// path breaks a line or looks like another.
func (v value) join(name string) string {
	if !isWord(name) {
		name = strconv.Quote(shorten(name))
	}
	if v.path == "" {
		return name
	}
	return v.path + "." + name
}

func isWord(s string) bool {
	return s != "" && len(s) <= maxName && strings.IndexFunc(s, func(r rune) bool {
		return r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) < 0
}

// kind says what a node is, to somebody who expected something else.
func kind(n ast.Node) string {
	switch n := n.(type) {
	case nil, *ast.NullNode:
		return "empty"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a block"
	case *ast.SequenceNode:
		return "a list"
	case *ast.LiteralNode:
		return "text of several lines"
	case *ast.StringNode:
		return "the text " + spelled(n)
	default:
		return spelled(n)
	}
}

// spelled quotes a single value as the file has it.
func spelled(n ast.Node) string {
	if _, ok := n.(*ast.MappingNode); ok {
		return "the block"
	}
	return strconv.Quote(shorten(n.GetToken().Value))
}

const maxShown = 64

// shorten cuts what an error repeats of a file.
func shorten(s string) string {
	r := []rune(s[:min(len(s), 4*maxShown)])
	if len(r) > maxShown {
		return string(r[:maxShown-1]) + "…"
	}
	return string(r)
}
