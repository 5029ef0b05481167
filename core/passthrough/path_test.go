package passthrough_test

import (
	"net/url"
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/passthrough"
)

func TestClean(t *testing.T) {
	t.Parallel()
	for target, want := range map[string]string{
		"/":                             "/",
		"/api/carts/1":                  "/api/carts/1",
		"/api/carts/":                   "/api/carts/",
		"/%61pi/c%61rts/1":              "/api/carts/1",
		"/api/carts/a%20b":              "/api/carts/a b",
		"/api/carts/%C3%A9":             "/api/carts/é",
		"/api/carts/100%25":             "/api/carts/100%",
		"/api/carts/100%25x":            "/api/carts/100%x",
		"/api/carts/...":                "/api/carts/...",
		"/api/carts/.hidden":            "/api/carts/.hidden",
		"/api/carts/a;b=1":              "/api/carts/a;b=1",
		"/api/carts/a\"<b>":             "/api/carts/a\"<b>",
		"http://elsewhere.example/x/y":  "/x/y",
		"/api/carts/..":                 "",
		"/api/carts/../../admin":        "",
		"/./api":                        "",
		"/api/carts/%2e%2e/x":           "",
		"/api/carts/.%2E/x":             "",
		"/api/carts/..;/x":              "",
		"/api/carts/..%3Ba=b/x":         "",
		"/api/carts/%2e":                "",
		"//api/carts/1":                 "",
		"/api//carts/1":                 "",
		"/api/carts/a%2fb":              "",
		"/api/carts/a%2Fb\"":            "", // which net/http could only spell with a slash
		"/api/carts/..%2fx":             "",
		"/api/carts/a%5cb":              "",
		`/api/carts/..\x`:               "",
		"/api/carts/%00":                "",
		"/api/carts/%0d%0aX:%20y":       "",
		"/api/carts/%7f":                "",
		"/api/carts/%252e%252e/x":       "",
		"/api/carts/%252f":              "",
		"/api/carts/%25%32e/x":          "",
		"/api/carts/%c0%ae%c0%ae/x":     "", // an overlong form of ..
		"/api/carts/%ff":                "",
		"/api/carts/\xc3\xa9":           "",
		"/api/carts/a#b":                "",
		"*":                             "",
		"mailto:somebody":               "",
		"http://elsewhere.example":      "",
		"http://elsewhere.example/../x": "",
	} {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			if want != "" || target != "*" {
				t.Errorf("%q: %v", target, err)
			}
			u = &url.URL{Path: target}
		}
		got, err := passthrough.Clean(u)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q %v, want %q", target, got, err, want)
		}
		if err != nil {
			if f, ok := err.(*fault.Error); !ok || f.Code != fault.Invalid || f.Field != "path" { //nolint:errorlint // nothing wraps it
				t.Errorf("%q: %v", target, err)
			}
		}
	}
}

// TestSpell: what is reserved means something else encoded, and all else the same.
func TestSpell(t *testing.T) {
	t.Parallel()
	for sent, want := range map[string]string{
		"/api/1":              "1",
		"/%61pi/%61;b=%3b":    "a;b=%3B",
		"/api/a%2cb,c%3D%40@": "a%2Cb,c%3D%40@",
		"/api/%7e%2D":         "~-",
		"/api/a%20b%25%c3%a9": "a%20b%25%C3%A9",
		"/api/":               "",
	} {
		u, err := url.ParseRequestURI(sent)
		if err != nil {
			t.Fatal(err)
		}
		if got := passthrough.Spell(u, len("/api/")); got != want {
			t.Errorf("%s: %q, want %q", sent, got, want)
		}
	}
}

// FuzzPath holds what reaches a service to staying below what stands for the prefix, also
// where the service decodes the path twice, knows parameters or takes backslashes for
// slashes.
func FuzzPath(f *testing.F) {
	for _, seed := range []string{
		"1", "a%20b", "../x", "%2e%2e/x", "..%2fx", `..\x`, "%252e%252e%252f", "..;/x", "a//b", "%25%32%65%25%32%65/x", "%c0%ae/", "é",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, rest string) {
		u, err := url.ParseRequestURI("/api/carts/" + rest)
		if err != nil {
			t.Skip()
		}
		clean, err := passthrough.Clean(u)
		if err != nil {
			t.Skip()
		}
		below, found := strings.CutPrefix(clean, "/api/carts/")
		if !found {
			t.Fatalf("%q is %q", rest, clean)
		}
		sent := "/carts/" + passthrough.Spell(u, len("/api/carts/"))
		again, err := url.ParseRequestURI(sent)
		if err != nil || again.Path != "/carts/"+below || !utf8.ValidString(again.Path) {
			t.Fatalf("%q is sent as %q, which is %v, %v", rest, sent, again, err)
		}
		reading := sent
		for range 3 { // as it is sent, decoded, and decoded once more
			for _, as := range []string{reading, strings.ReplaceAll(reading, `\`, "/"), withoutParameters(reading)} {
				if p := path.Clean(as); p != "/carts" && !strings.HasPrefix(p, "/carts/") {
					t.Fatalf("%q is sent as %q and can be read as %q", rest, sent, p)
				}
			}
			if reading, err = url.PathUnescape(reading); err != nil {
				break
			}
		}
	})
}

func withoutParameters(p string) string {
	segments := strings.Split(p, "/")
	for i, s := range segments {
		segments[i], _, _ = strings.Cut(s, ";")
	}
	return strings.Join(segments, "/")
}
