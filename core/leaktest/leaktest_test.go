package leaktest_test

import (
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/leaktest"
)

// leak says what the tests of the process leave open.
const leak = "FACET_TEST_LEAK"

func TestMain(m *testing.M) { leaktest.Main(m, leaktest.Circuits()...) }

// kept is what the test of a process leaves.
var kept any

// TestLeaks runs tests that leave something open, each in a process of its own, and
// looks at what that ends with.
func TestLeaks(t *testing.T) {
	t.Parallel()
	for what, want := range map[string]string{"": "PASS", "socket": "socket:", "file": "leaktest_test.go", "goroutine": "TestLeaving"} {
		t.Run("left "+what, func(t *testing.T) {
			t.Parallel()
			run := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLeaving$") //nolint:gosec // it runs itself
			run.Env = append(os.Environ(), leak+"="+what)
			said, err := run.CombinedOutput()
			if (err == nil) != (what == "") || !strings.Contains(string(said), want) {
				t.Errorf("%v, said %q; want %q in it", err, said, want)
			}
		})
	}
}

// TestLeaving leaves what it is told to.
func TestLeaving(t *testing.T) {
	t.Parallel()
	var err error
	switch os.Getenv(leak) {
	case "socket":
		kept, err = (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	case "file":
		kept, err = os.Open("leaktest_test.go")
	case "goroutine":
		go func() { select {} }()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestDescriptors(t *testing.T) { //nolint:paralleltest // it counts what the process has
	before := leaktest.Descriptors(t)
	f, err := os.Open("leaktest.go")
	if err != nil {
		t.Fatal(err)
	}
	if n := leaktest.Descriptors(t); n != before+1 {
		t.Errorf("%d are open, want %d", n, before+1)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if n := leaktest.Descriptors(t); n != before {
		t.Errorf("%d are open, want %d", n, before)
	}
}
