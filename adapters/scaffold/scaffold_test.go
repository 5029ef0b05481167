package scaffold_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/adapters/scaffold"
)

// tree is a copy of this source tree, as version control would have it.
func tree(t *testing.T) (root string, m scaffold.Module) {
	t.Helper()
	root = t.TempDir()
	list := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = "../.."
	output, err := list.Output()
	if err != nil {
		t.Fatalf("git: %v", err)
	}
	for path := range strings.SplitSeq(strings.Trim(string(output), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join("../..", path))
		if os.IsNotExist(err) {
			continue // removed, and not committed yet
		}
		if err == nil {
			err = os.MkdirAll(filepath.Join(root, filepath.Dir(path)), 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(root, path), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	m, err = scaffold.Find(filepath.Join(root, "adapters", "phone"))
	if err != nil || m.Root() != root {
		t.Fatalf("found %q, %v; want %q", m.Root(), err, root)
	}
	return root, m
}

// tool runs the go command in a tree.
func tool(t *testing.T, root string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOFLAGS=-trimpath") // so that what is built already is not built again
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, output)
	}
}

// TestWhatIsWrittenCompilesAndPasses writes everything there is to write, and runs
// the tests that come with it, the list's and the map's of the tree.
func TestWhatIsWrittenCompilesAndPasses(t *testing.T) {
	root, m := tree(t)
	before := files(t, root)
	var told []string
	step := func(_ string, written []string, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, written...)
	}
	step(m.NewAdapter("watch", "v1", ""))
	step(m.NewEndpoint("watch", "v1", "/glance"))
	step(m.NewEndpoint("watch", "v1", "/my/new_page"))
	step(m.NewAdapter("watch", "v2", "v1"))
	step(m.NewAdapter("watch", "v3", "v2"))
	step(m.NewEndpoint("watch", "v3", "/glance")) // overrides that of v1
	step(m.NewEndpoint("tablet", "v1", "/extra"))
	step(m.NewAdapter("phone", "v9", "v2"))
	step(m.NewEndpoint("watch", "v1", "/wait_test")) // a name that Go would read another meaning into
	step(m.NewEndpoint("watch", "v1", "/only_linux"))

	changed := difference(before, files(t, root))
	slices.Sort(told)
	if told = slices.Compact(told); !slices.Equal(changed, told) {
		t.Errorf("changed %q, told of %q", changed, told)
	}
	for _, path := range changed {
		own := strings.HasPrefix(path, "adapters/watch/") || strings.HasPrefix(path, "adapters/phone/v9/") ||
			filepath.Dir(path) == "adapters/tablet"
		if !own && path != "adapters/adapters.go" {
			t.Errorf("%s is outside the folders and is not the list", path)
		}
	}
	if v3 := string(files(t, root)["adapters/watch/v3/version.go"]); !strings.Contains(v3, `adapter.Override("/glance", p.glance)`) {
		t.Errorf("the third version does not override:\n%s", v3)
	}
	tool(t, root, "vet", "./adapters/...")
	tool(t, root, "test", "./adapters/watch/...", "-update")
	tool(t, root, "test", "./adapters/tablet", "-run", "Extra", "-update")
	tool(t, root, "test", ".", "./adapters", "./adapters/watch/...")
}

// TestEndpointIsShort: seven calls in at most 45 lines.
func TestEndpointIsShort(t *testing.T) {
	root, m := tree(t)
	if _, _, err := m.NewEndpoint("phone", "v2", "/glance"); err != nil {
		t.Fatal(err)
	}
	text := files(t, root)["adapters/phone/v2/glance.go"]
	if lines := bytes.Count(text, []byte("\n")); lines > 45 || bytes.Count(text, []byte("s.")) < 7 {
		t.Errorf("%d lines:\n%s", lines, text)
	}
}

func TestNothingIsWrittenInTheWay(t *testing.T) {
	root, m := tree(t)
	if err := os.WriteFile(filepath.Join(root, "adapters/phone/v2/glance_test.go"), []byte("package v2_test\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(root, "adapters/odd"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "adapters/odd/version.go"), []byte(`package odd
import "github.com/facet-gateway/facet/core/adapter"
var v, err = adapter.New("odd", "v1")
`), 0o600); err != nil {
		t.Fatal(err)
	}
	before := files(t, root)
	adapter := func(class, version, base string) func() error {
		return func() error { _, _, err := m.NewAdapter(class, version, base); return err }
	}
	endpoint := func(class, version, path string) func() error {
		return func() error { _, _, err := m.NewEndpoint(class, version, path); return err }
	}
	for _, c := range []struct {
		begin func() error
		want  string
	}{
		{adapter("Watch", "v1", ""), `CLASS "Watch": must match`},
		{adapter("services", "v1", ""), `CLASS "services"`},
		{adapter("../x", "v1", ""), "CLASS"},
		{adapter("main", "v1", ""), `CLASS "main"`},
		{adapter("errors", "v1", ""), `CLASS "errors"`},
		{adapter("adapter", "v1", ""), `CLASS "adapter"`},
		{adapter("append", "v1", ""), `CLASS "append"`},
		{adapter("func", "v1", ""), `CLASS "func"`},
		{adapter("testdata", "v1", ""), `CLASS "testdata"`},
		{adapter("phone", "v01", ""), `VERSION "v01": must match`},
		{endpoint("phone", "v2", "/func"), `PATH "/func": func is a word of Go`},
		{endpoint("phone", "v2", "/services"), `PATH "/services": adapters/phone/v2 has something called services already`},
		{endpoint("phone", "v1", "/tiles"), `PATH "/tiles": adapters/phone has something called tiles already`},
		{endpoint("phone", "v2", "/product"), `adapters/phone/v2 has something called productPage already`},
		{adapter("watch", "1", ""), `VERSION "1": must match v[1-9][0-9]{0,3}`},
		{adapter("phone", "v1", ""), "phone/v1 is there already, in adapters/phone"},
		{adapter("phone", "v2", "v1"), "phone/v2 is there already, in adapters/phone/v2"},
		{adapter("phone", "v3", "v9"), "the base: there is no version v9 of phone"},
		{adapter("phone", "v3", "v3"), "builds on itself"},
		{adapter("phone", "v3", "../x"), "the base: there is no version ../x"},
		{endpoint("phone", "v1", "glance"), `PATH "glance": must match`},
		{endpoint("phone", "v1", "/../../x"), "PATH"},
		{endpoint("phone", "v9", "/glance"), "there is no version v9 of phone"},
		{endpoint("phone", "v1", "/home"), "adapters/phone has something called home already"},
		{endpoint("phone", "v2", "/glance"), "adapters/phone/v2/glance_test.go is there already"},
		{endpoint("odd", "v1", "/glance"), "it has no `p := pages{…}`"},
	} {
		if err := c.begin(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	if changed := difference(before, files(t, root)); len(changed) > 0 {
		t.Errorf("%q changed", changed)
	}
	if _, err := scaffold.Find("/"); err == nil {
		t.Error("the root directory is taken for a source tree")
	}
}

func files(t *testing.T, root string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		relative, _ := filepath.Rel(root, path)
		all[relative], err = os.ReadFile(path) //nolint:gosec // nobody else writes to the test's own tree
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// difference returns the paths of what is new or not as before.
func difference(before, after map[string][]byte) []string {
	var paths []string
	for path, text := range after {
		if old, known := before[path]; !known || !bytes.Equal(old, text) {
			paths = append(paths, path)
		}
	}
	for path := range before {
		if _, left := after[path]; !left {
			paths = append(paths, fmt.Sprint(path, " removed"))
		}
	}
	slices.Sort(paths)
	return paths
}
