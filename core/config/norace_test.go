//go:build !race

package config_test

// raceSize is how large most large files are without the race detector.
const raceSize = maxFile
