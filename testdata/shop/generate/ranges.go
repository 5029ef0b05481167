package main

// productRange is a kind of product and the words to describe it with.
type productRange struct {
	department string
	category   string
	nouns      [4]string
	cents      [2]int // cheapest and dearest
	grams      [2]int // lightest and heaviest
	attribute  string // a second attribute, beside the colour
	values     [3]string
	opening    string // what it is, in one sentence
	details    [4]string
}

// ranges are the shop's kinds of products. Product n belongs to range
// (n-1001) modulo their number, which makes p-1042 a tent.
var ranges = [...]productRange{
	{"kitchen", "knives", [4]string{"Chef's Knife", "Santoku", "Bread Knife", "Paring Set"}, [2]int{2900, 18900}, [2]int{120, 900},
		"steel", [3]string{"X50", "VG-10", "14C28N"}, "A blade that takes an edge and keeps it through a week of cooking.",
		[4]string{"The handle is oiled walnut and sits full in the hand.", "Ground thin behind the edge, it falls through onions.",
			"Wash it by hand and dry it at once.", "A plain card sleeve guards the edge in the drawer."}},
	{"kitchen", "cookware", [4]string{"Saucepan", "Cast Iron Skillet", "Stock Pot", "Sauté Pan"}, [2]int{2400, 21900}, [2]int{900, 5200},
		"hob", [3]string{"induction", "gas", "all"}, "Even heat from the rim to the middle, on every kind of hob.",
		[4]string{"The riveted handle stays cool for half an hour.", "The lid closes with a soft, heavy sound.",
			"It moves from the hob to an oven of 260 degrees.", "Marks inside the wall measure half litres."}},
	{"kitchen", "coffee", [4]string{"Hand Grinder", "Pour-Over Set", "Espresso Maker", "Gooseneck Kettle"},
		[2]int{1900, 34900}, [2]int{300, 4100},
		"cups", [3]string{"1", "2", "6"}, "Made for the first quiet ten minutes of the day.",
		[4]string{"Every part comes apart without tools for cleaning.", "The scale is etched, so it cannot wear off.",
			"Spare seals are in the box.", "It pours slowly when you do, and stops without a drip."}},
	{"home", "lamps", [4]string{"Desk Lamp", "Floor Lamp", "Pendant", "Bedside Lamp"}, [2]int{2900, 29900}, [2]int{600, 6400},
		"light", [3]string{"2700 K", "3000 K", "4000 K"}, "Warm light where you read, and none of it in your eyes.",
		[4]string{"The dimmer remembers the last evening's setting.", "The arm holds where you leave it.",
			"The lamp inside can be replaced.", "Two metres of woven cable reach the far socket."}},
	{"home", "bedding", [4]string{"Duvet Cover", "Wool Blanket", "Pillow Pair", "Fitted Sheet"}, [2]int{2400, 19900}, [2]int{500, 3200},
		"size", [3]string{"140x200", "200x200", "240x220"}, "Washed before it is sewn, so it is soft from the first night.",
		[4]string{"The cotton is grown and woven within one country.", "Flat seams leave no mark on a cheek.",
			"It dries on a line in one afternoon.", "Buttons are of corozo nut and sewn on twice."}},
	{"outdoor", "tents", [4]string{"2-Person Trail Tent", "Tunnel Tent", "Solo Tent", "Family Dome"},
		[2]int{14900, 79900}, [2]int{1100, 9800},
		"season", [3]string{"2", "3", "4"}, "Up in four minutes, also in the dark and in the rain.",
		[4]string{"The fly reaches the ground on the windward side.", "Poles are colour coded and shock corded.",
			"Two doors and two porches keep wet boots out.", "Seams are taped, the floor holds a 5,000 mm column."}},
	{"outdoor", "packs", [4]string{"Day Pack", "Trekking Pack", "Roll-Top Pack", "Hip Pack"}, [2]int{3900, 28900}, [2]int{250, 2400},
		"litres", [3]string{"18", "32", "55"}, "Carries close to the back and does not swing on a ridge.",
		[4]string{"The belt takes the weight off the shoulders.", "A side zip opens the main room when the lid is buried.",
			"The rain cover lives in its own pocket.", "Straps end in loops that gloves can find."}},
	{"outdoor", "sleeping-bags", [4]string{"Down Bag", "Summer Quilt", "Synthetic Bag", "Bag Liner"},
		[2]int{2900, 45900}, [2]int{300, 1900},
		"comfort", [3]string{"10 C", "2 C", "-6 C"}, "Warm at the temperature it says, tested and not guessed.",
		[4]string{"The zip runs both ways and does not bite the cloth.", "The hood closes round the face with one hand.",
			"It packs to the size of a loaf of bread.", "A drawstring collar keeps the warm air down."}},
	{"outdoor", "stoves", [4]string{"Gas Stove", "Alcohol Burner", "Stove System", "Wood Stove"}, [2]int{1900, 16900}, [2]int{70, 900},
		"fuel", [3]string{"gas", "alcohol", "wood"}, "Half a litre boils in under four minutes with a lid on.",
		[4]string{"The valve is fine enough to simmer rice.", "Three legs stand firm on stones.",
			"It fits inside its own pot for the walk.", "The wind guard clips on without a spanner."}},
	{"travel", "cases", [4]string{"Cabin Case", "Check-In Case", "Garment Bag", "Weekender"}, [2]int{5900, 39900}, [2]int{1200, 5200},
		"litres", [3]string{"34", "62", "90"}, "Rolls straight over cobbles and fits the smaller overhead bins.",
		[4]string{"The shell bends and comes back.", "Wheels can be changed with one screw.",
			"Inside, a divider keeps shirts apart from shoes.", "The handle has four heights and no rattle."}},
	{"travel", "organisers", [4]string{"Packing Cubes", "Wash Bag", "Cable Roll", "Document Wallet"}, [2]int{1200, 7900}, [2]int{60, 600},
		"pieces", [3]string{"1", "3", "5"}, "A place for each small thing, found without unpacking the large ones.",
		[4]string{"Mesh on one side shows what is inside.", "The hook folds flat when it is not needed.",
			"The cloth is made of old fishing nets.", "It wipes clean with a damp cloth."}},
	{"audio", "headphones", [4]string{"Over-Ear Headphones", "Earbuds", "Studio Headphones", "Open Headphones"},
		[2]int{3900, 44900}, [2]int{50, 420},
		"connection", [3]string{"Bluetooth", "wired", "both"}, "Quiet when you want it, and honest about what was recorded.",
		[4]string{"Pads and cable can be replaced at home.", "Thirty hours pass between two charges.",
			"It folds into a case that fits a coat pocket.", "Two devices can be connected at once."}},
	{"audio", "speakers", [4]string{"Bookshelf Speakers", "Portable Speaker", "Soundbar", "Kitchen Radio"},
		[2]int{4900, 69900}, [2]int{400, 9800},
		"power", [3]string{"12 W", "40 W", "90 W"}, "Fills a room at a level where people still talk.",
		[4]string{"The cabinet is damped and does not sing along.", "A knob does what knobs do, also with wet hands.",
			"It wakes in a second when music arrives.", "The front cloth comes off for cleaning."}},
	{"fitness", "weights", [4]string{"Kettlebell", "Dumbbell Pair", "Adjustable Dumbbell", "Sand Bag"},
		[2]int{1900, 32900}, [2]int{4000, 28000},
		"load", [3]string{"4 kg", "8 kg", "16 kg"}, "Weighs what is written on it, to within one part in a hundred.",
		[4]string{"The grip is dull and holds chalk.", "The base is flat and does not roll away.",
			"The coat is kind to wooden floors.", "It stacks with its brothers in a corner."}},
	{"fitness", "mats", [4]string{"Yoga Mat", "Travel Mat", "Exercise Mat", "Balance Pad"}, [2]int{1900, 9900}, [2]int{400, 2900},
		"thickness", [3]string{"3 mm", "5 mm", "10 mm"}, "Grips the floor below and the hands above, also when both are damp.",
		[4]string{"Natural rubber, with its own smell for a week.", "Lines show where the middle is.",
			"It rolls up and stays rolled.", "Both sides can be used, one smooth and one rough."}},
	{"garden", "tools", [4]string{"Hand Trowel", "Secateurs", "Border Spade", "Pruning Saw"}, [2]int{1400, 12900}, [2]int{150, 2300},
		"handle", [3]string{"ash", "beech", "steel"}, "Made to be sharpened for a lifetime and left to somebody.",
		[4]string{"The neck is forged in one piece with the blade.", "A leather loop hangs it on a nail.",
			"The spring is silent and can be replaced.", "It cuts green wood as thick as a thumb."}},
	{"garden", "planters", [4]string{"Window Box", "Terracotta Pot", "Raised Bed", "Hanging Basket"},
		[2]int{1200, 15900}, [2]int{700, 18000},
		"size", [3]string{"small", "medium", "large"}, "Room for roots, and a way out for the rain.",
		[4]string{"It stands frost down to minus fifteen.", "A false floor keeps a litre of water in reserve.",
			"The colour fades slowly and evenly.", "Feet lift it off the stones."}},
	{"cycling", "lights", [4]string{"Front Light", "Rear Light", "Light Set", "Helmet Light"}, [2]int{1900, 17900}, [2]int{40, 380},
		"lumen", [3]string{"60", "400", "900"}, "Seen from the side as well, and it dazzles nobody.",
		[4]string{"It charges from empty in two hours.", "The rubber mount fits every handlebar.",
			"The button tells how much is left in five steps.", "Rain may fall on it for as long as it likes."}},
}

var brands = [...]string{"Arden", "Norvik", "Halden", "Tamsin", "Brisa", "Lumo", "Kestrel", "Ostro", "Fenn", "Marlow", "Sundby", "Wren"}

var series = [...]string{"Aldo", "Birk", "Cairn", "Dune", "Elm", "Fjord", "Grove", "Harbour", "Isle", "Juniper", "Kite", "Loch",
	"Mesa", "Noord", "Opal", "Pine", "Quarry", "Ridge", "Slate", "Tarn"}

var colours = [...]string{"moss", "slate", "sand", "rust", "ink", "chalk", "pine", "ochre"}

var sellers = [...]string{"Outlet", "Second Round", "Market", "Direct"}

var views = [...]string{"Front", "Packed", "Detail", "In use"}

var firstNames = [...]string{"Sanne", "Jonas", "Mira", "Pieter", "Leila", "Oskar", "Ada", "Tomas", "Ines", "Bram", "Yara", "Niels",
	"Clara",
	"Emre", "Freya", "Hugo", "Noor", "Stefan", "Wanda", "Ravi", "Elin", "Mats", "Lotte", "Karim", "Julia"}

var locales = [...]string{"nl-NL", "en-GB", "de-DE", "sv-SE"}

var statuses = [...]string{"delivered", "delivered", "delivered", "returned", "shipped"}

var alphabet = [...]string{"A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M",
	"N", "O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y", "Z"}
