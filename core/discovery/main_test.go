package discovery_test

import (
	"flag"
	"testing"

	"github.com/facet-gateway/facet/core/leaktest"
)

// TestMain lets several tests run at a time on a small machine, too: they wait more
// than they work.
func TestMain(m *testing.M) {
	flag.Parse()
	if parallel := flag.Lookup("test.parallel"); parallel.Value.String() == parallel.DefValue {
		_ = parallel.Value.Set("4")
	}
	leaktest.Main(m)
}
