package devices_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/devices"
)

// Any header gives a known profile or an *Error that names the device header,
// and an error only where there is a device header. An explanation agrees.
func FuzzResolve(f *testing.F) {
	r := newResolver(f, devices.Options{})
	seeds := [][4]string{
		{"", "", "", ""},
		{"tv", `"Tablet"`, "?1", phoneAgent},
		{"TV\ntv", `"Mobile"` + "\n" + `"XR"`, "?1\n?0", desktopAgent},
		{" phone,tv", `"Desktop";a="b\"c";d=1, "XR"`, "?1;a", "Mozilla/5.0 (Linux; Android 12; 55Q"},
		{strings.Repeat("x", 65), `"\`, "?", "AFT"},
		{"\u212a", "\"\xff\"", "\x00", "\xff LED5"},
	}
	for _, s := range seeds {
		f.Add(s[0], s[1], s[2], s[3], true)
		f.Add(s[0], s[1], s[2], s[3], false)
	}
	f.Fuzz(func(t *testing.T, device, forms, mobile, agent string, named bool) {
		h := http.Header{
			"Sec-Ch-Ua-Form-Factors": strings.Split(forms, "\n"),
			"Sec-Ch-Ua-Mobile":       strings.Split(mobile, "\n"),
			"User-Agent":             strings.Split(agent, "\n"),
		}
		if named {
			h[explicit] = strings.Split(device, "\n")
		}
		d, err := r.Resolve(h)
		if err != nil {
			var fault *devices.Error
			if !named || !errors.As(err, &fault) || fault.Field != explicit || d != (devices.Device{}) {
				t.Fatalf("Resolve(%v) = %+v, %v", h, d, err)
			}
			return
		}
		checkDevice(t, r, h, d, named)
		if e, err := r.Explain(h); err != nil || e.Device != d || (e.Header == "") != (d.By == devices.ByDefault) {
			t.Fatalf("Explain(%v) = %+v, %v; Resolve says %+v", h, e, err, d)
		}
	})
}

func checkDevice(t *testing.T, r *devices.Resolver, h http.Header, d devices.Device, named bool) {
	t.Helper()
	if d.Profile == nil {
		t.Fatalf("Resolve(%v) has no profile", h)
	}
	if p, ok := r.Lookup(d.Profile.Class); !ok || p != d.Profile {
		t.Fatalf("Resolve(%v) has a foreign profile %+v", h, d.Profile)
	}
	if named != (d.By == devices.ByHeader) || d.By < devices.ByHeader || d.By > devices.ByDefault {
		t.Fatalf("Resolve(%v) is by %s", h, d.By)
	}
	if (d.Evidence == "") != (d.By == devices.ByDefault) {
		t.Fatalf("Resolve(%v) is by %s on %q", h, d.By, d.Evidence)
	}
	if named && !strings.EqualFold(strings.TrimSpace(h[explicit][0]), string(d.Profile.Class)) {
		t.Fatalf("Resolve(%v) is %s", h, d.Profile.Class)
	}
}
