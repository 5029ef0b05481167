package config

import (
	"slices"
	"strings"
)

// names lists what is allowed, in alphabetical order.
func names(known []string) string {
	if len(known) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(slices.Values(known)), ", ")
}

// nearest returns the known name that a slip of the keyboard may have been
// meant for, or nothing.
func nearest(name string, known []string) string {
	if len(name) > maxShown {
		return ""
	}
	best, least := "", min(len(name), max(2, len(name)/3)+1)
	for _, k := range slices.Sorted(slices.Values(known)) {
		if d := distance(strings.ToLower(name), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is the number of bytes to insert, delete or replace to turn a into b
// (Levenshtein). Its cost is the product of their lengths.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
