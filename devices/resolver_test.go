package devices_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/facet-gateway/facet/devices"
)

func newResolver(t testing.TB, o devices.Options) *devices.Resolver {
	t.Helper()
	r, err := devices.NewResolver(o)
	if err != nil {
		t.Fatalf("NewResolver: %v", err)
	}
	return r
}

// header makes a header of names and values in turn, as a server would.
func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i+1 < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

const (
	desktopAgent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
	phoneAgent   = "Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36"
	forms        = "Sec-CH-UA-Form-Factors"
	mobile       = "Sec-CH-UA-Mobile"
	explicit     = "X-Device-Type"
)

func TestResolveOrder(t *testing.T) {
	r := newResolver(t, devices.Options{})
	tests := []struct {
		name     string
		header   http.Header
		class    devices.Class
		by       devices.By
		evidence string
	}{
		{"nothing", header(), devices.Phone, devices.ByDefault, ""},
		{"explicit", header(explicit, "tv"), devices.TV, devices.ByHeader, "tv"},
		{"explicit in capitals", header(explicit, "TaBLeT"), devices.Tablet, devices.ByHeader, "tablet"},
		{"explicit with blanks", header(explicit, " \ttv  "), devices.TV, devices.ByHeader, "tv"},
		{
			"explicit before all", header(explicit, "tv", forms, `"Tablet"`, mobile, "?1", "User-Agent", phoneAgent),
			devices.TV, devices.ByHeader, "tv",
		},
		{"form factors before mobile", header(forms, `"Desktop"`, mobile, "?1"), devices.Tablet, devices.ByDesktop, "Desktop"},
		{"form factor tablet before mobile", header(forms, `"Tablet"`, mobile, "?1"), devices.Tablet, devices.ByFormFactors, "Tablet"},
		{"mobile before agent", header(mobile, "?1", "User-Agent", desktopAgent), devices.Phone, devices.ByMobileHint, "?1"},
		{"mobile false decides nothing", header(mobile, "?0", "User-Agent", phoneAgent), devices.Phone, devices.ByUserAgent, "mobile"},
		{"agent before default", header("User-Agent", "Mozilla/5.0 (iPad; CPU OS 17_0)"), devices.Tablet, devices.ByUserAgent, "ipad"},
		{"desktop agent", header("User-Agent", desktopAgent), devices.Tablet, devices.ByDesktop, "windows nt"},
		{"unknown agent", header("User-Agent", "curl/8.0"), devices.Phone, devices.ByDefault, ""},
		{"empty agent", header("User-Agent", ""), devices.Phone, devices.ByDefault, ""},
		{"header without a line", http.Header{explicit: {}}, devices.Phone, devices.ByDefault, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d, err := r.Resolve(test.header)
			if err != nil {
				t.Fatalf("Resolve: %v", err)
			}
			if d.Profile.Class != test.class || d.By != test.by || d.Evidence != test.evidence {
				t.Errorf("got %s by %s on %q, want %s by %s on %q",
					d.Profile.Class, d.By, d.Evidence, test.class, test.by, test.evidence)
			}
		})
	}
}

func TestResolveRefusesHeader(t *testing.T) {
	r := newResolver(t, devices.Options{Header: "X-Screen"})
	tests := []struct {
		name, detail string
		values       []string
	}{
		{"two lines", "must be sent once", []string{"tv", "phone"}},
		{"two equal lines", "must be sent once", []string{"tv", "tv"}},
		{"a list", "must have one value", []string{"tv, phone"}},
		{"unknown", "must be one of tv, phone, tablet", []string{"fridge"}},
		{"empty", "must be one of tv, phone, tablet", []string{""}},
		{"blank", "must be one of tv, phone, tablet", []string{"  "}},
		{"inner blank", "must be one of tv, phone, tablet", []string{"t v"}},
		{"foreign letter that folds to k", "must be one of tv, phone, tablet", []string{"\u212aiosk"}},
		{"64 bytes", "must be one of tv, phone, tablet", []string{strings.Repeat("x", 64)}},
		{"65 bytes", "is longer than 64 bytes", []string{strings.Repeat("x", 65)}},
		{"65 bytes with blanks", "is longer than 64 bytes", []string{"tv" + strings.Repeat(" ", 63)}},
		{"64 KiB", "is longer than 64 bytes", []string{strings.Repeat(",", 64<<10)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d, err := r.Resolve(http.Header{"X-Screen": test.values})
			var fault *devices.Error
			if !errors.As(err, &fault) {
				t.Fatalf("got %v and error %v, want an *Error", d, err)
			}
			if fault.Field != "X-Screen" || fault.Detail != test.detail {
				t.Errorf("got %q: %q, want X-Screen: %q", fault.Field, fault.Detail, test.detail)
			}
			if d.Profile != nil {
				t.Errorf("got the profile %s beside an error", d.Profile.Class)
			}
		})
	}
}

func TestResolveReadsConfiguredHeader(t *testing.T) {
	r := newResolver(t, devices.Options{Header: "x-SCREEN", Default: devices.TV})
	d, err := r.Resolve(header("X-Screen", "tablet"))
	if err != nil || d.Profile.Class != devices.Tablet {
		t.Errorf("by its own name: got %v, %v", d, err)
	}
	d, err = r.Resolve(header(explicit, "tablet"))
	if err != nil || d.Profile.Class != devices.TV {
		t.Errorf("by the standard name: got %v, %v; want the default", d, err)
	}
}

func TestResolveMoreClasses(t *testing.T) {
	watch := devices.Standard()[1]
	watch.Class, watch.Like, watch.HeroWidth = "watch", devices.Phone, 320
	r := newResolver(t, devices.Options{Profiles: append(devices.Standard(), watch), Desktop: devices.TV, Default: "watch"})
	tests := []struct {
		name   string
		header http.Header
		class  devices.Class
		by     devices.By
	}{
		{"explicit", header(explicit, "Watch"), "watch", devices.ByHeader},
		{"form factor", header(forms, `"Watch"`), "watch", devices.ByFormFactors},
		{"desktop", header("User-Agent", desktopAgent), devices.TV, devices.ByDesktop},
		{"default", header(), "watch", devices.ByDefault},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d, err := r.Resolve(test.header)
			if err != nil || d.Profile.Class != test.class || d.By != test.by {
				t.Errorf("got %+v, %v; want %s by %s", d, err, test.class, test.by)
			}
		})
	}
	p, ok := r.Lookup("watch")
	if !ok || p.Adapter() != devices.Phone || p.HeroWidth != 320 {
		t.Errorf("Lookup(watch) = %+v, %v", p, ok)
	}
}

// Where a class has no profile, the rules that lead to it are passed over.
func TestResolveFewerClasses(t *testing.T) {
	tv := devices.Standard()[:1]
	r := newResolver(t, devices.Options{Profiles: tv, Default: devices.TV, Desktop: devices.TV})
	for _, h := range []http.Header{
		header(forms, `"Mobile"`), header(forms, `"Tablet"`, mobile, "?1"), header(mobile, "?1"), header("User-Agent", phoneAgent),
	} {
		if d, err := r.Resolve(h); err != nil || d.By != devices.ByDefault {
			t.Errorf("%v: got %+v, %v; want the default", h, d, err)
		}
	}
	tvAndPhone := devices.Standard()[:2]
	r = newResolver(t, devices.Options{Profiles: tvAndPhone, Default: devices.TV, Desktop: devices.TV})
	if d, err := r.Resolve(header(forms, `"Tablet"`, mobile, "?1")); err != nil || d.By != devices.ByDefault {
		t.Errorf("a tablet nobody knows: got %+v, %v; want the default, not the mobile hint", d, err)
	}
}

func TestNames(t *testing.T) {
	r := newResolver(t, devices.Options{Header: "X-Screen"})
	if got, want := r.Header(), "X-Screen"; got != want {
		t.Errorf("Header() = %q, want %q", got, want)
	}
	if got, want := r.Vary(), "X-Screen, Sec-CH-UA-Form-Factors, Sec-CH-UA-Mobile, User-Agent"; got != want {
		t.Errorf("Vary() = %q, want %q", got, want)
	}
	if got, want := r.AcceptCH(), "Sec-CH-UA-Form-Factors, Sec-CH-UA-Mobile"; got != want {
		t.Errorf("AcceptCH() = %q, want %q", got, want)
	}
	if got, want := r.Classes(), []devices.Class{devices.TV, devices.Phone, devices.Tablet}; !slices.Equal(got, want) {
		t.Errorf("Classes() = %v, want %v", got, want)
	}
	if p, ok := r.Lookup("fridge"); ok || p != nil {
		t.Errorf("Lookup(fridge) = %v, %v", p, ok)
	}
	names := []string{"none", "header", "form-factors", "mobile-hint", "user-agent", "desktop", "default", "none"}
	for by, want := range names {
		if got := devices.By(by).String(); got != want {
			t.Errorf("By(%d) = %q, want %q", by, got, want)
		}
	}
}

// The caller's list stays the caller's.
func TestResolverKeepsItsProfiles(t *testing.T) {
	list := devices.Standard()
	r := newResolver(t, devices.Options{Profiles: list})
	list[0].HeroWidth = 1
	r.Classes()[0] = "changed"
	if p, _ := r.Lookup(devices.TV); p.HeroWidth != 1920 || r.Classes()[0] != devices.TV {
		t.Errorf("the resolver changed with its input: %+v, %v", p, r.Classes())
	}
}

func TestResolveConcurrently(t *testing.T) {
	r := newResolver(t, devices.Options{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				if d, err := r.Resolve(header("User-Agent", phoneAgent)); err != nil || d.Profile.Class != devices.Phone {
					t.Errorf("got %+v, %v", d, err)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestResolveDoesNotAllocate(t *testing.T) {
	r := newResolver(t, devices.Options{})
	for name, h := range map[string]http.Header{
		"explicit":          header(explicit, "tablet"),
		"explicit, folded":  header(explicit, " Tablet"),
		"form factors":      header(forms, `"Desktop", "XR"`),
		"mobile":            header(mobile, "?1"),
		"agent":             header("User-Agent", phoneAgent),
		"agent of 64 KiB":   header("User-Agent", strings.Repeat("Android tv", 6554)),
		"nothing but noise": header(forms, `"`, mobile, "yes", "User-Agent", "curl/8"),
	} {
		got := testing.AllocsPerRun(100, func() {
			if _, err := r.Resolve(h); err != nil {
				t.Fatal(err)
			}
		})
		if got != 0 {
			t.Errorf("%s: %v allocations, want 0", name, got)
		}
	}
}
