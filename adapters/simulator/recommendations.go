package simulator

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/facet-gateway/facet/testdata/shop"
)

const (
	cardsLimit   = 10 // when none is asked for
	rowsLimit    = 8  // as above
	maxTogether  = 3  // cards, whatever the limit
	maxBought    = 6  // as above
	rowProducts  = 20 // in a row
	userVariants = 7  // how many tastes there are
)

// recommendations is the answer about one product.
type recommendations struct {
	BoughtTogether []card `json:"bought_together"`
	AlsoBought     []card `json:"also_bought"`
	AlsoViewed     []card `json:"also_viewed"`
}

// card is a product in short.
type card struct {
	ProductID string     `json:"product_id"`
	Name      string     `json:"name"`
	Price     shop.Money `json:"price"`
	Image     string     `json:"image"`
}

// rows is the answer for the home page.
type rows struct {
	Rows []row `json:"rows"`
}

type row struct {
	ID         string   `json:"id"`
	Title      string   `json:"title"`
	ProductIDs []string `json:"product_ids"`
}

func bindRecommendations(s *store) answerer {
	return only(http.MethodGet, func(r *http.Request) *answer {
		switch r.URL.Path {
		case "/recommendations":
			return s.recommend(query(r.URL.RawQuery))
		case "/rows":
			return s.rowsFor(query(r.URL.RawQuery))
		}
		return nothing
	})
}

// recommend answers with three lists, each no longer than the limit.
func (s *store) recommend(q query) *answer {
	p, refusal := s.find(q.get("product"), "product")
	if refusal != nil {
		return refusal
	}
	userID := q.get("user")
	if userID != "" && !validID(userID) {
		return badField("user")
	}
	limit, sound := q.limit(cardsLimit)
	if !sound {
		return badField("limit")
	}
	key := memoKey{service: "recommendations", about: p.Product.ID, variant: taste(userID), limit: limit}
	if a := s.memo.get(key); a != nil {
		return a
	}
	return s.memo.put(key, encode(recommendations{
		BoughtTogether: s.cards(p, p.wide(), "together", key.variant, min(limit, maxTogether)),
		AlsoBought:     s.cards(p, p.wide(), "bought", key.variant, min(limit, maxBought)),
		AlsoViewed:     s.cards(p, p.narrow(), "viewed", key.variant, limit),
	}))
}

// taste is what recommendations know about a user: 0 of nobody.
func taste(userID string) int {
	if userID == "" {
		return 0
	}
	return 1 + int(hash(userID)%userVariants)
}

// cards returns up to n other products of a category.
func (s *store) cards(p *product, category, about string, taste, n int) []card {
	list := make([]card, 0, n)
	among := s.within[category]
	for _, i := range s.random(p.at, about+strconv.Itoa(taste)).Perm(len(among)) {
		if other := among[i]; other != p && len(list) < n {
			list = append(list, other.card)
		}
	}
	return list
}

func cardOf(p shop.Product) card {
	return card{ProductID: p.ID, Name: p.Name, Price: p.Price, Image: p.Images[0].URL}
}

// rowsFor answers with rows about what the user wishes for, then popular ones.
func (s *store) rowsFor(q query) *answer {
	userID := q.get("user")
	if userID != "" && !validID(userID) {
		return badField("user")
	}
	limit, sound := q.limit(rowsLimit)
	if !sound {
		return badField("limit")
	}
	u := s.users[userID] // nil: nobody we know
	key := memoKey{service: "rows", limit: limit}
	if u != nil {
		key.about = u.ID
	}
	if a := s.memo.get(key); a != nil {
		return a
	}
	return s.memo.put(key, encode(rows{s.rowsOf(u, limit)}))
}

func (s *store) rowsOf(u *user, limit int) []row {
	wished := s.wishedRanges(u)
	list := make([]row, 0, limit)
	for _, category := range wished {
		list = append(list, s.row(u, "because-"+category, "Because you looked at ", category))
	}
	for _, category := range s.ranges {
		if !slices.Contains(wished, category) {
			list = append(list, s.row(u, "popular-"+category, "Popular in ", category))
		}
	}
	return list[:min(limit, len(list))]
}

// wishedRanges are the ranges of a user's wishes, first wish first.
func (s *store) wishedRanges(u *user) []string {
	var list []string
	if u == nil {
		return list
	}
	for _, id := range u.Wishlist {
		p, known := s.products[id]
		if known && !slices.Contains(list, p.narrow()) {
			list = append(list, p.narrow())
		}
	}
	return list
}

func (s *store) row(u *user, id, title, category string) row {
	one := row{ID: id, Title: title + strings.ReplaceAll(category, "-", " "), ProductIDs: make([]string, 0, rowProducts)}
	among := s.within[category]
	var at uint64
	if u != nil {
		at = hash(u.ID)
	}
	for _, i := range s.random(at, category).Perm(len(among))[:min(rowProducts, len(among))] {
		one.ProductIDs = append(one.ProductIDs, among[i].Product.ID)
	}
	return one
}
