package secret_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/secret"
)

func TestRead(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("x", 4096)
	for text, want := range map[string]string{
		"hunter2": "hunter2", "hunter2\n": "hunter2", "hunter2\r\n": "hunter2", " a b ": " a b ", "pässword": "pässword",
		longest: longest, longest + "\r\n": longest,
		"": "", "\n": "", "two\nlines": "", "a\x00b": "", "a\tb": "", longest + "x": "", longest + "x\n": "",
	} {
		file := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := secret.Read(file)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%.20q: got %.20q, %v", text, got, err)
		}
		if err != nil && strings.TrimSpace(text) != "" && strings.Contains(err.Error(), strings.TrimSpace(text)) {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
	if _, err := secret.Read(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("of no file: %v", err)
	}
}
