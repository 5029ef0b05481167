package main_test

import (
	"strings"
	"testing"
)

func TestDevice(t *testing.T) {
	t.Parallel()
	const shop = `
devices:
  header: X-Screen
  default: kiosk
  classes:
    kiosk: {like: tablet}
`
	config := file(t, "facet.yaml", exampleOfHelp(t)+shop)
	cases := []struct {
		name string
		args []string
		want string
	}{
		{"nothing", nil, `
class       phone
adapter     phone
decided by  default
`},
		{"explicit", []string{"x-device-type:TV"}, `
class       tv
adapter     tv
decided by  header
header      X-Device-Type
evidence    tv
`},
		{"form factors, and a header without a say", []string{`Sec-CH-UA-Form-Factors: "Tablet"`, "Accept: text/html", "DNT: 1"}, `
class       tablet
adapter     tablet
decided by  form-factors
header      Sec-CH-UA-Form-Factors
evidence    Tablet
not read    Accept, Dnt
`},
		{"mobile hint before an agent", []string{"Sec-CH-UA-Mobile: ?1", "User-Agent: Acme (Windows NT 10.0)"}, `
class         phone
adapter       phone
decided by    mobile-hint
header        Sec-CH-UA-Mobile
evidence      ?1
rule met      desktop: says desktop
says desktop  windows nt
`},
		{"a bare agent with a colon", []string{"Mozilla/5.0 (Android 14; Mobile; rv:131.0) Gecko/131.0 Firefox/131.0"}, `
class         phone
adapter       phone
decided by    user-agent
header        User-Agent
evidence      mobile
rule met      phone: says mobile and Android
says mobile   mobile
says Android  android
says browser  mozilla/
`},
		{"a desktop", []string{"Acme (X11)"}, `
class         tablet
adapter       tablet
decided by    desktop
header        User-Agent
evidence      x11
rule met      desktop: says desktop
says desktop  x11
`},
		{"configured default", []string{"--config", config, "curl/8.9.1"}, `
class       kiosk
adapter     tablet
decided by  default
`},
		{"configured header", []string{"--config", config, "X-Screen: tv", "X-Device-Type: phone"}, `
class       tv
adapter     tv
decided by  header
header      X-Screen
evidence    tv
not read    X-Device-Type
`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := ended(t, append([]string{"device"}, c.args...)...)
			if status != 0 || stdout != strings.TrimPrefix(c.want, "\n") || stderr != "" {
				t.Errorf("exit status %d, stdout\n%s\nwant\n%s\nstderr %q", status, stdout, c.want, stderr)
			}
		})
	}
}

func TestDeviceRefuses(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		args   []string
		stderr string
	}{
		{"an unknown class", []string{"X-Device-Type: toaster"}, "facet: devices: X-Device-Type: must be one of tv, phone, tablet\n"},
		{"a class twice", []string{"X-Device-Type: tv", "X-Device-Type: tv"}, "facet: devices: X-Device-Type: must be sent once\n"},
		{"a blank in a name", []string{"User Agent: x"}, `facet: "User Agent: x": a header line begins with a name without blanks` + "\n"},
		{"no name", []string{": x"}, `facet: ": x": a header line begins with a name without blanks` + "\n"},
		{"two lines in one", []string{"Accept: x\nDNT: 1"}, "facet: Accept: must not have control characters\n"},
		{"a missing file", []string{"--config", "nowhere.yaml"}, "facet: read the configuration: open nowhere.yaml: "},
		{"an unknown flag", []string{"--bogus"}, "facet: unknown flag: --bogus\nRun 'facet device --help'"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			status, stdout, stderr := ended(t, append([]string{"device"}, c.args...)...)
			if status != 2 || stdout != "" || !strings.HasPrefix(stderr, c.stderr) {
				t.Errorf("exit status %d, want 2; stdout %q; stderr %q, want %q", status, stdout, stderr, c.stderr)
			}
		})
	}
}
