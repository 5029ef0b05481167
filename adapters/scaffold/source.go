package scaffold

import (
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// source is a Go file to which a line is added.
type source struct {
	path string
	text []byte
	set  *token.FileSet
	file *ast.File
}

func (m Module) open(path string) (*source, error) {
	text, err := os.ReadFile(filepath.Join(m.root, path)) //nolint:gosec // the source tree is the user's own
	if err != nil {
		return nil, fmt.Errorf("read the source: %w", err)
	}
	s := &source{path: path, text: text, set: token.NewFileSet()}
	if s.file, err = parser.ParseFile(s.set, path, text, parser.SkipObjectResolution); err != nil {
		return nil, fmt.Errorf("read the source: %w", err)
	}
	return s, nil
}

// names returns what the files of a folder declare: functions, methods, types, and
// the fields of pages, which a method cannot be called like.
func (m Module) names(folder string) (map[string]bool, error) {
	paths, err := filepath.Glob(filepath.Join(m.root, folder, "*.go"))
	if err != nil {
		return nil, fmt.Errorf("read the source: %w", err)
	}
	known := map[string]bool{}
	for _, path := range paths {
		s, err := m.open(filepath.Join(folder, filepath.Base(path)))
		if err != nil {
			return nil, err
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				known[n.Name.Name] = true
			case *ast.TypeSpec:
				known[n.Name.Name] = true
				addFields(known, n)
			}
			return true
		})
	}
	return known, nil
}

func addFields(known map[string]bool, t *ast.TypeSpec) {
	pages, ok := t.Type.(*ast.StructType)
	if !ok || t.Name.Name != "pages" {
		return
	}
	for _, field := range pages.Fields.List {
		for _, name := range field.Names {
			known[name.Name] = true
		}
	}
}

// insertion is text to be added before a place.
type insertion struct {
	at   token.Pos
	text string
}

// with returns the file with the insertions, formatted.
func (s *source) with(all ...insertion) ([]byte, error) {
	slices.SortFunc(all, func(a, b insertion) int { return int(b.at - a.at) }) // from the end: places before it stay
	text := slices.Clone(s.text)
	for _, one := range all {
		offset := s.set.Position(one.at).Offset
		text = slices.Insert(text, offset, []byte(one.text)...)
	}
	formatted, err := format.Source(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.path, err)
	}
	return formatted, nil
}

// find returns the first node that a test holds for.
func find[T ast.Node](s *source, holds func(T) bool) (found T, ok bool) {
	ast.Inspect(s.file, func(n ast.Node) bool {
		if one, is := n.(T); is && !ok && holds(one) {
			found, ok = one, true
		}
		return !ok
	})
	return found, ok
}

// isVersion holds for adapter.New(…) and adapter.NewOn(…).
func isVersion(c *ast.CallExpr) bool {
	f, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, ok := f.X.(*ast.Ident)
	return ok && pkg.Name == "adapter" && (f.Sel.Name == "New" || f.Sel.Name == "NewOn")
}

// declared is what a version.go says of its version.
type declared struct{ name, base string }

// declaration reads adapter.New(class, name, …) or adapter.NewOn(class, name, base, …).
func declaration(s *source) (d declared, ok bool) {
	c, ok := find(s, isVersion)
	if !ok || len(c.Args) < len([]string{"class", "name"}) {
		return d, false
	}
	d.name, ok = literal(c.Args[1])
	if f, is := c.Fun.(*ast.SelectorExpr); is && f.Sel.Name == "NewOn" && len(c.Args) > 2 {
		d.base, _ = literal(c.Args[2])
	}
	return d, ok
}

// mentions reports whether a file has a string constant.
func mentions(s *source, text string) bool {
	_, found := find(s, func(l *ast.BasicLit) bool { got, ok := literal(l); return ok && got == text })
	return found
}

// literal returns the text of an expression that is a string constant.
func literal(e ast.Expr) (string, bool) {
	basic, ok := e.(*ast.BasicLit)
	if !ok || basic.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(basic.Value)
	return text, err == nil
}
