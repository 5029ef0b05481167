package edge_test

import (
	"testing"

	"github.com/facet-gateway/facet/core/leaktest"
)

func TestMain(m *testing.M) { leaktest.Main(m) }
