package shadow_test

import (
	"testing"
	"time"

	"github.com/facet-gateway/facet/core/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m, leaktest.Circuits()...) }

// eventually polls until a condition holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never came true: %s", what)
		}
	}
}
