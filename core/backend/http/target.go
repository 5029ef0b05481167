package http

import (
	"errors"
	"strings"
)

var errTarget = errors.New("the target is not an escaped path and query")

// Target is the path and query of a call, escaped. The empty Target is none:
// no call is made for it. Each part that is added costs one small allocation.
type Target string

// Path returns a target of a fixed path such as "/products/" and segments that
// are escaped and joined by slashes. A segment that is empty, "." or ".." could
// name another resource: the target is then empty.
func Path(fixed string, segments ...string) Target {
	for i, s := range segments {
		if s == "" || s == "." || s == ".." {
			return ""
		}
		if i > 0 {
			fixed += "/"
		}
		fixed += escape(s)
	}
	return Target(fixed)
}

// Query returns the target with one more parameter. Commas stay as they are:
// they separate the items of a list.
func (t Target) Query(name, value string) Target {
	if t == "" {
		return ""
	}
	separator := "?"
	if strings.Contains(string(t), separator) {
		separator = "&"
	}
	return t + Target(separator) + Target(escape(name)) + "=" + Target(escapeList(value)) // one allocation
}

// String returns the target as [GetJSON] takes it.
func (t Target) String() string { return string(t) }

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '_' || c == '.' || c == '~'
}

func escape(s string) string { return escapeBut(s, 0) }

func escapeList(s string) string { return escapeBut(s, ',') }

// escapeBut percent-encodes all that RFC 3986 does not call unreserved, but for
// one character. It allocates only if there is something to encode.
func escapeBut(s string, spared byte) string {
	const digits = "0123456789ABCDEF"
	clean := 0
	for clean < len(s) && (unreserved(s[clean]) || s[clean] == spared && spared != 0) {
		clean++
	}
	if clean == len(s) {
		return s
	}
	out := append(make([]byte, 0, len(s)+16), s[:clean]...)
	for i := clean; i < len(s); i++ {
		if c := s[i]; unreserved(c) || c == spared && spared != 0 {
			out = append(out, c)
		} else {
			out = append(out, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(out)
}

// validTarget guards the request line: nothing in a target may end it.
func validTarget(target string) bool {
	return strings.HasPrefix(target, "/") && validToken(target) && !strings.Contains(target, "#")
}

// validToken reports whether s is visible ASCII, at least one character.
func validToken(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return s != ""
}
