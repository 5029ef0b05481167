package file_test

import (
	"os"
	"testing"

	"github.com/facet-gateway/facet/core/leaktest"
)

// children are what this program is when a test starts it again.
var children = map[string]func(name string) error{"writer": writeOn, "full": fillUp}

func TestMain(m *testing.M) {
	if child := children[os.Getenv("FACET_TEST_CHILD")]; child != nil {
		if err := child(os.Getenv("FACET_TEST_FILE")); err != nil {
			_, _ = os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Exit(0)
	}
	leaktest.Main(m)
}
