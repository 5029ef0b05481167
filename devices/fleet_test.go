package devices_test

import (
	"testing"

	"github.com/facet-gateway/facet/devices"
)

// A fleet is agents of one kind of device, composed for this test in the forms
// that real ones have; makers and models in them are mostly made up.
type fleet struct {
	name  string
	class devices.Class
	list  [][2]string // the agent, and the token that decides
}

const (
	oldWebKit = "AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 "
	webKit    = "AppleWebKit/537.36 (KHTML, like Gecko) "
	chrome    = ") " + webKit + "Chrome/131.0.0.0 Safari/537.36"
	chromeM   = ") " + webKit + "Chrome/131.0.0.0 Mobile Safari/537.36"
	webView   = "; wv) " + webKit + "Version/4.0 Chrome/131.0.6778.104 Mobile Safari/537.36"
)

// android is a browser's or an app's agent for a version and a model.
func android(version, model, rest string) string {
	return "Mozilla/5.0 (Linux; Android " + version + "; " + model + rest
}

func fleets() []fleet {
	return []fleet{
		{"television", devices.TV, [][2]string{
			{"Mozilla/5.0 (SMART-TV; X11; Linux i686) AppleWebKit/535.20+ (KHTML, like Gecko) Version/5.0 Safari/535.20+", "smart-tv"},
			{"Mozilla/5.0 (SmartHub; SMART-TV; U; Linux/SmartTV) AppleWebKit/531.2+ (KHTML, like Gecko) WebBrowser/1.0", "smart-tv"},
			{"Mozilla/5.0 (SMART-TV; LINUX; Tizen 8.0) " + webKit + "108.0.5359.1/8.0 TV Safari/537.36", "smart-tv"},
			{"Mozilla/5.0 (Linux; Tizen 5.5) " + webKit + "Version/5.5 Safari/537.36", "tizen"},
			{"Mozilla/5.0 (Web0S; Linux/SmartTV) " + webKit + "Chrome/120.0.6099.270 Safari/537.36 WebAppManager", "web0s"},
			{"HbbTV/1.2.1 (;Acme;QX_2013;3.1;3.0;) QXBrowser/2.0", "hbbtv"},
			{"Opera/9.80 (Linux mips; U; HbbTV/1.1.1 (; Acme; QX40; 1.0; ;) ; en) Presto/2.10.287 Version/12.00", "hbbtv"},
			{"Mozilla/5.0 (Linux; U; en) NETTV/4.5.1 Acme/2016", "nettv"},
			{"Mozilla/5.0 (Linux armv7l) Cobalt/22.lts.3.306369-gold (unlike Gecko) v8/8.8 Acme_TV_QX_2023/1.0 (Acme, QX, Wireless)", "cobalt/"},
			{"Acme_STB_QX1/3.4 (Acme, QX1, Wired)", "stb"},
			{"Mozilla/5.0 (Linux; U; Viera; de-DE) AppleWebKit/538.1 (KHTML, like Gecko) Viera/4.0 Safari/538.1", "viera"},
			{"Mozilla/5.0 (X11; Linux armv7l) " + webKit + "QtWebEngine/5.15.2 Chrome/87.0.4280.144 Safari/537.36", "qtwebengine"},
			{android("11", "QX Smart TV Build/RTT2.220118.003", webView), "tv"},
			{android("11", "QX55AB Build/RTT2.220118.003", webView), "build/rtt"},
			{android("9", "43QX5500 Build/PPR1.180610.011", chromeM), "%%@@#"},
			{android("9", "AC55QXS20", chrome), "%%@@@#"},
			{android("11", "QXTV65AB Build/RP1A.200720.011", webView), "tv%%@"},
			{android("7.0", "AC-LED-40QX", chrome), "led-%%"},
			{android("12", "ACME UHD QX1", chrome), "uhd"},
			{android("12", "QX4K Build/SP1A.210812.016", webView), "4k"},
			{android("4.4.4", "MSD648_QX", chrome), "msd6##"},
		}},
		{"box, stick or console", devices.TV, [][2]string{
			{android("7.1.2", "X96QX", chrome), "x96"},
			{android("10", "Acme TV Box 2", chrome), "tv"},
			{android("9", "QX Mini 4K", chrome), "4k"},
			{android("9", "QX Smart Box 3", chrome), "box"},
			{android("11", "rk3328_qx", chrome), "rk33#8"},
			{android("12", "QXB399 Build/STT1.231215.001", webView), "build/stt"},
			{"Dalvik/2.1.0 (Linux; U; Android 9; TX7 Build/PPR1.180610.011)", "tx#"},
			{"TiviMate/5.1.0 (Acme QX1; Android 12)", "tivimate"},
			{"Kodi/21.0 (Linux; Android 11.0; QX9 Build/RP1A) Android/11.0.0 Sys_CPU/armv7l App_Bitness/32 Version/21.0", "kodi/"},
			{"Roku4640X/DVP-7.70 (297.70E04154A)", "roku"},
			{android("7.1.2", "AFTQ1 Build/NS6265; wv", chromeM), "aft@"},
			{android("12.0", "QX", ") "+webKit+"Chrome/124.0.0.0 Safari/537.36 CrKey/1.56.500000 DeviceType/Chromecast"), "crkey"},
			{"AppleTV14,1/17.4", "appletv"},
			{"Mozilla/5.0 (PlayStation 4 11.00) AppleWebKit/605.1.15 (KHTML, like Gecko)", "playstation"},
			{"Mozilla/5.0 (Nintendo WiiU) AppleWebKit/536.30 (KHTML, like Gecko) NX/3.0 NintendoBrowser/4.3", "nintendo"},
			{"Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) " + webKit + "Edge/44.18363", "xbox"},
		}},
		{"tablet", devices.Tablet, [][2]string{
			{"Mozilla/5.0 (iPad; U; CPU OS 4_3 like Mac OS X; en-us) AppleWebKit/533.17.9 (KHTML, like Gecko) Mobile/8F190", "ipad"},
			{"AcmeNews/7.2 (iPad; iOS 18.1; Scale/2.00)", "ipad"},
			{"Mozilla/5.0 (Linux; U; Android 3.2; en-us; QX100 Build/HTJ85B) AppleWebKit/534.13 (KHTML, like Gecko) Safari/534.13", "android 3."},
			{android("4.2.2", "QX1000 Build/JDQ39", chrome), "android"},
			{android("14", "SM-X999B", chrome), "sm-x"},
			{android("9", "SM-T999", webView), "sm-t"},
			{android("13", "TB999QX", chrome), "tb#"},
			{android("10", "YT-X999F", chromeM), "yt-"},
			{android("12", "QXY-W09", chromeM), "-w##"},
			{android("10", "BAH9-L09", chromeM), "bah#"},
			{android("14", "24999RPQXG", chromeM), "2####rp"},
			{android("14", "OPD9999", chromeM), "opd####"},
			{android("7.0", "QX 7777A 3G", webView), "7###@"},
			{android("8.1.0", "Acme QX9 3G", chromeM), "3g"},
			{android("10", "9099Q", chromeM), "90##@"},
			{android("4.1.1", "QS0799Q Build/JRO03H", chromeM), "07##"},
			{android("13", "QX13_EEA", chromeM), "_eea"},
			{android("13", "Acme Kids 2", chromeM), "kids"},
			{"Mozilla/5.0 (Linux; U; Android 4.0.3; en-us; QXPC TPC-9) " + oldWebKit + "Mobile Safari/534.30", "tpc"},
			{"Mozilla/5.0 (Tablet; OpenHarmony 5.0) " + webKit + "Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1", "tablet"},
			{"Mozilla/5.0 (Linux; Android 12; KFQXWI) " + webKit + "Silk/120.3 like Chrome/120.0 Safari/537.36", "silk/"},
			{"Dalvik/2.1.0 (Linux; U; Android 9; QXTab 10 Build/PPR1)", "tab"},
		}},
		{"reader", devices.Tablet, [][2]string{
			{"Mozilla/5.0 (X11; U; Linux armv7l like Android; en-us) AppleWebKit/531.2+ (KHTML, like Gecko) Kindle/3.0+", "kindle"},
			{"Mozilla/5.0 (Linux; U; Android 2.0; en-us;) AppleWebKit/538.1 (KHTML, like Gecko) Mobile Safari/538.1 (Kobo QX/4)", "kobo"},
			{"Mozilla/5.0 (Linux; U; Android 2.1; en-us; NOOK QX Build/ERD79) " + oldWebKit + "Safari/534.30", "nook"},
			{android("11", "BOOX QXAir", chromeM), "boox"},
			{"Mozilla/5.0 (Linux; Android 8.1.0; tolino QX 6 Build/tolino) " + webKit + "Version/4.0 Chrome/61.0 Mobile Safari/537.36", "tolino"},
		}},
		{"phone", devices.Phone, [][2]string{
			{"Mozilla/5.0 (iPhone; U; CPU iPhone OS 4_0 like Mac OS X; en-us) AppleWebKit/532.9 (KHTML, like Gecko) Mobile/8A293", "(iphone"},
			{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/131 Mobile/15E148", "(iphone"},
			{"AcmeTV/9.1 (iPhone16,2; iOS 18.1)", "(iphone"},
			{"Mozilla/5.0 (Linux; U; Android 2.3.6; en-us; QX1 Build/GRK39F) AppleWebKit/533.1 (KHTML, like Gecko) Mobile Safari/533.1", "mobile"},
			{android("15", "K", chromeM), "mobile"},
			{android("14", "SM-S999B Build/UP1A.231005.007", webView), "sm-s"},
			{android("14", "SM-S999B", chrome), "sm-s"},
			{"Acme TV/4.2 (Linux; Android 14; SM-S999U1) ExoPlayerLib/2.19", "sm-s"},
			{android("10", "QXY-L29", chromeM), "-l##"},
			{android("13", "V2999A Build/TP1A.220624.014", webView), "v2###"},
			{android("12", "QX-4090", chromeM), "mobile"},
			{android("5.1", "QX-500 Build/LMY47D", chromeM+" Instagram 99.0 Android (22/5.1; 240dpi; 720x7000; Acme; QX)"), "mobile"},
			{android("15", "NX709J", chromeM), "nx###j"},
			{android("9", "QX1", chromeM) + " AcmeApp/5 (id 5b2f24c0-43aa-49f1-80b2-7001a32fe118)", "mobile"},
			{android("11", "QX1", ") "+webKit+"Chrome/138.0.7204.93 Mobile Safari/537.36"), "mobile"},
			{"Mozilla/5.0 (Phone; OpenHarmony 5.0) " + webKit + "Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1 Mobile", "phone"},
			{"Mozilla/5.0 (Linux; Tizen 3.0; SAMSUNG QX-Z9) AppleWebKit/537.3 (KHTML, like Gecko) Version/3.0 Mobile Safari/537.3", "mobile"},
			{"Mozilla/5.0 (compatible; MSIE 10.0; Windows Phone 8.0; Trident/6.0; IEMobile/10.0; ARM; Touch; Acme; QX 9)", "phone"},
			{"Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.2; Trident/3.1; QXWP7; ZuneWP7; QX 9)", "zunewp"},
			{"Mozilla/5.0 (Mobile; Acme QX 4G; rv:84.0) Gecko/84.0 Firefox/84.0 KAIOS/3.0", "kaios"},
			{"com.google.android.apps.youtube.kids/7.05 (Linux; U; Android 13; en_US; QX1) gzip", "android"},
			{"Dalvik/2.1.0 (Linux; U; Android 13; QX Build/TP1A) Apache-HttpClient/4.5", "android"},
		}},
		{"phablet or foldable", devices.Phone, [][2]string{
			{android("4.1.2", "GT-N7999 Build/JZO54K", chromeM), "gt-n7"},
			{android("13", "SM-F999B", chromeM), "sm-f"},
			{android("10", "QX Fold", chromeM), "mobile"},
			{android("9", "QX 7.0 Max", chromeM), "mobile"},
		}},
		{"feature phone or handheld", devices.Phone, [][2]string{
			{"Nokia9999/2.0 (05.15) Profile/MIDP-2.1 Configuration/CLDC-1.1", "nokia#"},
			{"NokiaQ9-01/5.0 (07.35) Profile/MIDP-2.1", "nokia@#"},
			{"SonyEricssonQ999i/R7EA Browser/NetFront/3.5", "sonyericsson"},
			{"ACME-QX999/1.0 Teleca/WAP2.0 MAUI/10A", "teleca"},
			{"Mozilla/5.0 (BlackBerry; U; BlackBerry 9999; en) AppleWebKit/534.8+ (KHTML, like Gecko)", "blackberry"},
			{"Opera/9.80 (J2ME/MIDP; Opera Mini/8.0/191.283; U; en) Presto/2.12.423", "j2me"},
			{"Mozilla/5.0 (SAMSUNG; SAMSUNG-GT-S9999; U; Bada/1.2; en-us) Dolfin/2.2 Mobile", "bada"},
			{"Mozilla/5.0 (PlayStation Vita 3.74) AppleWebKit/537.73 (KHTML, like Gecko) Silk/3.2", "playstation vita"},
			{"Mozilla/5.0 (Nintendo 3DS; U; ; en) Version/1.7630.EU", "nintendo 3ds"},
		}},
		{"desktop", "pc", [][2]string{
			{"Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1; Trident/4.0; Comcast Install 1.0)", "windows nt"},
			{"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:131.0) Gecko/20100101 Firefox/131.0", "windows nt"},
			{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15", "macintosh"},
			{"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) " + webKit + "Chrome/131.0.0.0 Safari/537.36", "x11"},
			{"Mozilla/5.0 (X11; Linux x86_64) " + webKit + "QtWebEngine/6.5 Chrome/108.0 Safari/537.36", "x11"},
			{"Mozilla/5.0 (PC; OpenHarmony 5.0) " + webKit + "Chrome/114.0.0.0 Safari/537.36 ArkWeb/4.1.6.1", "(pc; openharmony"},
			{"AcmeNews/41 (Macintosh; OS X 14.5.0) Homebrew/4.3", "macintosh"},
		}},
		{"bot or tool", "other", [][2]string{
			{"Mozilla/5.0 (compatible; Acmebot/2.1; +http://bot.example/about.html)", ""},
			{"curl/8.9.1", ""},
			{"python-requests/2.32.3", ""},
			{"Go-http-client/2.0", ""},
			{"Apache-HttpClient/4.5.14 (Java/17.0.12)", ""},
			{"Acme/3 CFNetwork/1568.100.1 Darwin/24.0.0", ""},
		}},
		{"bot that plays a phone", devices.Phone, [][2]string{
			{android("6.0.1", "QX 5X Build/MMB29P", chromeM+" (compatible; Acmebot/2.1)"), "mobile"},
		}},
	}
}

func TestFleets(t *testing.T) {
	t.Parallel()
	r := newResolver(t, devices.Options{Default: "other", Desktop: "pc", Profiles: withClasses("other", "pc")})
	for _, f := range fleets() {
		for _, member := range f.list {
			t.Run(f.name+"/"+member[0], func(t *testing.T) {
				d, err := r.Resolve(header("User-Agent", member[0]))
				if err != nil {
					t.Fatalf("Resolve: %v", err)
				}
				if d.Profile.Class != f.class || d.Evidence != member[1] {
					t.Errorf("got %s on %q, want %s on %q", d.Profile.Class, d.Evidence, f.class, member[1])
				}
			})
		}
	}
}
