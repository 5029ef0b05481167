package devices

// A signal is one thing that a user agent says about its device.
type signal uint8

const (
	givesTV       signal = iota // a television, a set-top box or a console, in so many words
	givesScreen                 // on Android: a box, a stick, or a model named for its size in inches
	givesFireTV                 // on Android: the model prefix of Fire TV
	givesPad                    // a tablet, whatever else is said
	givesTablet                 // a tablet, unless a phone or desktop system is named
	givesFirePad                // on Android: the model prefix of Fire tablets
	givesPhone                  // a phone, in so many words
	givesIPhone                 // an iPhone or iPod by its model, not only by its system
	givesMobile                 // pages made for a phone are welcome
	givesAndroid                // Android, on anything
	givesBrowser                // the form that browsers use
	givesEmbedded               // Linux on a processor that few desktops have
	givesDesktop                // a desktop operating system
	signalCount
)

// signals is a set of them.
type signals uint32

func (s signal) bit() signals { return 1 << s }

func all(list ...signal) (set signals) {
	for _, s := range list {
		set |= s.bit()
	}
	return set
}

// A rule names the class of agents that give all of some signals and none of
// others. evidence is the signal whose token is reported.
type rule struct {
	class     Class
	evidence  signal
	all, none signals
}

// rules is in order: the first that holds decides. Televisions come before
// all but an iPhone, whose apps may be called TV, because they also claim to
// be Android, X11, Windows or an iPad. What only calls itself Android is a
// phone if it asks for pages for phones, as Chrome documents, or if it is an
// app, whose agents lack that word; else it is a tablet.
func rules() []rule {
	return []rule{
		{class: Phone, evidence: givesIPhone, all: all(givesIPhone), none: all(givesPad)},
		{class: TV, evidence: givesTV, all: all(givesTV)},
		{class: TV, evidence: givesScreen, all: all(givesScreen, givesAndroid)},
		{class: TV, evidence: givesFireTV, all: all(givesFireTV, givesAndroid)},
		{class: Tablet, evidence: givesPad, all: all(givesPad)},
		{class: Phone, evidence: givesPhone, all: all(givesPhone)},
		{class: Tablet, evidence: givesTablet, all: all(givesTablet), none: all(givesDesktop)},
		{class: Tablet, evidence: givesFirePad, all: all(givesFirePad, givesAndroid)},
		{class: Phone, evidence: givesMobile, all: all(givesAndroid, givesMobile)},
		{class: Tablet, evidence: givesAndroid, all: all(givesAndroid, givesBrowser)},
		{class: Phone, evidence: givesAndroid, all: all(givesAndroid)},
		{class: desktop, evidence: givesDesktop, all: all(givesDesktop)},
		{class: Phone, evidence: givesMobile, all: all(givesMobile)},
		{class: TV, evidence: givesEmbedded, all: all(givesEmbedded)},
	}
}

// wordList is the words that give one signal.
type wordList struct {
	gives signal
	list  []string
}

// words lists the tokens of each signal in lower case; they are found in
// either case. A blank at an end stands for the edge of a word, where words
// are letters and digits; # stands for a digit and @ for a letter, but not at
// the start. They name systems, browsers, kinds of device and product lines,
// not single models, so that they hold for models yet to come.
func words() []wordList {
	return []wordList{
		{givesTV, []string{
			"tv ", " tv", "hbbtv", "smart-tv", "smarttv", "googletv", "appletv", "firetv", "androidtv", "web0s", "netcast",
			" roku", " crkey", "chromecast", "bravia", " viera", "large screen", "ce-html", "netrange", "vidaa", " tivo ", " tivoos",
			" omi/", "smartcast", " vizio", "youview", "freebox", "hybridcast", "dlnadoc", "set-top", " stb", "stb ",
			" bdp", "blu-ray", " amazon;aft", "playstation", "xbox", "nintendo",
		}},
		{givesScreen, []string{
			"box ", " box", " stick", "led##", " uhd", "uhd ", " 4k ", " shell ", "dvb ",
			" 24@", " 28@", " 32@", " 39@", " 40@", " 42@", " 43@", " 48@", " 49@", " 50@", " 55@", " 58@", " 65@", " 75@", " 85@",
		}},
		{givesFireTV, []string{" aft@"}},
		{givesPad, []string{"ipad", "playbook", "touchpad", "kindle", " silk/", " nook ", " xoom ", "nexus 7", "nexus 9", "nexus 10"}},
		{givesTablet, []string{
			"tablet", " tab ", " tab", "tab ", "tab#", " pad", "pad ", "pad#", " tb-", " tb#", " mid#", " mid-", "android 3.",
			" sm-t", " sm-x", " sm-p", " gt-p",
		}},
		{givesFirePad, []string{" kf@@"}},
		{givesPhone, []string{
			"iphone", "ipod", " phone ", "phone os", "iemobile", "windows ce", "symbian", "symbos", "series60", "series40",
			"blackberry", " bb10", "opera mini", "opera mobi", " midp", "up.browser", "j2me", " cldc", " wap", "kaios", " bada",
			" palm", "netfront", " nokia#", " nokia@#", " maui", "obigo", "teleca", "polaris/", "coolpad", "docomo",
		}},
		{givesIPhone, []string{"(iphone", "iphone#", "(ipod"}},
		{givesMobile, []string{" mobile"}},
		{givesAndroid, []string{" android"}},
		{givesBrowser, []string{" mozilla/", " opera/"}},
		{givesEmbedded, []string{"linux arm", "linux mips", "linux sh4", "linux aarch64"}},
		{givesDesktop, []string{"windows nt", "macintosh", " x11", " cros ", "linux x86_64", "linux i686"}},
	}
}
