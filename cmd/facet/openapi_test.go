package main_test

import (
	"net/http"
	"strings"
	"testing"
)

// described is what these tests read of a document.
type described struct {
	OpenAPI string `json:"openapi"`
	Info    struct {
		Version string `json:"version"`
	} `json:"info"`
	Paths      map[string]any `json:"paths"`
	Components struct {
		Parameters map[string]struct {
			Name string `json:"name"`
		} `json:"parameters"`
	} `json:"components"`
}

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	config := file(t, "facet.yaml", exampleOfHelp(t)+"adapters: {phone: v2}\ndevices: {header: X-Screen}\n")
	cases := []struct{ args, version, header string }{
		{"--device tv", "v1", "X-Device-Type"},
		{"--device tablet", "v1", "X-Device-Type"},
		{"--device phone", "v1", "X-Device-Type"},
		{"--device phone --version v2", "v2", "X-Device-Type"},
		{"--device phone --config " + config, "v2", "X-Screen"},
		{"--device phone --version v1 --config " + config, "v1", "X-Screen"},
	}
	for _, c := range cases {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"openapi"}, strings.Fields(c.args)...)
			status, stdout, stderr := ended(t, args...)
			if status != 0 || stderr != "" {
				t.Fatalf("exit status %d, stderr %q", status, stderr)
			}
			d := decode[described](t, stdout)
			if d.OpenAPI != "3.1.0" || d.Info.Version != c.version || d.Components.Parameters["Device"].Name != c.header {
				t.Errorf("%+v, want %s with %s", d, c.version, c.header)
			}
			for _, path := range []string{"/productdetails", "/wishlist", "/home"} {
				if d.Paths[path] == nil {
					t.Errorf("there is no %s", path)
				}
			}
			if _, again, _ := ended(t, args...); again != stdout {
				t.Error("a second run prints another text")
			}
		})
	}
}

// TestOpenAPIOnThePrivatePortAlone: what it serves is what the command prints.
func TestOpenAPIOnThePrivatePortAlone(t *testing.T) {
	t.Parallel()
	p, gateway, _ := demo(t)
	admin := p.announced("admin")
	index := get(t, admin+"/").body
	for path, args := range map[string]string{
		"/openapi/tv.json":       "--device tv",
		"/openapi/phone.json":    "--device phone",
		"/openapi/phone/v2.json": "--device phone --version v2",
	} {
		_, printed, _ := ended(t, append([]string{"openapi"}, strings.Fields(args)...)...)
		if a := get(t, admin+path); a.status != http.StatusOK || a.body != printed {
			t.Errorf("%s: %d, %d bytes, want the %d that the command prints", path, a.status, len(a.body), len(printed))
		}
		if !strings.Contains(index, `"`+path+`"`) {
			t.Errorf("%s is not in %s", path, index)
		}
		if a := get(t, gateway+path, "X-Device-Type", "phone"); a.status != http.StatusNotFound {
			t.Errorf("the public port answers %s with %d, want 404", path, a.status)
		}
	}
	if a := get(t, admin+"/openapi/phone/v3.json"); a.status != http.StatusNotFound {
		t.Errorf("a version that is not: %d, want 404", a.status)
	}
}
