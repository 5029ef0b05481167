package main_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func dependencies(t *testing.T, tags string) []string {
	t.Helper()
	output, err := exec.Command("go", "list", "-deps", "-tags", tags, ".").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return strings.Fields(string(output))
}

func TestProductionHasNoSimulatorAndNoPlayground(t *testing.T) {
	t.Parallel()
	const module = "github.com/facet-gateway/facet/"
	development, production := dependencies(t, ""), dependencies(t, "production")
	for _, pkg := range []string{module + "adapters/simulator", module + "core/playground", module + "testdata/shop"} {
		if !slices.Contains(development, pkg) {
			t.Errorf("the usual build does not hold %s: the rule would hold for nothing", pkg)
		}
		if slices.Contains(production, pkg) {
			t.Errorf("the production build holds %s", pkg)
		}
	}
}

func TestProductionBuildServesOnly(t *testing.T) {
	t.Parallel()
	program := filepath.Join(t.TempDir(), "facet")
	if output, err := exec.Command("go", "build", "-tags", "production", "-buildvcs=false", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, output)
	}
	help, err := exec.Command(program, "--help").Output()
	if err != nil || !strings.Contains(string(help), "serve") || strings.Contains(string(help), "demo") {
		t.Errorf("help: %v\n%s", err, help)
	}
	refused := exec.Command(program, "demo")
	if output, err := refused.CombinedOutput(); err == nil || refused.ProcessState.ExitCode() != 2 {
		t.Errorf("demo: %v, exit status %d, want 2\n%s", err, refused.ProcessState.ExitCode(), output)
	}
}
