package services

// topTen is what the shop recommends when its recommendations are gone: what
// was reviewed most. A test holds it to the shop's data.
var topTen = [...]Card{
	{"p-1216", "Brisa Loch Rear Light", Money{4490, "EUR"}, "/img/p-1216/1"},
	{"p-1191", "Arden Kite Document Wallet", Money{3490, "EUR"}, "/img/p-1191/1"},
	{"p-1243", "Brisa Noord Wood Stove", Money{4990, "EUR"}, "/img/p-1243/1"},
	{"p-1340", "Fenn Slate Border Spade", Money{9990, "EUR"}, "/img/p-1340/1"},
	{"p-1299", "Lumo Quarry Wash Bag", Money{6990, "EUR"}, "/img/p-1299/1"},
	{"p-1183", "Halden Kite Espresso Maker", Money{8490, "EUR"}, "/img/p-1183/1"},
	{"p-1301", "Halden Quarry Bookshelf Speakers", Money{62990, "EUR"}, "/img/p-1301/1"},
	{"p-1138", "Brisa Harbour Earbuds", Money{9490, "EUR"}, "/img/p-1138/1"},
	{"p-1327", "Sundby Slate Hand Grinder", Money{26490, "EUR"}, "/img/p-1327/1"},
	{"p-1148", "Arden Isle Floor Lamp", Money{25490, "EUR"}, "/img/p-1148/1"},
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
