package main_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRoutes passes requests through the real program to a simulated service, and reloads:
// a route's rules change, it goes and comes back, and one of a new name is refused.
func TestRoutes(t *testing.T) {
	s := openWith(t, `routes:
  catalog-api: {prefix: /api/products/, service: catalog, rewrite: /products/, timeout: 1m}
  gone: {prefix: /gone/, service: catalog}
static:
  /robots.txt: {body: "User-agent: *\n"}
  /logo.svg: {file: logo.svg}
`, map[string]string{"logo.svg": "<svg/>"}, nil)
	product := s.public + "/api/products/p-1042"
	a := get(t, product)
	if a.status != http.StatusOK || !strings.Contains(a.body, `"p-1042"`) || a.header.Get("Facet-Adapter") != "" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	a = get(t, s.public+"/api/products/%2e%2e/carts/u-7")
	if a.status != http.StatusBadRequest || !strings.Contains(a.body, `"field":"path"`) {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := get(t, s.public+"/robots.txt"); a.body != "User-agent: *\n" {
		t.Errorf("%d %q", a.status, a.body)
	}
	logo := get(t, s.public+"/logo.svg")
	if logo.body != "<svg/>" || logo.header.Get("Content-Type") != "image/svg+xml" {
		t.Errorf("%d %q %v", logo.status, logo.body, logo.header)
	}
	for _, path := range []string{"/commands/route.catalog_api", "/circuits/route.catalog_api"} {
		if a := get(t, s.admin+path); a.status != http.StatusOK {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	const series = `facet_requests_total{code="200",device="other",page="catalog-api",version="none"} 1`
	if text := get(t, s.admin+"/metrics").body; !strings.Contains(text, series) {
		t.Errorf("there is no %s", series)
	}

	pages, end := s.load(t)
	defer end()
	if err := os.WriteFile(filepath.Join(filepath.Dir(s.config), "logo.svg"), []byte("<svg>2</svg>"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.rewrite(t, "/api/products/,", "/v2/products/,", "  gone:", "  #gone:")
	if told := s.hangUp(t); told.Reloads != 1 || told.Settings["routes.catalog-api.prefix"] != "/v2/products/" {
		t.Fatalf("%d %s", told.Reloads, told.LastError)
	}
	if a := get(t, product); a.status != http.StatusNotFound {
		t.Errorf("the old prefix: %d", a.status)
	}
	if a := get(t, s.public+"/v2/products/p-1042"); a.status != http.StatusOK {
		t.Errorf("the new prefix: %d", a.status)
	}
	if a := get(t, s.public+"/gone/x"); a.status != http.StatusNotFound || !strings.Contains(a.body, "no such path") {
		t.Errorf("the route that went: %d %s", a.status, a.body)
	}
	if a := get(t, s.public+"/logo.svg"); a.body != "<svg>2</svg>" || a.header.Get("Etag") == logo.header.Get("Etag") {
		t.Errorf("the file that changed: %q", a.body)
	}
	s.rewrite(t, "routes:\n", "routes:\n  fresh: {prefix: /fresh/, service: cart}\n")
	if told := s.hangUp(t); told.Failures != 1 || !strings.Contains(told.LastError, "routes.fresh: needs a restart") {
		t.Errorf("%d %s", told.Failures, told.LastError)
	}
	s.rewrite(t)
	if told := s.hangUp(t); told.Reloads != 2 {
		t.Errorf("%s", told.LastError)
	}
	if a := get(t, product); a.status != http.StatusOK {
		t.Errorf("back again: %d", a.status)
	}
	begun := pages()
	eventually(t, "pages come all the time", func() bool { return pages() > begun })
}

// TestCheckReadsStaticFiles has a file checked that is not there, or tells no type.
func TestCheckReadsStaticFiles(t *testing.T) {
	for _, tc := range []struct{ line, want string }{
		{"/a.svg: {file: nowhere.svg}", "no such file"},
		{"/a: {file: facet.yaml}", "needs a content_type"},
		{"/a.css: {file: .}", "is not a regular file"},
	} {
		text := "static:\n  " + tc.line + "\nservices:\n"
		for _, name := range serviceNames {
			text += "  " + name + ": {instances: [\"http://127.0.0.1:9001\"]}\n"
		}
		p := start(t, "check", file(t, "facet.yaml", text))
		status, text := p.status(), p.stderr.String()
		if status != 2 || !strings.Contains(text, `facet.yaml:2:`) || !strings.Contains(text, `static."/a`) || !strings.Contains(text, tc.want) {
			t.Errorf("%s: %d %s", tc.line, status, text)
		}
	}
}
