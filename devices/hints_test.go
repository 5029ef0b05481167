package devices_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/devices"
)

func TestFormFactors(t *testing.T) {
	r := newResolver(t, devices.Options{Default: devices.TV})
	tests := []struct {
		lines    []string
		class    devices.Class
		evidence string
	}{
		{[]string{`"Mobile"`}, devices.Phone, "Mobile"},
		{[]string{`"Tablet"`}, devices.Tablet, "Tablet"},
		{[]string{`"Desktop"`}, devices.Tablet, "Desktop"},
		{[]string{`"Automotive"`}, devices.Tablet, "Automotive"},
		{[]string{`"EInk"`}, devices.Tablet, "EInk"},
		{[]string{`"Watch"`}, devices.Phone, "Watch"},
		{[]string{`"Desktop", "XR"`}, devices.Tablet, "Desktop"},
		{[]string{`"Mobile", "Tablet"`}, devices.Tablet, "Tablet"},
		{[]string{`"Mobile","EInk"`}, devices.Phone, "Mobile"},
		{[]string{`"EInk"`, `"Mobile"`}, devices.Phone, "Mobile"},
		{[]string{` "Mobile" `}, devices.Phone, "Mobile"},
		{[]string{`"Mobile"` + "\t,\t" + `"XR"`}, devices.Phone, "Mobile"},
		{[]string{``, `"Mobile"`}, devices.Phone, "Mobile"},
		{[]string{`"Toaster", "Mobile"`}, devices.Phone, "Mobile"},
		{[]string{`"a \"b\" \\", "Mobile"`}, devices.Phone, "Mobile"},
		{[]string{`"Mobile";a;b=1;c="x,y";*d=?1;e=:AA==:`}, devices.Phone, "Mobile"},
		{[]string{`"Mobile"; a , "XR"`}, devices.Phone, "Mobile"},
		// What says nothing.
		{[]string{``}, devices.TV, ""},
		{[]string{`"XR"`}, devices.TV, ""},
		{[]string{`"mobile"`}, devices.TV, ""},
		{[]string{`"Toaster"`}, devices.TV, ""},
		// What is malformed, and spoils what is beside it.
		{[]string{`Mobile`}, devices.TV, ""},
		{[]string{`"Mobile`}, devices.TV, ""},
		{[]string{`"Mobile",`}, devices.TV, ""},
		{[]string{`,"Mobile"`}, devices.TV, ""},
		{[]string{`"Mobile",,"XR"`}, devices.TV, ""},
		{[]string{`"Mobile" "XR"`}, devices.TV, ""},
		{[]string{`("Mobile")`}, devices.TV, ""},
		{[]string{`"Mobile", 1`}, devices.TV, ""},
		{[]string{`"Mobile"`, `"`}, devices.TV, ""},
		{[]string{`"Mobile", "\x"`}, devices.TV, ""},
		{[]string{`"Mobile", "\`}, devices.TV, ""},
		{[]string{`"Mobile", "` + "\u00e9" + `"`}, devices.TV, ""},
		{[]string{"\"Mobile\", \"\x00\""}, devices.TV, ""},
		{[]string{`"Mobile";`}, devices.TV, ""},
		{[]string{`"Mobile";A`}, devices.TV, ""},
		{[]string{`"Mobile";a=`}, devices.TV, ""},
		{[]string{`"Mobile";a="`}, devices.TV, ""},
		// What is too much.
		{[]string{`"Mobile"` + strings.Repeat(" ", 520)}, devices.TV, ""},
		{[]string{`"Mobile"`, strings.Repeat(`"XR", `, 100) + `"XR"`}, devices.TV, ""},
		{[]string{`"Mobile"`, ``, ``, ``, ``, ``, ``, ``, ``}, devices.TV, ""},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.lines, "|"), func(t *testing.T) {
			d, err := r.Resolve(http.Header{"Sec-Ch-Ua-Form-Factors": test.lines})
			if err != nil {
				t.Fatalf("Resolve: %v", err)
			}
			if d.Profile.Class != test.class || d.Evidence != test.evidence {
				t.Errorf("got %s on %q, want %s on %q", d.Profile.Class, d.Evidence, test.class, test.evidence)
			}
		})
	}
}

func TestMobileHint(t *testing.T) {
	r := newResolver(t, devices.Options{Default: devices.TV})
	tests := []struct {
		lines []string
		by    devices.By
	}{
		{[]string{"?1"}, devices.ByMobileHint},
		{[]string{" ?1 "}, devices.ByMobileHint},
		{[]string{"?1;a=b"}, devices.ByMobileHint},
		{[]string{"?0"}, devices.ByDefault},
		{[]string{""}, devices.ByDefault},
		{[]string{"1"}, devices.ByDefault},
		{[]string{"true"}, devices.ByDefault},
		{[]string{"?11"}, devices.ByDefault},
		{[]string{"?1;"}, devices.ByDefault},
		{[]string{"?1, ?1"}, devices.ByDefault},
		{[]string{"?1", "?1"}, devices.ByDefault},
		{[]string{"?1" + strings.Repeat(" ", 600)}, devices.ByDefault},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.lines, "|"), func(t *testing.T) {
			d, err := r.Resolve(http.Header{"Sec-Ch-Ua-Mobile": test.lines})
			if err != nil || d.By != test.by {
				t.Errorf("got %+v, %v; want %s", d, err, test.by)
			}
		})
	}
}
