package facet_test

import (
	"go/ast"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// vocabulary is all that a page file may import: the words of this project for
// pages, and what computes values from values.
var vocabulary = []string{
	module + "/devices", module + "/core/adapter", module + "/core/stream", module + "/core/fault", module + "/adapters/services",
	"bytes", "cmp", "errors", "fmt", "html", "maps", "math", "regexp", "slices", "sort", "strconv",
	"strings", "time", "unicode", "unicode/utf8",
}

// clockwork are the parts of package time that run or wait for something.
var clockwork = []string{"After", "AfterFunc", "NewTicker", "NewTimer", "Sleep", "Tick", "Ticker", "Timer"}

func TestPagesHoldNoMachinery(t *testing.T) {
	t.Parallel()
	packages := pagePackages(t)
	if len(packages) < len([]string{"tv", "phone", "tablet"}) {
		t.Fatalf("only %q hold pages", packages)
	}
	for _, pkg := range packages {
		t.Run(pkg, func(t *testing.T) {
			t.Parallel()
			files := pageFiles(t, pkg)
			if len(files) == 0 {
				t.Fatal("no page file found: the rule would hold for nothing")
			}
			for _, name := range files {
				for _, found := range pageFaults(parse(t, filepath.ToSlash(name), nil)) {
					t.Errorf("%s: %s", name, found)
				}
			}
		})
	}
}

// pagePackages hold what device teams write: declarations, and no machinery.
func pagePackages(t *testing.T) []string {
	t.Helper()
	found := map[string]bool{}
	for _, f := range sources(t) {
		if _, other := floors[f.pkg]; !other && families.MatchString(f.pkg) {
			found[f.pkg] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func TestPageRuleNoticesMachinery(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, text, want string }{
		{"plain", "package tv\nimport \"strings\"\nfunc f() string { return strings.ToUpper(\"a\") }", ""},
		{"own import", "package tv\nimport \"" + module + "/core/stream\"", ""},
		{"goroutine", "package tv\nfunc f() { go f() }", "a goroutine"},
		{"channel type", "package tv\ntype t struct{ c <-chan int }", "a channel"},
		{"made channel", "package tv\nfunc f() { _ = make(chan int) }", "a channel"},
		{"send", "package tv\nfunc f() { c <- 1 }", "a channel"},
		{"receive", "package tv\nfunc f() { _ = <-c }", "a channel"},
		{"select", "package tv\nfunc f() { select {} }", "a select"},
		{"mutex", "package tv\nimport \"sync\"", "an import of sync"},
		{"atomic", "package tv\nimport \"sync/atomic\"", "an import of sync/atomic"},
		{"context", "package tv\nimport c \"context\"", "an import of context"},
		{"http", "package tv\nimport . \"net/http\"", "an import of net/http"},
		{"protocol", "package tv\nimport \"" + module + "/core/backend/http\"", "an import of " + module + "/core/backend/http"},
		{"server", "package tv\nimport \"" + module + "/core/server\"", "an import of " + module + "/core/server"},
		{"system", "package tv\nimport \"syscall\"", "an import of syscall"},
		{"coroutine", "package tv\nimport \"iter\"", "an import of iter"},
		{"duration", "package tv\nimport \"time\"\nvar d = time.Second", ""},
		{"timer", "package tv\nimport \"time\"\nfunc f() { time.AfterFunc(0, f) }", "time.AfterFunc"},
		{"renamed timer", "package tv\nimport t \"time\"\nfunc f() { t.Sleep(1) }", "time.Sleep"},
		{"dotted timer", "package tv\nimport . \"time\"\nfunc f() { for range Tick(1) {} }", "time.Tick"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(pageFaults(parse(t, "page.go", c.text)), ", "); got != c.want {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

func pageFiles(t *testing.T, pkg string) []string {
	t.Helper()
	files, err := filepath.Glob(pkg + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
}

// pageFaults names the machinery that a file holds.
func pageFaults(s source) []string {
	var found []string
	for _, imported := range s.imports {
		if !slices.Contains(vocabulary, imported) {
			found = append(found, "an import of "+imported)
		}
	}
	timed := slices.Contains(s.imports, "time")
	ast.Inspect(s.file, func(n ast.Node) bool {
		if name := machineryOf(n); name != "" {
			found = append(found, name)
		}
		if id, ok := n.(*ast.Ident); ok && timed && slices.Contains(clockwork, id.Name) { // whatever time is called here
			found = append(found, "time."+id.Name)
		}
		return true
	})
	return found
}

func machineryOf(n ast.Node) string {
	switch n := n.(type) {
	case *ast.GoStmt:
		return "a goroutine"
	case *ast.SelectStmt:
		return "a select"
	case *ast.ChanType, *ast.SendStmt:
		return "a channel"
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			return "a channel"
		}
	}
	return ""
}
