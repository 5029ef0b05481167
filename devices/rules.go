package devices

// A signal is one thing that a user agent says about its device.
type signal uint8

const (
	givesHandheld signal = iota // a console to hold in the hand
	givesTV                     // a television, a set-top box or a console, in so many words
	givesScreen                 // on Android: a box, a stick, or a model named for its size in inches
	givesFireTV                 // on Android: the model prefix of Fire TV
	givesTizen                  // a system of televisions, and of few phones
	givesPad                    // a tablet, whatever else is said
	givesTablet                 // a tablet, unless a phone or desktop system is named
	givesFirePad                // on Android: the model prefix of Fire tablets
	givesPadSize                // on Android: a model numbered for its size in inches
	givesPhone                  // a phone, in so many words
	givesHandset                // on Android: the prefix of a line of phones
	givesIPhone                 // an iPhone or iPod by its model, not only by its system
	givesMobile                 // pages made for a phone are welcome
	givesAndroid                // Android, on anything
	givesBrowser                // the form that browsers use
	givesKiosk                  // an engine for the pages of appliances
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

func (r *rule) holds(seen signals) bool { return seen&r.all == r.all && seen&r.none == 0 }

// rules is in order: the first that holds decides. Televisions come before all
// but what can be nothing else than a phone, whose apps may be called TV, because
// they also claim to be Android, X11, Windows or an iPad. What only calls itself
// Android is a phone if it asks for pages for phones, as Chrome documents, or if
// it is an app, whose agents lack that word; else it is a tablet. Many tablets
// ask for pages for phones, too: the names of their lines come before that.
func rules() []rule {
	return []rule{
		{class: Phone, evidence: givesIPhone, all: all(givesIPhone), none: all(givesPad)},
		{class: Phone, evidence: givesHandheld, all: all(givesHandheld)},
		{class: Phone, evidence: givesHandset, all: all(givesHandset, givesAndroid), none: all(givesPad, givesTablet)},
		{class: TV, evidence: givesTV, all: all(givesTV)},
		{class: TV, evidence: givesScreen, all: all(givesScreen, givesAndroid)},
		{class: TV, evidence: givesFireTV, all: all(givesFireTV, givesAndroid)},
		{class: TV, evidence: givesTizen, all: all(givesTizen), none: all(givesMobile, givesPhone, givesTablet)},
		{class: Tablet, evidence: givesPad, all: all(givesPad)},
		{class: Phone, evidence: givesPhone, all: all(givesPhone)},
		{class: Tablet, evidence: givesTablet, all: all(givesTablet), none: all(givesDesktop)},
		{class: Tablet, evidence: givesFirePad, all: all(givesFirePad, givesAndroid)},
		{class: Tablet, evidence: givesPadSize, all: all(givesPadSize, givesAndroid), none: all(givesHandset)},
		{class: Phone, evidence: givesMobile, all: all(givesAndroid, givesMobile)},
		{class: Tablet, evidence: givesAndroid, all: all(givesAndroid, givesBrowser)},
		{class: Phone, evidence: givesAndroid, all: all(givesAndroid)},
		{class: TV, evidence: givesKiosk, all: all(givesKiosk, givesEmbedded)},
		{class: desktop, evidence: givesDesktop, all: all(givesDesktop)},
		{class: Phone, evidence: givesMobile, all: all(givesMobile)},
		{class: TV, evidence: givesEmbedded, all: all(givesEmbedded)},
	}
}

// isInches reports whether a television's screen has so many inches. Sizes that
// phones are named for, such as 30 and 31, are left out.
func isInches(tens, ones byte) bool {
	switch int(tens-'0')*10 + int(ones-'0') {
	case 22, 24, 28, 29, 32, 39, 40, 42, 43, 46, 47, 48, 49, 50, 55, 58, 60, 65, 70, 75, 77, 82, 83, 85, 86, 98:
		return true
	}
	return false
}
