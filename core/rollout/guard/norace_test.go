//go:build !race

package guard_test

// fewer is how many times fewer runs a simulation has with the race detector.
const fewer = 1
