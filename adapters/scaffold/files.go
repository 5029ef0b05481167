package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"text/template"
)

//go:embed templates/*.tmpl
var templates embed.FS

// files are what is to be written: path → text.
type files map[string][]byte

// render adds a file made of a template.
func (f files) render(path, name string, data any) error {
	t, err := template.ParseFS(templates, "templates/"+name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var text bytes.Buffer
	if err := t.Execute(&text, data); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	formatted, err := format.Source(text.Bytes())
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	f[path] = formatted
	return nil
}

// and returns the paths of the files and of one more, sorted.
func (f files) and(changed string) []string {
	all := append(slices.Collect(maps.Keys(f)), changed)
	slices.Sort(all)
	return all
}

// write writes the new files, then the changed one. When a new one is there
// already nothing is written; when writing fails, what was new is removed.
func (m Module) write(made files, changed string, text []byte) error {
	for path := range made {
		if m.exists(path) {
			return fmt.Errorf("%s is there already", path)
		}
	}
	var errs []error
	for path, text := range made {
		errs = append(errs, m.put(path, text))
	}
	errs = append(errs, m.put(changed, text))
	err := errors.Join(errs...)
	if err != nil {
		for path := range made {
			_ = os.Remove(filepath.Join(m.root, path)) // the first error is the one to tell
		}
	}
	return err
}

func (m Module) put(path string, text []byte) error {
	const folder, file fs.FileMode = 0o755, 0o644 // source is for everybody to read
	whole := filepath.Join(m.root, path)
	if err := os.MkdirAll(filepath.Dir(whole), folder); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := os.WriteFile(whole, text, file); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
