package server

import (
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
)

// weakETag returns the validator of a page (RFC 9110, 8.8.3): weak, because the
// same page may travel compressed or not. Equal pages have equal validators on
// every replica.
func weakETag(body []byte) string {
	b := make([]byte, 0, len(`W/"0123456789abcdef"`))
	b = append(b, `W/"`...)
	b = strconv.AppendUint(b, xxhash.Sum64(body), 16)
	return string(append(b, '"'))
}

// matches reports whether If-None-Match names the page (RFC 9110, 13.1.2). The
// comparison is weak, and a validator never holds a comma here.
func matches(lines []string, etag string) bool {
	opaque := strings.TrimPrefix(etag, "W/")
	for _, line := range lines {
		for candidate := range strings.SplitSeq(line, ",") {
			candidate = strings.TrimSpace(candidate)
			if candidate == "*" || strings.TrimPrefix(candidate, "W/") == opaque {
				return true
			}
		}
	}
	return false
}
