package devices

// wordList is the words that give one signal.
type wordList struct {
	gives signal
	name  string // what people call the signal
	list  []string
}

// words lists the tokens of each signal in lower case; they are found in
// either case. # stands for a digit, @ for a letter, and %% for the inches of a
// television's screen. A blank at an end stands for the edge of a word, where
// words are letters and digits; a bar for the edge of a number in a model's
// name, which neither a version nor a resolution has. They name systems,
// browsers, kinds of device and lines of products, not single models, so that
// they hold for models yet to come.
func words() []wordList {
	return []wordList{
		{givesHandheld, "handheld console", []string{
			"playstation vita", "playstation portable", " psp ", "nintendo 3ds", "nintendo ds",
		}},
		{givesTV, "television", televisionWords()},
		{givesScreen, "screen", screenWords()},
		{givesFireTV, "Fire TV", []string{" aft@"}},
		{givesTizen, "Tizen", []string{" tizen"}},
		{givesPad, "pad", []string{
			"ipad", "playbook", "touchpad", "kindle", " silk/", " nook ", " xoom ", "nexus 7", "nexus 9", "nexus 10",
			" kobo", " pocketbook", " tolino", " boox", " onyx", " remarkable", // readers
		}},
		{givesTablet, "tablet", tabletWords()},
		{givesFirePad, "Fire tablet", []string{" kf@@"}},
		{givesPadSize, "tablet's name", padSizeWords()},
		{givesPhone, "phone", []string{
			"iphone", "ipod", " phone ", "phone os", "iemobile", "windows ce", "symbian", "symbos", "series60", "series40",
			"blackberry", " bb10", "opera mini", "opera mobi", " midp", "up.browser", "j2me", " cldc", " wap", "kaios", " bada",
			" palm", "netfront", " nokia#", " nokia@#", " maui", "obigo", "teleca", "polaris/", "coolpad", "docomo",
			" zunewp", " sonyericsson", " openwave", " dolfin/", " jasmine/", " brew mp", " brew/",
		}},
		{givesHandset, "handset", handsetWords()},
		{givesIPhone, "iPhone", []string{"(iphone", "iphone#", "(ipod"}},
		{givesMobile, "mobile", []string{" mobile"}},
		{givesAndroid, "Android", []string{" android", " adr #"}},
		{givesBrowser, "browser", []string{" mozilla/", " opera/"}},
		{givesKiosk, "appliance engine", []string{"qtwebengine", " wpe "}},
		{givesEmbedded, "embedded Linux", []string{"linux arm", "linux mips", "linux sh4", "linux aarch64"}},
		{givesDesktop, "desktop", []string{"windows nt", "macintosh", " x11", " cros ", "linux x86_64", "linux i686", "(pc; openharmony"}},
	}
}

func televisionWords() []string {
	return []string{
		"tv ", " tv", "smart-tv", "smarttv", "googletv", "appletv", "firetv", "androidtv", "nettv", "leanback", " atv ",
		"large screen", "set-top", " stb", "stb ", "stb####", " bdp", "blu-ray", " wired)", " dvb", " dongle", " projector",
		// Standards, systems and browsers.
		"hbbtv", "hybridcast", "ce-html", "dlnadoc", "netrange", "web0s", "netcast", "vidaa", " tivoos", "titanos", "whaleos",
		" omi/", " vewd", " espial", " galio", " cobalt/", " starboard/", "aquosbrowser", "sonycebrowser", "tclwebkit", "webkit-ce",
		" enigma2", "brightsign",
		// Lines and makers of nothing else.
		" roku", " crkey", "chromecast", "bravia", " viera", " regza", " tivo ", "smartcast", " vizio", "youview", "freebox", " amazon;aft",
		" sagemcom", " humax", " technisat", " infomir", " mag###",
		"playstation", "xbox", "nintendo",
	}
}

// screenWords tell boxes, sticks and sets that run Android.
func screenWords() []string {
	return []string{
		"box ", " box", "mibox", " stick", "led##", "led-%%", " uhd", "uhd ", "|4k ", " shell ", "dvb ", " iptv", " ott ", " streamer",
		" dmp", "tv#-", "tv# ", "tv%%@",
		// Sets named for their inches.
		"|%%@###", "|%%@##@#", " %%@##@", " %%@@@-", " %%@@@_", "|%%@@#", "|%%@@@#", "|%%@@@@#", "|%%@@@@@#",
		" kdl-%%", " kd-%%", " xbr-%%", " th-%%", " tx-%%", " lc-%%", " oled%%",
		// Builds of Android for televisions; apps of boxes.
		"build/ptt", "build/pto", "build/qtt", "build/qtg", "build/qts", "build/rtt", "build/rtm", "build/stt", "build/ttt", "build/utt",
		" tivimate", " kodi/",
		// Chips of sets and boxes.
		"msd3##", "msd6##", "msd8##", " mt55##", " mt58##", " mt96##", " rtd###", "amlogic", "allwinner", " hi37##", " s905", " s912", " s922",
		" rk322", " rk33#8",
		// Lines of sets.
		" polar_", " cvte", " selenga", " tpm1##@", " qm1##@", " ct-8###", " kant-###", " hege-###", " plat-###", " osca-###", " thal-###",
		// Lines of boxes of operators.
		" dv8###", " dv9###", " diw3##", " diw4##", " dctiw###", " uiw4###", " hmb####", " sei###", " zxv10", " b86#", " hg680", " ec6###",
		" vip####", " jhs@###", " swg####",
		// Lines of other boxes.
		" x96", " x88", " tx# ", " tx#s ", " t95", " t96m", " h96", " a95x", " a5x ", " hk1", " mxq", "; km# ", " mx10 ",
		" m8s p", " m8sp", " mk80#", " mk90#",
		" xds#", " xlr####", " vmp-", " neo-@#", " ugoos", " zidoo", " vontar", " beelink", " formuler", " tanix", " mecool", " minix",
		" rombica", " rikomagic", " rkm", " himedia", " zappiti", " dune", " egreat", " magicsee", " sunvell", " tronsmart", " pendoo",
		" wetek", " mygica", " nexon ", " matador", " orbsmart", " kii ", " kiii ", " evpad", " yundoo", " dreamstar",
	}
}

func tabletWords() []string {
	return []string{
		"tablet", " tab ", " tab", "tab ", "tab#", " pad", "pad ", "pad#", " mid#", " mid-", "midc", "pmid", " tpc", "tpc ", "|kids", " slate",
		"android 3.",
		// Lines of Samsung, Lenovo, Huawei and Honor, LG, Sony, Acer, Oppo, Xiaomi and realme.
		" sm-t", " sm-x", " sm-p", " gt-p", " gt-n8", " gt-n51", " sch-i800", " tb-", " tb#", " yt-", " yt#-", " yoga ",
		"-w##|", " ags#", " ags-", " agr-", " bah#", " bah-", " bg2-", " bgo-", " brt-", " btk-", " btv-", " bzk-", " bzt#", " bzt-", " bzw-",
		" cmr-", " cpn-", " dbr-", " dby#", " dby-", " gem-", " got-", " hdl-", " hdn-", " jdn#", " jdn-", " kob#", " kob-", " mrr-", " mrx-",
		" ndl-", " ndl#", " ple-", " scm-", " scmr-", " sht-", " vrd-", " wgr-",
		" lg-v4##", " lg-v5##", " pixel c ", " sgp#", " a1-8", " a3-a", " b1-7", " b1-8", " b3-a", " opd####", " 2####rp", " rmp####",
		// Lines of others.
		" archos 7", " archos 8", " archos 9", " archos 10", " citi ", " droidz", " flexpai", " flyer", " hudl", " i-note", " iconia", " iplay",
		" irbis", " kyros", " lifetab", " m-mp", " m-sp", " mfc###", " momo#", " nabi", " nextbook", " nomi c", " nomi_c", " novo#", " onda",
		" optima ", " pipo", " pixus", " plane ", " pmp####", " pmt####", " rct####", " readboy", " rmd-", " streak", " surfer ", " teclast",
		" chuwi",
		" transformer", " tz##", " ursus", " venue #", " visionbook", " xelio", " supra m", " ypy",
	}
}

// padSizeWords tell tablets that run Android by what a phone's name does not
// say: inches from seven up, at the start of a number, and the kind of modem.
func padSizeWords() []string {
	return []string{
		" 7###@|", "|7###@@ ", " gt-7###", " gt-x###", " tm-7###", " bq-1###", " darwin#", " 80##|", " 90##@|", " 91##@|", "|97##|",
		"|07##|", "|08##|", "|09##|", "|07####|", "|08####|",
		"|3g ", "-3g ", "|3gq ", "_eea ", "_row ",
	}
}

// handsetWords are lines of nothing but phones: their numbers are not inches,
// and an app on them may be called TV.
func handsetWords() []string {
	return []string{
		" sm-a", " sm-c", " sm-e", " sm-f", " sm-g", " sm-j", " sm-m", " sm-n9", " sm-s", " sm-w", " gt-b", " gt-c", " gt-i", " gt-n7", " gt-s",
		" sgh-", " shv-", " lg-d", " lg-e", " lg-f", " lg-h", " lg-k", " lg-m", " lg-p", " lg-x", " lg-ls", " lgl", " lgm",
		" lm-g", " lm-k", " lm-q", " lm-v", " lm-x", " nx###j", " vs9##", " xt####", " moto@#", " rmx####", " cph####", " v1###", " v2###",
		" bv####",
		" psp####", "-al##", "-an##", "-cl##", "-tl##", "-tn##", "-ul##", "-lx#", "-nx#", "-l##|",
		" alcatel one", " asus_ai", " asus_i0", " asus_t0", " asus_x0", " asus_z0", " galaxy nexus", " infinix x", " kyv##",
		" nexus 4", " nexus 5", " nexus 6", " pixel #", " sh-##", " so-##", " sog##", " sov##",
	}
}
