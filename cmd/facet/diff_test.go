package main_test

import (
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	t.Parallel()
	described := func(flags ...string) string {
		status, stdout, stderr := ended(t, append([]string{"openapi"}, flags...)...)
		if status != 0 {
			t.Fatalf("%v: %s", flags, stderr)
		}
		return file(t, "openapi.json", stdout)
	}
	first, second := described("--device", "phone"), described("--device", "phone", "--version", "v2")
	tv, wall := described("--device", "tv"), described("--device", "tv", "--version", "v2")
	tablet, apart := described("--device", "tablet"), described("--device", "tablet", "--version", "v2")
	foreign := file(t, "foreign.json", `{"openapi": "3.1.0", "info": {"title": "x", "license": "MIT"}}`)
	cases := []struct {
		name   string
		args   []string
		status int
		stdout string
		stderr string // holds
	}{
		{"the same", []string{first, first}, 0, "", ""},
		{"two versions", []string{first, second}, 1, `/home: rows is gone
/productdetails: offers is gone
/productdetails: orders is gone
`, "facet: 3 of the changes from " + first + " to " + second + " would break a client\n"},
		{"all of two versions", []string{"--all", first, second}, 1, `/home: grid is new (compatible)
/home: rows is gone
/productdetails: bought is new (compatible)
/productdetails: offers is gone
/productdetails: orders is gone
/productdetails: rating.histogram is new (compatible)
/productdetails: reviews[].helpful is new (compatible)
`, "3 of the changes"},
		{"and back", []string{second, first}, 1, `/home: grid is gone
/productdetails: bought is gone
/productdetails: rating.histogram is gone
/productdetails: reviews[].helpful is gone
`, "4 of the changes"},
		{"a version that adds", []string{"--all", tv, wall}, 0, "/home: billboard is new (compatible)\n", ""},
		{"another one", []string{"--all", tablet, apart}, 0, `/wishlist: grid[][].restock_at is new (compatible)
/wishlist: later is new (compatible)
`, ""},
		{"foreign", []string{first, foreign}, 2, "", foreign + `: not a document of this program: json: unknown field "license"`},
		{"none", []string{"nowhere.json", first}, 2, "", "open nowhere.json"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := ended(t, append([]string{"diff"}, c.args...)...)
			if status != c.status || stdout != c.stdout || !strings.Contains(stderr, c.stderr) {
				t.Errorf("exit status %d, want %d; stdout %q, want %q; stderr %q, want %q", status, c.status, stdout, c.stdout, stderr, c.stderr)
			}
		})
	}
	_, stdout, _ := ended(t, "diff", first, tv)
	for _, want := range []string{"/home: rows[].products is gone\n", `header parameter X-Device-Type: enum lost "phone"`} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%s is not in %s", want, stdout)
		}
	}
}
