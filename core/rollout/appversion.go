package rollout

import "strings"

// validAppVersion reports whether a text is numbers with dots between.
func validAppVersion(text string) bool {
	if len(text) > maxText {
		return false
	}
	digit := false // is what came last
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			digit = true
		case c == '.' && digit:
			digit = false
		default:
			return false
		}
	}
	return digit
}

// compareAppVersions returns how a stands to b: below 0, 0 or above. 5.2 is 5.2.0.
// Numbers are compared as texts, so that none is too long.
func compareAppVersions(a, b string) int {
	for a != "" || b != "" {
		var x, y string
		x, a = firstNumber(a)
		y, b = firstNumber(b)
		if len(x) != len(y) {
			return len(x) - len(y)
		}
		if c := strings.Compare(x, y); c != 0 {
			return c
		}
	}
	return 0
}

// firstNumber returns the digits of a version's first number, without zeros before it,
// and what follows its dot. Each request with a rule pays for it: a loop over bytes costs
// half of what package strings does.
func firstNumber(version string) (digits, rest string) {
	start := 0
	for start < len(version) && version[start] == '0' {
		start++
	}
	end := start
	for end < len(version) && version[end] != '.' {
		end++
	}
	if end == len(version) {
		return version[start:], ""
	}
	return version[start:end], version[end+1:]
}

// empty reports whether no version is in the range.
func (v *AppVersions) empty() bool {
	return v.Min != "" && v.Below != "" && compareAppVersions(v.Min, v.Below) >= 0
}

// admits reports whether an app's version is in the range. What is no version is in none.
func (v *AppVersions) admits(version string) bool {
	return validAppVersion(version) &&
		(v.Min == "" || compareAppVersions(version, v.Min) >= 0) &&
		(v.Below == "" || compareAppVersions(version, v.Below) < 0)
}
