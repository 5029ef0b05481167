package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/facet-gateway/facet/core/leaktest"
)

// binary is the real program, built once with the race detector. A race ends it
// with a status of its own, so every test of an exit status is also one of races.
var binary string

func TestMain(m *testing.M) { leaktest.Main(tests{m}, leaktest.Circuits()...) }

// tests are those of the package, and what they need.
type tests struct{ *testing.M }

// Run builds the program, runs the tests, and removes it.
func (t tests) Run() int {
	dir, err := os.MkdirTemp("", "facet-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }() // a temporary folder
	binary = filepath.Join(dir, "facet")
	if output, err := exec.Command("go", "build", "-race", "-buildvcs=false", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build the program: %v\n%s", err, output)
		return 1
	}
	return t.M.Run()
}
