package guard

import (
	"math"
	"time"
)

// WindowLength is how long a window is.
const WindowLength = 5 * time.Minute

// WholeStep is the window that is the whole step.
const WholeStep = -1

// Window returns the window of a moment: 0, 1, 2, … since the step began. Replicas that
// agree on the step agree on it, to the accuracy of their clocks; a clock that is
// behind is in the first.
func Window(since, now time.Time) int {
	return int(max(0, now.Sub(since)) / WindowLength)
}

// alphaOf returns the part of alpha that a window has: half for the whole step, the
// other half for all others together, because the sum of 1/k² is π²/6.
func alphaOf(alpha float64, window int) float64 {
	if window == WholeStep {
		return alpha / 2
	}
	k := float64(window) + 1
	return alpha / 2 * 6 / (math.Pi * math.Pi * k * k)
}
