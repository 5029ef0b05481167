//go:build !race

package exposure_test

const manyUnits = 1_000_000
