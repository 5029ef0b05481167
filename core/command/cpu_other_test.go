//go:build !unix

package command_test

import (
	"testing"
	"time"
)

// cpu is not measured here.
func cpu(testing.TB) time.Duration { return 0 }
