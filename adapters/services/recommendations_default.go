package services

// topTen is what the shop recommends when its recommendations are gone: what
// was reviewed most. A test holds it to the shop's data.
var topTen = [...]Card{
	{"p-1002", "Wren Aldo Stock Pot", Money{16990, "EUR"}, "/img/p-1002/1"},
	{"p-1259", "Norvik Opal Hip Pack", Money{23990, "EUR"}, "/img/p-1259/1"},
	{"p-1285", "Fenn Pine Exercise Mat", Money{4990, "EUR"}, "/img/p-1285/1"},
	{"p-1109", "Ostro Grove Paring Set", Money{9490, "EUR"}, "/img/p-1109/1"},
	{"p-1258", "Norvik Opal Tunnel Tent", Money{28490, "EUR"}, "/img/p-1258/1"},
	{"p-1250", "Arden Noord Pruning Saw", Money{12490, "EUR"}, "/img/p-1250/1"},
	{"p-1082", "Tamsin Elm Cabin Case", Money{20490, "EUR"}, "/img/p-1082/1"},
	{"p-1014", "Sundby Aldo Adjustable Dumbbell", Money{3490, "EUR"}, "/img/p-1014/1"},
	{"p-1254", "Brisa Opal Sauté Pan", Money{4490, "EUR"}, "/img/p-1254/1"},
	{"p-1041", "Kestrel Cairn Wool Blanket", Money{12490, "EUR"}, "/img/p-1041/1"},
}

// popularCards stands in for the recommendations of a product. Nothing is said
// to be bought together with it: that would be a claim about the product.
func popularCards(q relatedQuery) Related {
	cards := make([]Card, 0, len(topTen))
	for _, card := range topTen {
		if card.ProductID != q.product && len(cards) < q.limit {
			cards = append(cards, card)
		}
	}
	return Related{AlsoBought: cards, AlsoViewed: cards}
}

// popularRows stands in for the rows of a user, with one.
func popularRows(rowsQuery) []Row {
	ids := Take(len(topTen), topTen[:], func(c Card) string { return c.ProductID })
	return []Row{{ID: "popular", Title: "Popular now", ProductIDs: ids}}
}
