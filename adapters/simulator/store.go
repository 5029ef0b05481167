package simulator

import (
	"encoding/json"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"github.com/facet-gateway/facet/testdata/shop"
)

// binding is a service's name and what it answers with.
type binding struct {
	name string
	bind func(*store) answerer
}

// bindings are the nine services, in the order of their names.
var bindings = [...]binding{
	{"auth", bindAuth},
	{"cart", bindCart},
	{"catalog", bindCatalog},
	{"inventory", bindInventory},
	{"orders", bindOrders},
	{"profiles", bindProfiles},
	{"recommendations", bindRecommendations},
	{"reviews", bindReviews},
	{"shipping", bindShipping},
}

// store is the shop's data, indexed and partly encoded. Nothing in it changes
// once it is made, but for the memo and the levels of stock.
type store struct {
	now      func() time.Time
	seed     uint64
	products map[string]*product
	users    map[string]*user
	ranges   []string              // the narrow categories, in the order of their first product
	within   map[string][]*product // by category, wide and narrow
	memo     memo
	levels   levels
}

// product is a listing with what is encoded of it.
type product struct {
	shop.Listing
	at      uint64  // its place in the shop
	catalog *answer // the catalog's whole answer
	summary []byte  // of its reviews
	card    card
}

// user is a customer with the answers that never change.
type user struct {
	shop.User
	cart    *answer
	profile *answer
}

func newStore(data shop.Data, seed uint64, now func() time.Time) (*store, error) {
	s := &store{
		now: now, seed: seed,
		products: make(map[string]*product, len(data.Products)),
		users:    make(map[string]*user, len(data.Users)),
		within:   map[string][]*product{},
	}
	s.memo.answers = map[memoKey]*answer{}
	for i := range data.Products {
		if err := s.addProduct(data.Products[i], uint64(i)); err != nil {
			return nil, err
		}
	}
	for _, u := range data.Users {
		s.users[u.ID] = &user{User: u, cart: encode(s.cartOf(u)), profile: encode(profileOf(u))}
	}
	return s, nil
}

func (s *store) addProduct(l shop.Listing, at uint64) error {
	summary, err := json.Marshal(summarise(l))
	if err != nil {
		return err
	}
	p := &product{Listing: l, at: at, summary: summary, card: cardOf(l.Product)}
	p.catalog = encode(l.Product).keep(catalogAge)
	s.products[l.Product.ID] = p
	narrow := p.narrow()
	if len(s.within[narrow]) == 0 {
		s.ranges = append(s.ranges, narrow)
	}
	for _, category := range l.Product.Categories {
		s.within[category] = append(s.within[category], p)
	}
	return nil
}

func (p *product) wide() string { return p.Product.Categories[0] }

func (p *product) narrow() string { return p.Product.Categories[len(p.Product.Categories)-1] }

// find returns the product of an identifier, or the answer to give instead: 400
// that names the field, or 404.
func (s *store) find(id, field string) (*product, *answer) {
	if !validID(id) {
		return nil, badField(field)
	}
	p, known := s.products[id]
	if !known {
		return nil, nothing
	}
	return p, nil
}

// findUser is find for users.
func (s *store) findUser(id, field string) (*user, *answer) {
	if !validID(id) {
		return nil, badField(field)
	}
	u, known := s.users[id]
	if !known {
		return nil, nothing
	}
	return u, nil
}

// random returns the numbers of one thing: always the same for the same thing.
func (s *store) random(at uint64, about string) *rand.Rand {
	return rand.New(rand.NewPCG(s.seed^hash(about), at))
}

func hash(text string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(text)) // a hash never fails
	return h.Sum64()
}
