package services

import (
	"slices"
	"strconv"
	"strings"
)

// Image is a picture of a product, on the image service. Those of a [Product]
// all have an address that a page may show.
type Image struct {
	URL string `json:"url"` // without query and fragment
	Alt string `json:"alt"`
}

// At returns the address of the picture in a width in pixels and a format:
// "jpeg", "webp" or "avif"; "" if there is no picture that a page may show.
func (i Image) At(width int, format string) string {
	if !i.usable() {
		return ""
	}
	return i.URL + "?w=" + strconv.Itoa(width) + "&fmt=" + format
}

// usable reports whether the address is one of http, https or the page's own
// scheme, and one that a query can be put behind.
func (i Image) usable() bool {
	for _, c := range []byte(i.URL) {
		if c <= ' ' || c == 0x7f || c == '?' || c == '#' || c == '\\' {
			return false
		}
	}
	scheme, rest, found := strings.Cut(i.URL, ":")
	if !found || strings.Contains(scheme, "/") { // what has no scheme, or a colon in its path
		return strings.TrimLeft(i.URL, "/") != ""
	}
	http := strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")
	return http && len(rest) > 2 && rest[:2] == "//" && rest[2] != '/'
}

// usable returns the images of a list that a page may show. It uses the list's
// memory.
func usable(images []Image) []Image {
	return slices.DeleteFunc(images, func(i Image) bool { return !i.usable() })
}
