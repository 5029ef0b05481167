package shadow

import (
	"math/rand/v2"

	"github.com/cespare/xxhash/v2"
)

// Whole is the share that takes every request: shares are in hundredths of a percent.
const Whole = 10_000

// Sampled reports whether a request is in a sample of so many hundredths of a percent.
// It is a function of the request's id, so that every replica and every repetition
// says the same, and a larger share has all that a smaller one has; a request without
// an id is drawn at random. A client that chooses its ids chooses its answer: what it
// costs is bounded by the [Runner]. It takes some 10 ns and no memory.
func Sampled(share int, requestID string) bool {
	switch {
	case share <= 0:
		return false
	case share >= Whole:
		return true
	case requestID == "":
		return rand.IntN(Whole) < share
	}
	return int((xxhash.Sum64String(requestID)>>32)*Whole>>32) < share // the upper half, scaled: below Whole
}
