package etcd_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if endpoint := os.Getenv("FACET_TEST_ETCD"); endpoint != "" {
		reportOn(endpoint)
	}
	goleak.VerifyTestMain(m)
}
