package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/config"
	"github.com/facet-gateway/facet/devices"
)

// fullConfig is the file that the README points to; TestCheckOfTheFullConfig gives
// it to the program.
const fullConfig = "../../core/config/testdata/full.yaml"

// TestFullConfigHoldsTheDefaults: a file with nothing but the instances comes to
// the same as the one that says everything.
func TestFullConfigHoldsTheDefaults(t *testing.T) {
	b, err := newBuild()
	if err != nil {
		t.Fatal(err)
	}
	full, err := config.Load(fullConfig, b.known())
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	text.WriteString("services:\n")
	for _, name := range services.Names() {
		text.WriteString("  " + name + ": {instances: [\"" + full.Services[name].Instances[0] + "\"]}\n")
	}
	want, err := config.Parse("defaults", []byte(text.String()), b.known())
	if err != nil {
		t.Fatal(err)
	}
	want.Rollout.File = filepath.Join(filepath.Dir(fullConfig), want.Rollout.File) // which only a file's folder makes whole
	want.Devices.Header, want.Devices.Default, want.Devices.Desktop = "X-Device-Type", devices.Phone, devices.Tablet
	empty := cmp.Transformer("empty", func(list []string) string { return strings.Join(list, " ") })
	if diff := cmp.Diff(want, full, empty, cmpopts.IgnoreUnexported(config.Config{})); diff != "" {
		t.Errorf("-default +%s\n%s", fullConfig, diff)
	}
}
