package store_test

import (
	"testing"

	"go.uber.org/goleak"
)

// hystrix-go, behind the commands of these tests, keeps two goroutines for each
// circuit, for ever.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/afex/hystrix-go/hystrix.(*metricExchange).Monitor"),
		goleak.IgnoreAnyFunction("github.com/afex/hystrix-go/hystrix.(*poolMetrics).Monitor"),
	)
}
