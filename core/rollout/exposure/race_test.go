//go:build race

package exposure_test

// manyUnits are more than are remembered; the race detector takes its time.
const manyUnits = 300_000
