package main

import (
	"runtime/debug"
	"testing"
)

// The environment is the process's own, so this test runs alone.
func TestCollectorIsCalmerUnlessTheEnvironmentSpeaks(t *testing.T) {
	cases := []struct {
		gogc, limit string
		want        int
	}{
		{"", "", 400},
		{"100", "", 77},
		{"", "1GiB", 77},
	}
	for _, c := range cases {
		t.Setenv("GOGC", c.gogc)
		t.Setenv("GOMEMLIMIT", c.limit)
		before := debug.SetGCPercent(77)
		calmCollector()
		if got := debug.SetGCPercent(before); got != c.want {
			t.Errorf("GOGC=%q GOMEMLIMIT=%q: %d, want %d", c.gogc, c.limit, got, c.want)
		}
	}
}
