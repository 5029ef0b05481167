package server

import (
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/facet-gateway/facet/core/fault"
)

// Static is an answer that is the same for everybody. It never changes.
type Static struct {
	body    []byte
	kind    []string
	caching []string
	etag    []string
}

// MaxStatic is how many bytes a static answer may have.
const MaxStatic = 1 << 20

// NewStatic returns an answer of a body, with its Content-Type and its Cache-Control,
// both of which are required. It is an error if the body is larger than [MaxStatic].
func NewStatic(body []byte, contentType, cacheControl string) (*Static, error) {
	switch {
	case len(body) > MaxStatic:
		return nil, errors.New("it is larger than " + strconv.Itoa(MaxStatic>>20) + "MiB")
	case contentType == "" || cacheControl == "":
		return nil, errors.New("it needs a type, and says how it may be cached")
	}
	return &Static{
		body: slices.Clone(body), kind: []string{contentType}, caching: []string{cacheControl}, etag: []string{weakETag(body)},
	}, nil
}

// TypeOf returns the Content-Type of a file by the end of its name, "" if that is none
// of those that every gateway knows, whatever its machine does.
func TypeOf(name string) string {
	return map[string]string{
		".css": "text/css; charset=utf-8", ".gif": "image/gif", ".html": "text/html; charset=utf-8", ".ico": "image/x-icon",
		".jpeg": "image/jpeg", ".jpg": "image/jpeg", ".js": "text/javascript; charset=utf-8", ".json": "application/json",
		".png": "image/png", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8", ".webmanifest": "application/manifest+json",
		".webp": "image/webp", ".woff2": "font/woff2", ".xml": "application/xml",
	}[strings.ToLower(filepath.Ext(name))]
}

// answerStatic sends a static answer, or that the client has it already.
func (x *exchange) answerStatic(s *Static) error {
	switch x.r.Method {
	case http.MethodOptions:
		return x.options()
	case http.MethodGet, http.MethodHead:
	default:
		x.w.Header()["Allow"] = allowed
		return fault.New(fault.MethodNotAllowed, "this path knows GET, HEAD and OPTIONS")
	}
	h := x.w.Header()
	h["Vary"] = append([]string{"Accept-Encoding"}, h["Vary"]...)
	h["Cache-Control"], h["Etag"] = s.caching, s.etag
	if matches(x.r.Header["If-None-Match"], s.etag[0]) {
		x.writeHeader(http.StatusNotModified)
		return nil
	}
	h["Content-Type"] = s.kind
	body := x.compress(s.body, h)
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	x.writeHeader(http.StatusOK)
	x.write(body)
	return nil
}
