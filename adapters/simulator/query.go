package simulator

import (
	"net/url"
	"strconv"
	"strings"
)

const (
	maxIDBytes = 64
	maxKeys    = 200 // of a batch
	maxLimit   = 50
)

// query is a raw query string, read without making a map of it.
type query string

// get returns the first value of a parameter, unescaped; "" if there is none or
// it cannot be unescaped.
func (q query) get(name string) string {
	for rest := string(q); rest != ""; {
		var pair string
		pair, rest, _ = strings.Cut(rest, "&")
		key, value, _ := strings.Cut(pair, "=")
		if key == name {
			return unescape(value)
		}
	}
	return ""
}

func unescape(value string) string {
	if !strings.ContainsAny(value, "%+") {
		return value
	}
	plain, err := url.QueryUnescape(value)
	if err != nil {
		return ""
	}
	return plain
}

// limit returns the parameter limit, between 1 and 50; false if it is not.
func (q query) limit(otherwise int) (int, bool) {
	text := q.get("limit")
	if text == "" {
		return otherwise, true
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 1 && n <= maxLimit
}

// validID reports whether text is an identifier: [A-Za-z0-9_-]{1,64}.
func validID(text string) bool {
	if text == "" || len(text) > maxIDBytes {
		return false
	}
	for i := range len(text) {
		if !idByte(text[i]) {
			return false
		}
	}
	return true
}

func idByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}
