package devices_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/devices"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	const television = "Mozilla/5.0 (Linux; Android 12; QX 4K) Chrome/131.0"
	says := func(pairs ...string) (list []devices.Signal) {
		for i := 0; i+1 < len(pairs); i += 2 {
			list = append(list, devices.Signal{Name: pairs[i], Token: pairs[i+1]})
		}
		return list
	}
	r := newResolver(t, devices.Options{})
	tests := []struct {
		name    string
		request http.Header
		header  string
		rule    string
		signals []devices.Signal
	}{
		{"nothing", header(), "", "", nil},
		{"an agent that says nothing", header("User-Agent", "curl/8.9"), "", "", nil},
		{"explicit", header(explicit, "tv"), "X-Device-Type", "", nil},
		{"form factors", header(forms, `"Tablet"`), "Sec-CH-UA-Form-Factors", "", nil},
		{"form factor desktop", header(forms, `"Desktop"`), "Sec-CH-UA-Form-Factors", "", nil},
		{"mobile", header(mobile, "?1"), "Sec-CH-UA-Mobile", "", nil},
		{
			"agent", header("User-Agent", television), "User-Agent", "tv: says screen and Android",
			says("screen", "4k", "Android", "android", "browser", "mozilla/"),
		},
		{
			"agent of a desktop", header("User-Agent", desktopAgent), "User-Agent", "desktop: says desktop",
			says("browser", "mozilla/", "desktop", "windows nt"),
		},
		{
			"a stronger header", header(explicit, "phone", "User-Agent", "Acme Tab"), "X-Device-Type", "tablet: says tablet, not desktop",
			says("tablet", "tab"),
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			e, err := r.Explain(test.request)
			if err != nil {
				t.Fatalf("Explain: %v", err)
			}
			if e.Header != test.header || e.Rule != test.rule {
				t.Errorf("by %q and rule %q, want %q and %q", e.Header, e.Rule, test.header, test.rule)
			}
			if diff := cmp.Diff(test.signals, e.Signals); diff != "" {
				t.Errorf("signals (-want +got):\n%s", diff)
			}
		})
	}
}

func TestExplainRefusesWhatResolveRefuses(t *testing.T) {
	t.Parallel()
	r := newResolver(t, devices.Options{Header: "X-Screen"})
	var fault *devices.Error
	if _, err := r.Explain(header("X-Screen", "toaster")); !errors.As(err, &fault) || fault.Field != "X-Screen" {
		t.Errorf("got %v, want an error of X-Screen", err)
	}
}
