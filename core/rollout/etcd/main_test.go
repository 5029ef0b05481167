package etcd_test

import (
	"os"
	"testing"

	"github.com/facet-gateway/facet/core/leaktest"
)

func TestMain(m *testing.M) {
	if endpoint := os.Getenv("FACET_TEST_ETCD"); endpoint != "" {
		reportOn(endpoint)
	}
	leaktest.Main(m)
}
