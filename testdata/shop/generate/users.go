package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/facet-gateway/facet/testdata/shop"
)

const (
	userCount  = 50 // made up; one more comes after them
	firstOrder = 3  // o-1 and o-2 are Ada's
)

// users returns u-1 to u-51.
func users(listings []shop.Listing) []shop.User {
	all := make([]shop.User, 0, userCount+1)
	order := firstOrder
	for n := 1; n <= userCount; n++ {
		if n == 7 {
			all = append(all, ada())
			continue
		}
		u := user(n, listings)
		for i := range u.Orders {
			u.Orders[i].ID = fmt.Sprintf("o-%d", order)
			order++
		}
		all = append(all, u)
	}
	return append(all, faithful())
}

func user(n int, listings []shop.Listing) shop.User {
	id := fmt.Sprintf("u-%d", n)
	r := randomOf(id)
	locale := pick(r, locales[:])
	u := shop.User{
		ID:       id,
		Name:     firstNames[(n-1)%len(firstNames)],
		Locale:   locale,
		Postcode: postcode(r, locale),
		Wishlist: []string{},
		Cart:     items(r, listings, r.IntN(5)),
		Orders:   orders(r, listings, r.IntN(6)),
	}
	for _, item := range items(r, listings, r.IntN(13)) {
		u.Wishlist = append(u.Wishlist, item.ProductID)
	}
	return u
}

// postcode is empty for one user in eight: some never told.
func postcode(r *rand.Rand, locale string) string {
	digits := 1000 + r.IntN(8999)
	letters := pick(r, alphabet[:]) + pick(r, alphabet[:])
	if r.IntN(8) == 0 {
		return ""
	}
	switch locale {
	case "de-DE", "sv-SE":
		return fmt.Sprintf("%d%d", digits, r.IntN(10))
	}
	return fmt.Sprintf("%d%s", digits, letters)
}

// items returns n different products.
func items(r *rand.Rand, listings []shop.Listing, n int) []shop.Item {
	list := make([]shop.Item, n)
	for i, at := range r.Perm(len(listings))[:n] {
		list[i] = shop.Item{ProductID: listings[at].Product.ID, Quantity: 1 + r.IntN(3)}
	}
	return list
}

// orders returns n orders, newest first.
func orders(r *rand.Rand, listings []shop.Listing, n int) []shop.Order {
	list := make([]shop.Order, n)
	placed := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	for i := range list {
		placed = placed.Add(-time.Duration(24+r.IntN(2000)) * time.Hour).Add(time.Duration(r.IntN(3600)) * time.Second)
		bought := items(r, listings, 1+r.IntN(3))
		list[i] = shop.Order{PlacedAt: placed, Status: pick(r, statuses[:]), Items: bought, Total: total(listings, bought)}
	}
	return list
}

func total(listings []shop.Listing, bought []shop.Item) shop.Money {
	cents := 0
	for _, item := range bought {
		at := slices.IndexFunc(listings, func(l shop.Listing) bool { return l.Product.ID == item.ProductID })
		cents += int(listings[at].Product.Price.Amount) * item.Quantity
	}
	return euros(cents)
}
