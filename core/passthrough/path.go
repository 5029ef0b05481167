package passthrough

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/facet-gateway/facet/core/fault"
)

// Clean returns the path of a request as everybody reads it: decoded once. A path that
// two programs could read in two ways is refused, not mended, with a 400 that names
// "path": no honest client sends one. These are dot segments, also those with a
// parameter (..;x), empty segments, slashes, backslashes and control characters that
// are encoded, what could be decoded a second time (%252e), and bytes that are no
// UTF-8 or should have been encoded. What it returns begins with a slash, and holds no
// segment that leads out of another one.
func Clean(u *url.URL) (string, error) {
	raw := sent(u)
	path, problem := decode(raw)
	switch {
	case u.Opaque != "" || !strings.HasPrefix(raw, "/"):
		problem = "must begin with a slash"
	case problem != "":
	case !utf8.ValidString(path):
		problem = "must be UTF-8"
	default:
		problem = astray(path)
	}
	if problem != "" {
		return "", fault.InvalidField("path", problem)
	}
	return path, nil
}

// sent returns the path of a request as it was sent.
func sent(u *url.URL) string {
	if u.RawPath != "" { // there is more than one way to encode it
		return u.RawPath
	}
	return u.EscapedPath()
}

// decode takes the percent-encoding away, once, or says what is wrong with it.
func decode(raw string) (path, problem string) {
	b := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c == '%' {
			var ok bool
			if c, ok = octet(raw[i:]); !ok {
				return "", "must have two hexadecimal digits after each %"
			}
			i += 2
			if c == '/' {
				return "", "must not hold an encoded slash"
			}
		} else if c <= ' ' || c > '~' || c == '?' || c == '#' {
			return "", "must have such characters percent-encoded"
		}
		if c < ' ' || c == 0x7f || c == '\\' {
			return "", "must not hold a backslash or a control character"
		}
		b = append(b, c)
	}
	return string(b), ""
}

// octet decodes the three bytes that s begins with, if they encode one.
func octet(s string) (byte, bool) {
	if len(s) < len("%00") {
		return 0, false
	}
	high, ok := digit(s[1])
	low, too := digit(s[2])
	return high<<4 | low, ok && too
}

func digit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

// astray says which segment of a path leads elsewhere, or nowhere.
func astray(path string) (problem string) {
	for i := range len(path) {
		if _, again := octet(path[i:]); again && path[i] == '%' {
			return "must not hold what could be decoded twice"
		}
	}
	segments := strings.Split(path[1:], "/")
	for i, s := range segments {
		name, _, _ := strings.Cut(s, ";")
		switch {
		case s == "" && i < len(segments)-1:
			return "must not hold two slashes in a row"
		case name == "." || name == "..":
			return "must not hold a dot segment"
		}
	}
	return ""
}

// spell writes a clean path as every program spells it, without the bytes of a prefix:
// what RFC 3986 lets stand in a segment stands, and all else is encoded. So is what is
// reserved and was sent encoded, since it may mean something else then (RFC 3986, 2.2).
func spell(raw string, prefix int) string {
	const digits = "0123456789ABCDEF"
	b := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		c, encoded := raw[i], false
		if c == '%' {
			c, encoded = octet(raw[i:])
			i += 2
		}
		switch prefix--; {
		case prefix >= 0:
		case unreserved(c), !encoded && strings.IndexByte("/!$&'()*+,;=:@", c) >= 0:
			b = append(b, c)
		default:
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(b)
}

// unreserved holds for what means the same encoded or not (RFC 3986, 2.3).
func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// query returns a query that a request line can hold: what it decodes to stays as it is.
func query(raw string) string {
	const digits = "0123456789ABCDEF"
	b := make([]byte, 0, len(raw))
	for i := range len(raw) {
		if c := raw[i]; c <= ' ' || c >= 0x7f || c == '#' {
			b = append(b, '%', digits[c>>4], digits[c&15])
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}
