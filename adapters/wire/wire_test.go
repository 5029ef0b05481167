package wire_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestGeneratedCodeIsThatOfTheDescriptions makes it anew, elsewhere.
func TestGeneratedCodeIsThatOfTheDescriptions(t *testing.T) {
	made := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // the compilers may have to be installed
	defer cancel()
	cmd := exec.CommandContext(ctx, "make", "-C", "../..", "generate", "WIRE="+made)
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=") // those of a make that runs the tests are not for it
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make generate: %v\n%s", err, out)
	}
	want, got := generated(t, made), generated(t, ".")
	for name, code := range want {
		if !bytes.Equal(got[name], code) {
			t.Errorf("%s is not what make generate makes", name)
		}
	}
	for name := range got {
		if want[name] == nil {
			t.Errorf("%s is not made any more", name)
		}
	}
	if len(want) < 4 {
		t.Errorf("only %d files are made", len(want))
	}
}

// generated returns the Go code in the folders below one, by name.
func generated(t *testing.T, root string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") || !strings.Contains(name, "/") ||
			strings.HasPrefix(name, "wiretest/") { // which is written by hand
			return err
		}
		all[name], err = os.ReadFile(filepath.Join(root, name))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
