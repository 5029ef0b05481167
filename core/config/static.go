package config

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/facet-gateway/facet/core/passthrough"
)

// Static is an answer that is the same for everybody: a body, or a file.
type Static struct {
	Body         string
	File         string // "": Body
	ContentType  string // "": that of the file's name
	CacheControl string
}

const (
	defaultStaticType    = "text/plain; charset=utf-8"
	defaultStaticCaching = "public, max-age=300"
	maxStatics           = 1000
	maxStaticPath        = 1024
)

// decodeStatics reads the static answers.
func (c *Config) decodeStatics(v value, known Known) {
	v.entries(func(name string, v value) {
		switch {
		case !staticPath(name):
			v.failKey("is not a path; allowed: segments after slashes with nothing that has to be encoded, such as /robots.txt")
		case slices.Contains(slices.Concat(known.Pages, known.Feeds), strings.TrimPrefix(name, "/")):
			v.failKey("is the path of a page; allowed: another one, such as /robots.txt")
		case len(c.Static) == maxStatics:
			v.failKey("one too many; allowed: at most %d", maxStatics)
		default:
			s := Static{CacheControl: defaultStaticCaching}
			s.decode(v)
			if c.Static == nil {
				c.Static = make(map[string]Static)
			}
			c.Static[name] = s
		}
	})
}

// staticPath reports whether a path is spelled as it is understood.
func staticPath(text string) bool {
	u, err := url.ParseRequestURI(text)
	if err != nil || len(text) > maxStaticPath || strings.ContainsAny(text, "%?") {
		return false
	}
	path, err := passthrough.Clean(u)
	return err == nil && path == text
}

func (s *Static) decode(v value) {
	v.fields(
		set("body", &s.Body, paragraph),
		set("file", &s.File, path),
		set("content_type", &s.ContentType, line),
		set("cache_control", &s.CacheControl, line),
	)
	if !v.isBlock() {
		return
	}
	_, body := v.find("body")
	file, fromFile := v.find("file")
	switch {
	case body && fromFile:
		file.failKey("set beside body; allowed: one of them")
	case !body && !fromFile:
		v.missing("body", "a text, or a file instead")
	case fromFile && s.File == "":
		file.fail("is empty; allowed: the path of a file")
	case body && s.ContentType == "":
		s.ContentType = defaultStaticType
	}
}

// paragraph reads a text of any lines.
func paragraph(v value) (string, bool) {
	if n, ok := v.node.(*ast.LiteralNode); ok {
		return n.Value.Value, true
	}
	return scalar(v, "User-agent: *")
}

const maxLine = 256

// line reads the value of a header.
func line(v value) (string, bool) {
	got, ok := scalar(v, "public, max-age=300")
	if ok && (got == "" || len(got) > maxLine || strings.ContainsFunc(got, func(c rune) bool { return c < ' ' || c > '~' })) {
		v.fail("%q is not the value of a header; allowed: 1 to %d visible ASCII characters and spaces", shorten(got), maxLine)
		return "", false
	}
	return got, ok
}

// checkHidden refuses static answers that a route's prefix takes, too. (No route can
// take a page: its path is one segment, and a prefix ends in a slash.)
func (c *Config) checkHidden(v value) {
	statics, ok := v.find("static")
	if !ok {
		return
	}
	for _, path := range slices.Sorted(maps.Keys(c.Static)) {
		for _, name := range slices.Sorted(maps.Keys(c.Routes)) {
			prefix := c.Routes[name].Prefix
			if at, found := statics.find(path); found && prefix != "" && strings.HasPrefix(path, prefix) {
				at.failKey("is below %s, the prefix of routes.%s; allowed: a path that no route takes", prefix, name)
			}
		}
	}
}
