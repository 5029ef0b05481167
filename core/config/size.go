package config

import (
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes. In a file it is a whole number and a unit: B, KiB,
// MiB or GiB.
type Size int64

type sizeUnit struct {
	name string
	size Size
}

// sizeUnits is ordered so that a name comes before those that end like it.
func sizeUnits() []sizeUnit {
	return []sizeUnit{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}
}

// String returns the size in the largest unit that needs no fraction, such as
// "16MiB".
func (s Size) String() string {
	for _, u := range sizeUnits() {
		if s != 0 && s%u.size == 0 {
			return strconv.FormatInt(int64(s/u.size), 10) + u.name
		}
	}
	return "0B"
}

func parseSize(text string) (Size, bool) {
	for _, u := range sizeUnits() {
		digits, ok := strings.CutSuffix(text, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 63) // no sign
		if err != nil || n > math.MaxInt64 || Size(n) > math.MaxInt64/u.size {
			return 0, false
		}
		return Size(n) * u.size, true
	}
	return 0, false
}
