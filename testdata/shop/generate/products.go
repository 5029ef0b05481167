package main

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/facet-gateway/facet/testdata/shop"
)

const (
	firstID  = 1001
	lastID   = 1359
	trailID  = "p-1042" // the product of every example
	mugID    = "p-9"    // its companion
	currency = "EUR"
)

// products returns p-9 and p-1001 to p-1359.
func products() []shop.Listing {
	all := []shop.Listing{mug()}
	for n := firstID; n <= lastID; n++ {
		if id := fmt.Sprintf("p-%d", n); id == trailID {
			all = append(all, trailTent())
		} else {
			all = append(all, listing(n, id))
		}
	}
	return all
}

func listing(n int, id string) shop.Listing {
	// The order of the draws is part of the data: a new one goes to the end.
	r := randomOf(id)
	kind := &ranges[(n-firstID)%len(ranges)]
	turn := (n - firstID) / len(ranges)
	brand := brands[r.IntN(len(brands))]
	noun := kind.nouns[r.IntN(len(kind.nouns))]
	price := between(r, kind.cents)/500*500 + 490
	p := shop.Product{
		ID:          id,
		Name:        brand + " " + series[turn%len(series)] + " " + noun,
		Brand:       brand,
		Price:       euros(price),
		WeightGrams: between(r, kind.grams) / 10 * 10,
		Categories:  []string{kind.department, kind.category},
		Attributes:  map[string]string{"colour": pick(r, colours[:]), kind.attribute: pick(r, kind.values[:])},
		Images:      images(id, 2+r.IntN(3)),
	}
	p.Description = describe(r, kind, p.WeightGrams)
	p.Offers = offers(r, brand, price)
	return shop.Listing{Product: p, Available: available(r), Histogram: histogram(r)}
}

func describe(r *rand.Rand, kind *productRange, grams int) string {
	sentences := []string{kind.opening}
	for _, i := range r.Perm(len(kind.details))[:3] {
		sentences = append(sentences, kind.details[i])
	}
	sentences = append(sentences, fmt.Sprintf("It weighs %d.%02d kg and comes with a guarantee of %d years.",
		grams/1000, grams%1000/10, 2+r.IntN(4)))
	return strings.Join(sentences, " ")
}

func offers(r *rand.Rand, brand string, price int) []shop.Offer {
	list := make([]shop.Offer, 0, 2)
	for i := range r.IntN(3) {
		condition := [...]string{"used", "refurbished"}[i]
		list = append(list, shop.Offer{
			Seller:    brand + " " + pick(r, sellers[:]),
			Condition: condition,
			Price:     euros(price * (60 + r.IntN(25)) / 100),
		})
	}
	return list
}

func images(id string, n int) []shop.Image {
	list := make([]shop.Image, n)
	for i := range list {
		list[i] = shop.Image{URL: fmt.Sprintf("/img/%s/%d", id, i+1), Alt: views[i]}
	}
	return list
}

// available is mostly plenty, at times few, seldom none.
func available(r *rand.Rand) int {
	switch r.IntN(12) {
	case 0:
		return 0
	case 1, 2:
		return 1 + r.IntN(5)
	}
	return 6 + r.IntN(90)
}

// histogram leans to the good end, as reviews do.
func histogram(r *rand.Rand) [5]int {
	count := 5 + r.IntN(400)
	weights := [5]int{2 + r.IntN(6), 2 + r.IntN(8), 8 + r.IntN(12), 20 + r.IntN(25), 30 + r.IntN(40)}
	total := 0
	for _, w := range weights {
		total += w
	}
	var h [5]int
	for i, w := range weights {
		h[i] = count * w / total
	}
	h[4]++ // never empty
	return h
}

// randomOf returns the numbers of one thing: always the same for the same id.
func randomOf(id string) *rand.Rand {
	var seed [32]byte
	copy(seed[:], id)
	return rand.New(rand.NewChaCha8(seed))
}

func euros(cents int) shop.Money { return shop.Money{Amount: int64(cents), Currency: currency} }

func between(r *rand.Rand, bounds [2]int) int { return bounds[0] + r.IntN(bounds[1]-bounds[0]+1) }

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }
