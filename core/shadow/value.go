package shadow

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The bounds of a page that is compared.
const (
	maxSize  = 1 << 20
	maxDepth = 100
)

// rubbish is what stands for a page that cannot be compared, and says why.
type rubbish struct{ why string }

// read returns a page's value: nil, bool, json.Number, string, []any, map[string]any,
// or rubbish.
func read(page []byte) any {
	if len(page) > maxSize {
		return rubbish{"over 1 MiB"}
	}
	if !utf8.Valid(page) {
		return rubbish{"not JSON: not UTF-8"}
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(page))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return rubbish{"not JSON: " + err.Error()}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return rubbish{"not JSON: there is more behind it"}
	}
	if deeper(v, maxDepth) {
		return rubbish{"deeper than 100"}
	}
	return v
}

// deeper reports whether a value has more levels of lists and objects than a limit.
func deeper(v any, limit int) bool {
	switch v := v.(type) {
	case map[string]any:
		if limit == 0 {
			return true
		}
		for _, below := range v {
			if deeper(below, limit-1) {
				return true
			}
		}
	case []any:
		return limit == 0 || slices.ContainsFunc(v, func(below any) bool { return deeper(below, limit-1) })
	}
	return false
}

func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "bool"
	case json.Number:
		return "number"
	case string:
		return "string"
	case []any:
		return "list"
	case map[string]any:
		return "object"
	}
	return "rubbish"
}

// sameScalar reports whether two values that are no list and no object are equal. Of
// rubbish nobody knows.
func sameScalar(a, b any) bool {
	if _, unknown := a.(rubbish); unknown {
		return false
	}
	x, isNumber := a.(json.Number)
	y, areNumbers := b.(json.Number)
	if isNumber && areNumbers {
		return x == y || number(x) == number(y)
	}
	switch b.(type) {
	case []any, map[string]any: // which cannot be compared with ==
		return false
	}
	return a == b
}

// number spells a number in the one way that all of its value have: its digits without
// zeros around them, and the power of ten that they are multiplied with. One whose
// power is beyond 18 digits is only equal to what is spelled alike.
func number(n json.Number) string {
	s, negative := strings.CutPrefix(string(n), "-")
	mantissa, exponent := s, "0"
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponent = s[:i], s[i+1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		return "0"
	}
	power, err := strconv.ParseInt(exponent, 10, 64)
	if err != nil || power > maxPower || power < -maxPower {
		return string(n)
	}
	significant := strings.TrimRight(digits, "0")
	power += int64(len(digits) - len(significant) - len(fraction))
	sign := ""
	if negative {
		sign = "-"
	}
	return sign + significant + "e" + strconv.FormatInt(power, 10)
}

const maxPower = 1e18

// canonical appends a spelling of a value that is the same for all that are equal
// under the rules, and for nothing else.
func canonical(to []byte, m matches, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(to, 'n')
	case bool:
		return strconv.AppendBool(to, v)
	case json.Number:
		return append(append(append(to, '#'), number(v)...), ';')
	case string:
		return canonicalString(to, v)
	case map[string]any:
		return canonicalObject(to, m, v)
	case []any:
		if m.unordered() && len(v) <= maxUnordered {
			return canonicalMultiset(to, m.elements(), v)
		}
		return canonicalList(to, m, v)
	}
	return to
}

func canonicalString[S string | []byte](to []byte, s S) []byte {
	to = append(strconv.AppendInt(append(to, '"'), int64(len(s)), 10), ':')
	return append(to, s...)
}

func canonicalObject(to []byte, m matches, v map[string]any) []byte {
	to = append(to, '{')
	for _, name := range slices.Sorted(maps.Keys(v)) {
		if below := m.member(name); !below.ignored() {
			to = canonical(canonicalString(to, name), below, v[name])
		}
	}
	return append(to, '}')
}

func canonicalList(to []byte, m matches, v []any) []byte {
	to = append(to, '[')
	for i := range v {
		if below := m.element(i); !below.ignored() {
			to = canonical(to, below, v[i])
		}
	}
	return append(to, ']')
}

func canonicalMultiset(to []byte, m matches, v []any) []byte {
	to = append(to, '<')
	if !m.ignored() {
		all := make([][]byte, len(v))
		for i := range v {
			all[i] = canonical(nil, m, v[i])
		}
		slices.SortFunc(all, bytes.Compare)
		for _, one := range all {
			to = canonicalString(to, one)
		}
	}
	return append(to, '>')
}
