package simulator

// opinion is the words for a review of one rating.
type opinion struct {
	titles [4]string
	begin  [4]string
	end    [4]string
}

// opinions are those of one star to five.
var opinions = [...]opinion{
	{[4]string{"Sent it back", "Broke in a week", "Not as shown", "Do not bother"},
		[4]string{"It came with a part missing.", "It gave up on the third day.", "The seam opened at once.",
			"Nobody answered my letters."},
		[4]string{"I got my money back after a month.", "I bought another make.", "A pity, as it looks well.", "Never again."}},
	{[4]string{"Expected more", "Too dear for this", "Barely does it", "Disappointed"},
		[4]string{"It works, but only just.", "The finish is rough.", "It is heavier than it says.", "The colour is another one."},
		[4]string{"I keep it as a spare.", "Look at the alternatives.", "For half the price, maybe.", "The box was nice."}},
	{[4]string{"It is all right", "Does its job", "Mixed feelings", "Middle of the road"},
		[4]string{"It does what it must.", "Good idea, plain execution.", "Fine for the odd weekend.", "No better than my old one."},
		[4]string{"The instructions are poor.", "It could be lighter.", "Delivery took long.", "I would try it first."}},
	{[4]string{"Very good", "Nearly perfect", "Good value", "Glad I chose it"},
		[4]string{"Well made and easy to use.", "It has seen a season and looks new.", "My partner wants one too.",
			"Better than the photos."},
		[4]string{"One star off for the packaging.", "A brighter colour would help.", "A fair price.", "I would change nothing else."}},
	{[4]string{"Just right", "Would buy again", "A pleasure", "Best I have had"},
		[4]string{"I still smile when I take it out.", "Sturdy, light and simple.", "It arrived a day early.",
			"You feel that somebody cared."},
		[4]string{"Worth every cent.", "I gave two away as presents.", "It will outlive me.", "No complaint after a year."}},
}

var authors = [...]string{"Mina", "Joost", "Karin", "Idris", "Petra", "Sven", "Amal", "Rosa", "Tijn", "Greta", "Luca", "Hanna",
	"Otto", "Zeynep", "Piet", "Nadia", "Erik", "Lena", "Marco", "Saar"}
