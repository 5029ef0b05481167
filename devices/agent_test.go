package devices_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/devices"
)

// Agents are composed for the rules; models in them are made up.
func TestUserAgent(t *testing.T) {
	r := newResolver(t, devices.Options{Default: "other", Desktop: "pc", Profiles: withClasses("other", "pc")})
	const (
		webkit  = " AppleWebKit/537.36 (KHTML, like Gecko) "
		android = "Mozilla/5.0 (Linux; Android 12; "
		tablet  = ")" + webkit + "Chrome/120.0.0.0 Safari/537.36"
		phone   = ")" + webkit + "Chrome/120.0.0.0 Mobile Safari/537.36"
	)
	tests := []struct {
		agent    string
		class    devices.Class
		evidence string
	}{
		// Televisions, boxes, sticks and consoles.
		{"Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0)" + webkit + "Version/6.0 TV Safari/537.36", devices.TV, "smart-tv"},
		{"Mozilla/5.0 (Linux; Tizen 2.3; SmartHub; SMART-TV; SmartTV; U)", devices.TV, "smart-tv"},
		{"Mozilla/5.0 (Web0S; Linux/SmartTV)" + webkit + "Chrome/94.0 Safari/537.36", devices.TV, "web0s"},
		{"Mozilla/5.0 (webOS.TV-2023) Chrome/94.0", devices.TV, "tv"},
		{"Mozilla/5.0 (Linux armv7l)" + webkit + "HbbTV/1.6.1 (+DRM; Acme; A55; 1.0)", devices.TV, "hbbtv"},
		{"Mozilla/5.0 (X11; Linux armv7l)" + webkit + "OMI/4.2 Model/Acme", devices.TV, "omi/"},
		{"Mozilla/5.0 (DirectFB; Linux; ko-KR)" + webkit + "Safari/534.26 LG NetCast.Media-2013", devices.TV, "netcast"},
		{"AppleTV11,1/11.1", devices.TV, "appletv"},
		{"Mozilla/5.0 (Apple TV; CPU iPhone OS 16_0 like Mac OS X)", devices.TV, "tv"},
		{"Roku/DVP-12.0 (12.0.0.4182-88)", devices.TV, "roku"},
		{android + "AFTQX Build/ABC; wv" + phone, devices.TV, "aft@"},
		{"Amazon;AFTQX1;0123;;api;3.2", devices.TV, "amazon;aft"},
		{android + "BRAVIA 4K UR9" + tablet, devices.TV, "bravia"},
		{"Mozilla/5.0 (Linux; Android)" + webkit + "Chrome/90.0 Safari/537.36 CrKey/1.54", devices.TV, "crkey"},
		{android + "GoogleTV Streamer" + phone, devices.TV, "googletv"},
		{android + "Acme Android TV" + phone, devices.TV, "tv"},
		{"Mozilla/5.0 (X11; U; Linux; en-US; Large Screen) GoogleTV/1", devices.TV, "large screen"},
		{"Mozilla/5.0 (PlayStation; PlayStation 5/2.26)" + webkit, devices.TV, "playstation"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox Series X)" + webkit, devices.TV, "xbox"},
		{"Mozilla/5.0 (Nintendo Switch; WebApplet)" + webkit, devices.TV, "nintendo"},
		{android + "AcmeBox Pro" + tablet, devices.TV, "box"},
		{android + "Acme Stick 2" + phone, devices.TV, "stick"},
		{android + "AC-LED50QX1" + phone, devices.TV, "led##"},
		{android + "55QX77 Build/ABC" + tablet, devices.TV, "%%@@#"},
		{"Mozilla/5.0 (Linux mips)" + webkit, devices.TV, "linux mips"},
		// Tablets.
		{"Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X)" + webkit + "Mobile/15E148 Safari/604.1", devices.Tablet, "ipad"},
		{"Mozilla/5.0 (iPad; U; CPU iPhone OS 3_2 like Mac OS X)", devices.Tablet, "ipad"},
		{android + "QX-1010" + tablet, devices.Tablet, "android"},
		{android + "Nexus 7" + tablet, devices.Tablet, "nexus 7"},
		{android + "Nexus 10" + tablet, devices.Tablet, "nexus 10"},
		{android + "Acme Tab 3" + phone, devices.Tablet, "tab"},
		{android + "AcmePad8" + phone, devices.Tablet, "pad#"},
		{android + "KFQXW" + tablet, devices.Tablet, "kf@@"},
		{"Mozilla/5.0 (Linux; Android 9; KFQXW)" + webkit + "Silk/118.1 like Chrome/118.0 Safari/537.36", devices.Tablet, "silk/"},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15)" + webkit + "Silk/118.1", devices.Tablet, "silk/"},
		{"Mozilla/5.0 (X11; U; Linux armv7l; Kindle Fire)", devices.Tablet, "kindle"},
		{"Mozilla/5.0 (PlayBook; U; RIM Tablet OS 2.1.0)", devices.Tablet, "playbook"},
		{"Mozilla/5.0 (hp-tablet; Linux; hpwOS/3.0.5; U) TouchPad/1.0", devices.Tablet, "touchpad"},
		{"Mozilla/5.0 (Android 13; Tablet; rv:120.0) Gecko/120.0 Firefox/120.0", devices.Tablet, "tablet"},
		// Phones.
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)" + webkit + "Mobile/15E148", devices.Phone, "(iphone"},
		{"Acme TV/4.1 (iPhone; iOS 17.0; Scale/3.00)", devices.Phone, "(iphone"},
		{"AcmeNews/4.1 CPU iPhone OS 17_0", devices.Phone, "iphone"},
		{"Mozilla/5.0 (iPod touch; CPU iPhone OS 12_0 like Mac OS X)", devices.Phone, "(ipod"},
		{android + "QX-1" + phone, devices.Phone, "mobile"},
		{"Mozilla/5.0 (Android 13; Mobile; rv:120.0) Gecko/120.0 Firefox/120.0", devices.Phone, "mobile"},
		{"Dalvik/2.1.0 (Linux; U; Android 12; QX-1 Build/ABC)", devices.Phone, "android"},
		{"Mozilla/5.0 (Windows Phone 10.0; Android 6.0.1; Acme)" + webkit + "Mobile Safari/537.36 Edge/15.1", devices.Phone, "phone"},
		{"Mozilla/4.0 (compatible; MSIE 6.0; Windows CE; IEMobile 7.11)", devices.Phone, "windows ce"},
		{"Mozilla/5.0 (SymbianOS/9.4; Series60/5.0 Acme) AppleWebKit/525", devices.Phone, "symbian"},
		{"BlackBerry9999/5.0.0 Profile/MIDP-2.1", devices.Phone, "blackberry"},
		{"Mozilla/5.0 (BB10; Touch)" + webkit + "Version/10.1 Mobile Safari/537.35", devices.Phone, "bb10"},
		{"Opera/9.80 (Acme; Opera Mini/7.1; U; en) Presto/2.12", devices.Phone, "opera mini"},
		{"Opera/12.02 (Android 4.1; Linux; Opera Mobi/ADR-1; U; en)", devices.Phone, "opera mobi"},
		{"Acme-QX1/1.0 Profile/MIDP-2.0 Configuration/CLDC-1.1", devices.Phone, "midp"},
		{"Acme-QX1 UP.Browser/6.2.3 (GUI)", devices.Phone, "up.browser"},
		{"Opera/9.80 (J2ME/23.371) Presto/2.5", devices.Phone, "j2me"},
		{"Mozilla/5.0 (Mobile; QX1; rv:48.0) Gecko/48.0 Firefox/48.0", devices.Phone, "mobile"},
		// Desktops.
		{desktopAgent, "pc", "windows nt"},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)" + webkit + "Version/17.0 Safari/605.1.15", "pc", "macintosh"},
		{"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0", "pc", "x11"},
		{"Mozilla/5.0 (Wayland; Linux x86_64) Gecko/20100101", "pc", "linux x86_64"},
		{"Mozilla/5.0 (X11; CrOS aarch64 15000.0.0)" + webkit, "pc", "x11"},
		{"Mozilla/5.0 (X11; Linux armv7l)" + webkit + "Chrome/120.0.0.0 Safari/537.36", "pc", "x11"},
		{"Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Tablet PC 2.0)", "pc", "windows nt"},
		// Words that only look like a token, and what says nothing.
		{android + "Creativo QX Tivoli" + phone, devices.Phone, "mobile"},
		{android + "QX after5 Build/ABC" + tablet, devices.TV, "aft@"}, // the price of a short prefix
		{"curl/8.5.0", "other", ""},
		{"okhttp/4.12.0", "other", ""},
		{"Mozilla/5.0", "other", ""},
		{strings.Repeat(" ", 2048) + "iPad", "other", ""},
		{strings.Repeat(" ", 2044) + "iPad", devices.Tablet, "ipad"},
		{"\x00\xff\xfe", "other", ""},
	}
	for _, test := range tests {
		t.Run(test.agent, func(t *testing.T) {
			d, err := r.Resolve(header("User-Agent", test.agent))
			if err != nil {
				t.Fatalf("Resolve: %v", err)
			}
			if d.Profile.Class != test.class || d.Evidence != test.evidence {
				t.Errorf("got %s on %q, want %s on %q", d.Profile.Class, d.Evidence, test.class, test.evidence)
			}
		})
	}
}

// withClasses adds classes like the phone to the standard ones, to tell the
// configured ones apart.
func withClasses(names ...devices.Class) []devices.Profile {
	list := devices.Standard()
	for _, name := range names {
		p := list[1]
		p.Class, p.Like = name, devices.Phone
		list = append(list, p)
	}
	return list
}

// A token that breaks the conventions of its table would never be found.
func TestTokensAreWellFormed(t *testing.T) {
	tokens := devices.Tokens()
	if len(tokens) < 50 || len(tokens) > 1<<16 {
		t.Fatalf("the table has %d tokens", len(tokens))
	}
	for _, token := range tokens {
		body := token.Token
		if len(body) < 2 || body[0] == '#' || body[0] == '@' || body != strings.ToLower(body) {
			t.Errorf("%q is too short, not in lower case, or begins with a wild card", body)
		}
		if n := strings.Count(body, "%"); n != 0 && (n != 2 || !strings.Contains(body, "%%")) {
			t.Errorf("%q has inches of %d digits", body, n)
		}
	}
}

// sample is a text that a token fits, in capitals.
func sample(body string) string {
	return strings.ToUpper(strings.NewReplacer("#", "7", "@", "x", "%%", "55").Replace(body))
}

func TestEveryTokenIsFound(t *testing.T) {
	r := newResolver(t, devices.Options{})
	for _, token := range devices.Tokens() {
		agent := "Q " + sample(token.Token) + " Q"
		e, err := r.Explain(header("User-Agent", agent))
		if err != nil {
			t.Fatalf("Explain: %v", err)
		}
		if !slices.ContainsFunc(e.Signals, func(s devices.Signal) bool { return s.Name == token.Name }) || token.Name == "" {
			t.Errorf("%q does not say %q: %v", agent, token.Name, e.Signals)
		}
	}
}
