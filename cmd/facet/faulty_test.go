package main_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// faultyLines are lines for the list of adapters that must not be in it.
const faultyLines = `
		with("phone", "v1", ""), // whose name is taken
		with("tv", "v8", "v9"),
		with("tv", "v9", "v8"),
		with("tablet", "v8", "v7"),
		with("tablet", "v9", "v1", adapter.Override("/nowhere", nothing)),
		with("tablet", "v10", "v1", adapter.Page("/home", nothing)),
`

// faultySource is what those lines need.
const faultySource = `package adapters

import (
	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

func with(class devices.Class, name, base string, all ...adapter.Endpoint) func(*services.Services) (*adapter.Version, error) {
	return func(*services.Services) (*adapter.Version, error) { return adapter.NewOn(class, name, base, all...) }
}

func nothing(*adapter.Request, struct{}) stream.Assembly[struct{}] { return stream.Assembly[struct{}]{} }
`

// TestFaultyVersionsStopTheStart builds the program with versions that cannot be, and
// has it do whatever needs them: it does nothing, and names each fault at once.
func TestFaultyVersionsStopTheStart(t *testing.T) {
	t.Parallel()
	program := faultyProgram(t)
	config := file(t, "facet.yaml", exampleOfHelp(t))
	for _, args := range [][]string{{"serve", "--config", config}, {"check", config}, {"demo"}, {"openapi", "--device", "tv"}} {
		var stdout, stderr strings.Builder
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		err := cmd.Run()
		if status := cmd.ProcessState.ExitCode(); status != 1 || stdout.Len() > 0 {
			t.Errorf("%s: %v, exit status %d, want 1; stdout %q", args[0], err, status, stdout.String())
		}
		for _, want := range []string{
			"adapter phone/v1: two versions have this name",
			"adapter tv/v8: it builds on itself: tv/v8 → tv/v9 → tv/v8",
			"adapter tablet/v8: it builds on tablet/v7, which is not in this build",
			"adapter tablet/v9: /nowhere: overrides nothing",
			"adapter tablet/v10: /home: tablet/v1 has this path, too: use Override to replace it",
		} {
			if !strings.Contains(stderr.String(), want) {
				t.Errorf("%s: %q is not in %s", args[0], want, stderr.String())
			}
		}
	}
}

// faultyProgram builds it from the source as it is, but for two files that the
// compiler reads from elsewhere.
func faultyProgram(t *testing.T) string {
	t.Helper()
	list, err := os.ReadFile("../../adapters/adapters.go")
	if err != nil {
		t.Fatal(err)
	}
	const first = "\t\ttv.New,\n"
	if !strings.Contains(string(list), first) {
		t.Fatalf("the list of adapters does not begin with %q: %s", first, list)
	}
	absolute := func(name string) string {
		path, err := filepath.Abs(filepath.Join("../../adapters", name))
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {
		absolute("adapters.go"): file(t, "adapters.go", strings.Replace(string(list), first, first+faultyLines, 1)),
		absolute("faulty.go"):   file(t, "faulty.go", faultySource),
	}})
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "facet")
	given := []string{"build", "-overlay", file(t, "overlay.json", string(overlay)), "-buildvcs=false", "-o", program, "."}
	build := exec.CommandContext(t.Context(), "go", given...)
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, output)
	}
	return program
}
