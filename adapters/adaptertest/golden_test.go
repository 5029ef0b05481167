package adaptertest_test

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/adapters/adaptertest"
)

// withUpdate sets the flag -update for a test.
func withUpdate(t *testing.T, on string) {
	t.Helper()
	before := flag.Lookup("update").Value.String()
	set := func(value string) {
		if err := flag.Set("update", value); err != nil {
			t.Fatal(err)
		}
	}
	set(on)
	t.Cleanup(func() { set(before) })
}

func TestGoldenFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	p := leafOf(none)
	p.Cases = adaptertest.Without("cart", "catalog")
	withUpdate(t, "false")
	if found := prove(p); !strings.Contains(found["golden"], "-update writes it") || len(found) != 1 {
		t.Errorf("without files: %q", found)
	}
	withUpdate(t, "true")
	if found := prove(p); len(found) != 0 {
		t.Fatalf("while the files are written: %q", found)
	}
	files, err := filepath.Glob("testdata/*")
	want := []string{
		"testdata/leaf-anonymous.json", "testdata/leaf-without-cart.json", "testdata/leaf-without-catalog.json", "testdata/leaf.json",
	}
	if err != nil || !slices.Equal(files, want) {
		t.Errorf("the files are %q, %v; want %q", files, err, want)
	}
	withUpdate(t, "false")
	if found := prove(p); len(found) != 0 {
		t.Errorf("with files: %q", found)
	}
	checkFiles(t)
	p.Cases = append(adaptertest.Without("cart"), adaptertest.Without("cart")...)
	spoil(t, "testdata/leaf.json", "Dry in a storm", "Wet in a storm")
	for _, part := range []string{"testdata/leaf.json has it", "Wet in a storm", "two cases are called", "is of no case any more"} {
		if found := prove(p); !strings.Contains(found["golden"], part) || len(found) != 1 {
			t.Errorf("with a file that differs, one too many, and two cases of one name: %q, want %q", found, part)
		}
	}
	withUpdate(t, "true")
	prove(p)
	if _, err := os.Stat("testdata/leaf-without-catalog.json"); !os.IsNotExist(err) {
		t.Errorf("a file of no case stays: %v", err)
	}
}

// checkFiles looks into the files.
func checkFiles(t *testing.T) {
	t.Helper()
	for file, want := range map[string]string{
		"testdata/leaf-anonymous.json":       `"facet_parts": "cart=missing;reason=anonymous",`,
		"testdata/leaf-without-cart.json":    `"facet_parts": "cart=missing;reason=error",`,
		"testdata/leaf-without-catalog.json": `"status": 503,`,
		"testdata/leaf.json":                 `"inventory.stock": 1,`,
	} {
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v, %s; want %s in it", file, err, text, want)
		}
	}
}

func spoil(t *testing.T, file, from, to string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(string(text), from, to)), 0o644); err != nil {
		t.Fatal(err)
	}
}
