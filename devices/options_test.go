package devices_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/devices"
)

func TestStandardIsValid(t *testing.T) {
	list := devices.Standard()
	for _, p := range list {
		if err := p.Validate(); err != nil {
			t.Errorf("%s: %v", p.Class, err)
		}
		if p.Adapter() != p.Class {
			t.Errorf("%s is served by %s", p.Class, p.Adapter())
		}
	}
	tv, phone, tablet := list[0], list[1], list[2]
	if tv.HeroWidth <= tablet.HeroWidth || tablet.HeroWidth <= phone.HeroWidth {
		t.Errorf("hero widths are tv %d, tablet %d, phone %d", tv.HeroWidth, tablet.HeroWidth, phone.HeroWidth)
	}
	if phone.Columns != 1 || tablet.Columns != 2 {
		t.Errorf("columns are phone %d, tablet %d", phone.Columns, tablet.Columns)
	}
}

func TestValidate(t *testing.T) {
	tests := []struct {
		change func(*devices.Profile)
		want   string
	}{
		{func(p *devices.Profile) { p.Class = "" }, "class: must match [a-z][a-z0-9-]{0,31}"},
		{func(p *devices.Profile) { p.Class = "Tv" }, "class: must match [a-z][a-z0-9-]{0,31}"},
		{func(p *devices.Profile) { p.Class = "1tv" }, "class: must match [a-z][a-z0-9-]{0,31}"},
		{func(p *devices.Profile) { p.Class = "t_v" }, "class: must match [a-z][a-z0-9-]{0,31}"},
		{func(p *devices.Profile) { p.Class = devices.Class(strings.Repeat("a", 33)) }, "class: must match [a-z][a-z0-9-]{0,31}"},
		{func(p *devices.Profile) { p.Class = devices.Class(strings.Repeat("a", 32)) }, ""},
		{func(p *devices.Profile) { p.Class = "e-ink-2" }, ""},
		{func(p *devices.Profile) { p.Like = "A" }, "like: must match [a-z][a-z0-9-]{0,31}"},
		{func(p *devices.Profile) { p.ImageFormat = "" }, "image_format: must be one of jpeg, webp, avif"},
		{func(p *devices.Profile) { p.ImageFormat = "avif" }, ""},
		{func(p *devices.Profile) { p.HeroWidth = 63 }, "hero_width: is 63, must be 64 to 7680"},
		{func(p *devices.Profile) { p.HeroWidth = 7681 }, "hero_width: is 7681, must be 64 to 7680"},
		{func(p *devices.Profile) { p.ThumbWidth = p.HeroWidth + 1 }, "thumb_width: is 1921, must be 16 to 1920"},
		{func(p *devices.Profile) { p.Reviews = -1 }, "reviews: is -1, must be 0 to 50"},
		{func(p *devices.Profile) { p.Recommendations = 51 }, "recommendations: is 51, must be 0 to 50"},
		{func(p *devices.Profile) { p.Offers = 21 }, "offers: is 21, must be 0 to 20"},
		{func(p *devices.Profile) { p.Images = 0 }, "images: is 0, must be 1 to 20"},
		{func(p *devices.Profile) { p.Rows = 0 }, "rows: is 0, must be 1 to 50"},
		{func(p *devices.Profile) { p.RowLength = 101 }, "row_length: is 101, must be 1 to 100"},
		{func(p *devices.Profile) { p.Columns = 0 }, "columns: is 0, must be 1 to 12"},
	}
	for i, test := range tests {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			p := devices.Standard()[0]
			test.change(&p)
			checkError(t, p.Validate(), test.want)
		})
	}
}

// checkError wants an *Error of the form "field: detail", or none for "".
func checkError(t *testing.T, err error, want string) {
	t.Helper()
	if want == "" {
		if err != nil {
			t.Errorf("got %v, want no error", err)
		}
		return
	}
	var fault *devices.Error
	if !errors.As(err, &fault) {
		t.Fatalf("got %v, want an *Error: %s", err, want)
	}
	if got := fault.Field + ": " + fault.Detail; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := err.Error(); got != "devices: "+want {
		t.Errorf("Error() = %q", got)
	}
}

func TestNewResolverRefuses(t *testing.T) {
	list := func(change func([]devices.Profile) []devices.Profile) []devices.Profile {
		return change(devices.Standard())
	}
	tests := []struct {
		name    string
		options devices.Options
		want    string
	}{
		{"header with a blank", devices.Options{Header: "X Device"}, "header: must be a header name of 1 to 64 bytes"},
		{"header with a colon", devices.Options{Header: "X-Device:"}, "header: must be a header name of 1 to 64 bytes"},
		{"long header", devices.Options{Header: strings.Repeat("x", 65)}, "header: must be a header name of 1 to 64 bytes"},
		{"header already read", devices.Options{Header: "user-agent"}, "header: has another meaning"},
		{"header already read as a hint", devices.Options{Header: "sec-ch-ua-MOBILE"}, "header: has another meaning"},
		{"unknown default", devices.Options{Default: "fridge"}, "default: must be one of tv, phone, tablet"},
		{"unknown desktop", devices.Options{Desktop: "fridge"}, "desktop: must be one of tv, phone, tablet"},
		{"no phone for the default", devices.Options{Profiles: devices.Standard()[:1]}, "default: must be one of tv"},
		{"no tablet for desktops", devices.Options{Profiles: devices.Standard()[:2]}, "desktop: must be one of tv, phone"},
		{
			"too many", devices.Options{Profiles: make([]devices.Profile, 33)},
			"profiles: has 33 entries, at most 32 are allowed",
		},
		{"bad profile", devices.Options{Profiles: list(func(l []devices.Profile) []devices.Profile {
			l[1].Columns = 13
			return l
		})}, "profiles[1].columns: is 13, must be 1 to 12"},
		{"twice", devices.Options{Profiles: list(func(l []devices.Profile) []devices.Profile {
			return append(l, l[0])
		})}, "profiles[3].class: is in the list twice"},
		{"like nobody", devices.Options{Profiles: list(func(l []devices.Profile) []devices.Profile {
			l[2].Like = "slate"
			return l
		})}, "profiles[2].like: must be one of tv, phone, tablet"},
		{"a chain", devices.Options{Profiles: list(func(l []devices.Profile) []devices.Profile {
			l[1].Like, l[2].Like = devices.Tablet, devices.TV
			return l
		})}, "profiles[1].like: names a class that is itself like another"},
		{"like itself", devices.Options{Profiles: list(func(l []devices.Profile) []devices.Profile {
			l[0].Like = devices.TV
			return l
		})}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r, err := devices.NewResolver(test.options)
			checkError(t, err, test.want)
			if (r == nil) != (err != nil) {
				t.Errorf("got the resolver %v beside the error %v", r, err)
			}
		})
	}
}
