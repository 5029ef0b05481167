package playground

import (
	"embed"
	"net/http"
	"path"

	"github.com/facet-gateway/facet/core/fault"
)

// files are the page as it is served: what is written is what runs.
//
//go:embed page
var files embed.FS

const indexFile = "index.html"

// policy lets the page load its own files and nothing else: no script or style
// of a stranger's answer, which the page shows, can run in it, and no other page
// can put it into a frame.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func sendFile(w http.ResponseWriter, name string) {
	body, err := files.ReadFile("page/" + path.Base(name))
	if err != nil {
		refuse(w, fault.New(fault.NotFound, "there is no such file"))
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	write(w, http.StatusOK, contentType(name), body)
}

// contentType does not ask the machine, whose tables differ.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return "application/octet-stream"
}
