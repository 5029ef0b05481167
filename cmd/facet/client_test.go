package main_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// clientFolder holds a client in TypeScript, and the tools that it is made with.
const clientFolder = "../../testdata/client"

// tool runs a tool of the client in a folder. A machine without it is not
// ready for the tests: that is a failure, not a reason to leave them out.
func tool(t *testing.T, folder, name string, args ...string) (output string, err error) {
	t.Helper()
	program, err := filepath.Abs(filepath.Join(clientFolder, "node_modules", ".bin", name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("%v: run `make test-tools` first", err)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = folder
	text, err := cmd.CombinedOutput()
	return string(text), err
}

// documents writes the document of each version and returns their files by name.
func documents(t *testing.T, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for name, flags := range map[string][]string{
		"tv": {"--device", "tv"}, "tablet": {"--device", "tablet"},
		"phone": {"--device", "phone"}, "phonev2": {"--device", "phone", "--version", "v2"},
		"tvv2": {"--device", "tv", "--version", "v2"}, "tabletv2": {"--device", "tablet", "--version", "v2"},
	} {
		status, stdout, stderr := ended(t, append([]string{"openapi"}, flags...)...)
		if status != 0 {
			t.Fatalf("openapi %v: %d %s", flags, status, stderr)
		}
		files[name] = filepath.Join(folder, name+".json")
		write(t, files[name], stdout)
	}
	return files
}

func lint(t *testing.T, files ...string) (output string, err error) {
	t.Helper()
	return tool(t, clientFolder, "spectral", append([]string{"lint", "--ruleset", ".spectral.yaml", "--fail-severity", "hint"}, files...)...)
}

// TestLinterFindsNothing: Spectral is not ours. It is shown to find something where
// there is something.
func TestLinterFindsNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	files := documents(t, folder)
	var all []string
	for _, file := range files {
		all = append(all, file)
	}
	if output, err := lint(t, all...); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
	text, err := os.ReadFile(files["phone"])
	if err != nil {
		t.Fatal(err)
	}
	spoiled := filepath.Join(folder, "spoiled.json")
	write(t, spoiled, strings.Replace(string(text), `"type": "object"`, `"type": "thing"`, 1))
	if output, err := lint(t, spoiled); err == nil || !strings.Contains(output, "error  oas3-schema") {
		t.Errorf("the linter accepts a type that is not: %v\n%s", err, output)
	}
}

// compiled makes a client of the documents' types, and returns its program. That
// of wrong.ts does not compile is checked by the compiler itself.
func compiled(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	must := func(output string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%v\n%s", err, output)
		}
	}
	for name, document := range documents(t, folder) {
		must(tool(t, folder, "openapi-typescript", document, "--output", filepath.Join(folder, name+".ts")))
	}
	for _, name := range []string{"client.ts", "main.ts", "wrong.ts", "tsconfig.json", "package.json"} {
		text, err := os.ReadFile(filepath.Join(clientFolder, name))
		must("", err)
		write(t, filepath.Join(folder, name), string(text))
	}
	modules, err := filepath.Abs(filepath.Join(clientFolder, "node_modules"))
	must("", err)
	must("", os.Symlink(modules, filepath.Join(folder, "node_modules")))
	must(tool(t, folder, "tsc", "--noEmit", "--project", "."))
	must(tool(t, folder, "tsc", "--project", "."))
	return filepath.Join(folder, "out", "main.js")
}

// TestTypeScriptClient runs a client whose types are made from the documents on
// pages of the real program.
func TestTypeScriptClient(t *testing.T) {
	t.Parallel()
	script := compiled(t)
	_, gateway, _ := demo(t)
	var read map[string]map[string]any
	eventually(t, "a client reads whole pages", func() bool {
		cmd := exec.CommandContext(t.Context(), "node", script, gateway)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		output, err := cmd.Output()
		if err != nil { // such as a page that came too late
			t.Logf("node: %v\n%s", err, stderr.String())
			return false
		}
		read = decode[map[string]map[string]any](t, string(output))
		return read["phone"]["parts"] == "" && read["tablet"]["parts"] == "" && read["tv"]["parts"] == ""
	})
	for device, fields := range map[string]map[string]any{
		"phone": {
			"adapter": "phone/v1", "title": "Arden 2-Person Trail Tent", "amount": 24900.0, "availability": "low", "average": 4.3,
			"image": "/img/p-1042/1?w=720&fmt=webp", "cart": 2.0, "wish": "Arden 2-Person Trail Tent",
		},
		"tablet": {
			"adapter": "tablet/v1", "title": "Arden 2-Person Trail Tent", "amount": 24900.0, "ordered": "2026-03-02T10:11:12Z", "name": "Ada",
		},
		"tv":      {"adapter": "tv/v1", "hero": "/img/p-1042/1?w=1920&fmt=jpeg", "availability": "low", "wishes": "Ada's wishes"},
		"refused": {"code": "invalid", "field": "productid", "status": float64(http.StatusBadRequest)},
	} {
		for name, want := range fields {
			if got := read[device][name]; got != want {
				t.Errorf("%s: %s is %v, want %v", device, name, got, want)
			}
		}
		for name, got := range read[device] {
			if got == nil {
				t.Errorf("%s: %s is not there", device, name)
			}
		}
	}
	for _, field := range []string{"row", "tile", "viewed", "shelf", "arrives", "focus", "poster"} {
		if text, _ := anyOf(read, field).(string); text == "" {
			t.Errorf("nobody has read %s", field)
		}
	}
}

// anyOf returns a field of whichever device has it.
func anyOf(read map[string]map[string]any, field string) any {
	for _, of := range read {
		if got := of[field]; got != nil {
			return got
		}
	}
	return nil
}
