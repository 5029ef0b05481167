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
			Name   string `json:"name"`
			Schema struct {
				Enum []string `json:"enum"`
			} `json:"schema"`
		} `json:"parameters"`
		Headers map[string]struct {
			Schema struct {
				Enum []string `json:"enum"`
			} `json:"schema"`
		} `json:"headers"`
	} `json:"components"`
}

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	config := file(t, "facet.yaml", exampleOfHelp(t)+"adapters: {phone: v2}\n"+
		"devices: {header: X-Screen, classes: {watch: {like: phone}, tv: {like: tablet}}}\n")
	cases := []struct{ args, adapter, header string }{
		{"--device tv", "tv/v1", "X-Device-Type: tv"},
		{"--device tablet", "tablet/v1", "X-Device-Type: tablet"},
		{"--device phone", "phone/v1", "X-Device-Type: phone"},
		{"--device phone --version v2", "phone/v2", "X-Device-Type: phone"},
		{"--device tv --version v2", "tv/v2", "X-Device-Type: tv"},
		{"--device tablet --version v2", "tablet/v2", "X-Device-Type: tablet"},
		{"--device phone --config " + config, "phone/v2", "X-Screen: phone"},
		{"--device phone --version v1 --config " + config, "phone/v1", "X-Screen: phone"},
		{"--device watch --config " + config, "phone/v2", "X-Screen: watch"},
		{"--device watch --version v1 --config " + config, "phone/v1", "X-Screen: watch"},
		{"--device tv --config " + config, "tablet/v1", "X-Screen: tv"},
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
			device, adapter := d.Components.Parameters["Device"], d.Components.Headers["Facet-Adapter"]
			if header := device.Name + ": " + strings.Join(device.Schema.Enum, ","); header != c.header {
				t.Errorf("the device says %s, want %s", header, c.header)
			}
			got := strings.Join(adapter.Schema.Enum, ",")
			if got != c.adapter || !strings.HasSuffix(got, "/"+d.Info.Version) || d.OpenAPI != "3.1.0" {
				t.Errorf("%s of version %s, in OpenAPI %s, want %s", got, d.Info.Version, d.OpenAPI, c.adapter)
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
