package devices

import "strings"

// Client hints of https://wicg.github.io/ua-client-hints/, and the spelling
// that net/http gives them as keys.
const (
	formFactorsName = "Sec-CH-UA-Form-Factors"
	formFactorsKey  = "Sec-Ch-Ua-Form-Factors"
	mobileName      = "Sec-CH-UA-Mobile"
	mobileKey       = "Sec-Ch-Ua-Mobile"
)

const (
	maxHintLines = 8
	maxHintBytes = 512
)

// A formFactor is a value of Sec-CH-UA-Form-Factors and the classes it may
// mean: the first one that has a profile. desktop stands for the configured
// desktop class.
type formFactor struct {
	name    string
	classes []Class
}

const desktop Class = "*desktop" // not a valid name, so no profile can have it

// formFactors is in order of rank: a device that names two takes the first of
// this list. XR alone says nothing about a page in two dimensions.
func formFactors() []formFactor {
	return []formFactor{
		{formTablet, []Class{Tablet}},
		{"Watch", []Class{"watch", Phone}},
		{"Mobile", []Class{Phone}},
		{"EInk", []Class{"eink", Tablet}},
		{"Automotive", []Class{"automotive", Tablet}},
		{"Desktop", []Class{desktop}},
		{"XR", []Class{"xr"}},
	}
}

const formTablet = "Tablet"

// readFormFactors returns the set of indexes into names that the lines of a
// structured list of strings hold. Unknown strings are passed over; one
// malformed line spoils all, as RFC 9651 has it.
func readFormFactors(lines []string, names []formChoice) (set uint32) {
	if len(lines) > maxHintLines {
		return 0
	}
	left := maxHintBytes
	for _, line := range lines {
		if left -= len(line); left < 0 {
			return 0
		}
		found, ok := readStrings(line, names)
		if !ok {
			return 0
		}
		set |= found
	}
	return set
}

func readStrings(line string, names []formChoice) (set uint32, ok bool) {
	rest := strings.Trim(line, " ")
	for rest != "" {
		var member string
		if member, rest, ok = cutString(rest); !ok {
			return 0, false
		}
		for i := range names {
			if names[i].name == member {
				set |= 1 << i
			}
		}
		if rest, ok = cutParameters(rest); !ok {
			return 0, false
		}
		if rest, ok = cutComma(rest); !ok {
			return 0, false
		}
	}
	return set, true
}

// cutComma takes what stands between two members of a list. A comma must have
// a member after it.
func cutComma(s string) (rest string, ok bool) {
	s = strings.TrimLeft(s, " \t")
	if s == "" {
		return "", true
	}
	if s[0] != ',' {
		return "", false
	}
	s = strings.TrimLeft(s[1:], " \t")
	return s, s != ""
}

// cutString takes a quoted string. Its escapes stay as they are: no value that
// means something to us has any.
func cutString(s string) (value, rest string, ok bool) {
	if s == "" || s[0] != '"' {
		return "", "", false
	}
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return s[1:i], s[i+1:], true
		case c == '\\':
			if i++; i == len(s) || s[i] != '"' && s[i] != '\\' {
				return "", "", false
			}
		case c < 0x20 || c > 0x7e:
			return "", "", false
		}
	}
	return "", "", false
}

// cutParameters takes the parameters of a member, none of which means anything
// here: they are only skipped, so their values are checked no further than is
// needed to find their end.
func cutParameters(s string) (rest string, ok bool) {
	for s != "" && s[0] == ';' {
		s = strings.TrimLeft(s[1:], " ")
		if s == "" || !isLower(s[0]) && s[0] != '*' {
			return "", false
		}
		s = s[span(s, isKey):]
		if s == "" || s[0] != '=' {
			continue
		}
		if s, ok = cutBareItem(s[1:]); !ok {
			return "", false
		}
	}
	return s, true
}

func cutBareItem(s string) (rest string, ok bool) {
	if s != "" && s[0] == '"' {
		_, rest, ok = cutString(s)
		return rest, ok
	}
	n := span(s, isBare)
	return s[n:], n > 0
}

func span(s string, in func(byte) bool) int {
	n := 0
	for n < len(s) && in(s[n]) {
		n++
	}
	return n
}

func isKey(b byte) bool { return isLower(b) || isDigit(b) || strings.IndexByte("_-.*", b) >= 0 }

func isBare(b byte) bool { return b > ' ' && b < 0x7f && b != ',' && b != ';' && b != '"' }

// saysMobile reports whether Sec-CH-UA-Mobile is a structured true. Its false
// is also what a television and a tablet send, so it decides nothing.
func saysMobile(lines []string) bool {
	if len(lines) != 1 || len(lines[0]) > maxHintBytes {
		return false
	}
	rest, found := strings.CutPrefix(strings.Trim(lines[0], " "), mobileTrue)
	if !found {
		return false
	}
	rest, ok := cutParameters(rest)
	return ok && rest == ""
}

const mobileTrue = "?1"
