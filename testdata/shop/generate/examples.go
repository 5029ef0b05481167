package main

import (
	"time"

	"github.com/facet-gateway/facet/testdata/shop"
)

// trailTent is the product that documents and tests show.
func trailTent() shop.Listing {
	return shop.Listing{
		Product: shop.Product{
			ID: trailID, Name: "Arden 2-Person Trail Tent", Brand: "Arden",
			Description: "Free-standing, 1.9 kg and up in four minutes, also in the dark and in the rain. Two doors and two porches " +
				"keep wet boots out of the way of dry socks. The fly reaches the ground on the windward side and rolls up to the ridge " +
				"on a warm night. Poles are colour coded and shock corded, seams are taped, and the floor holds a 5,000 mm column of " +
				"water. A repair sleeve and eight pegs are in the bag.",
			Price: euros(24900), WeightGrams: 1900,
			Categories: []string{"outdoor", "tents"},
			Attributes: map[string]string{"colour": "moss", "season": "3"},
			Offers:     []shop.Offer{{Seller: "Arden Outlet", Condition: "used", Price: euros(17900)}},
			Images:     images(trailID, 2),
		},
		Available: 3,
		Histogram: [5]int{4, 7, 21, 74, 112},
		Reviews: []shop.Review{{
			ID: "r-1", Author: "Mina", Rating: 5, Title: "Dry in a storm",
			Body:      "Two nights of rain on the ridge and not a drop inside.",
			CreatedAt: time.Date(2026, 5, 1, 8, 0, 0, 0, time.UTC), Helpful: 12,
		}},
	}
}

// mug lies in the cart of u-7.
func mug() shop.Listing {
	return shop.Listing{
		Product: shop.Product{
			ID: mugID, Name: "Arden Titanium Mug", Brand: "Arden",
			Description: "Holds 450 ml and half a day's worth of scratches. The handles fold flat, the rim stays cool enough to " +
				"drink from, and a gas cartridge of 100 g fits inside for the walk. Marks inside the wall measure every 100 ml.",
			Price: euros(2990), WeightGrams: 85,
			Categories: []string{"kitchen", "cookware"},
			Attributes: map[string]string{"colour": "slate", "hob": "gas"},
			Offers:     []shop.Offer{},
			Images:     images(mugID, 2),
		},
		Available: 41,
		Histogram: [5]int{1, 2, 6, 21, 60},
	}
}

// ada is u-7, the user of every example.
func ada() shop.User {
	return shop.User{
		ID: "u-7", Name: "Ada", Locale: "en-GB", Postcode: "1011AB",
		Wishlist: []string{trailID, mugID, "p-1007", "p-1060", "p-1114", "p-1203"},
		Cart:     []shop.Item{{ProductID: mugID, Quantity: 2}},
		Orders: []shop.Order{
			{ID: "o-1", PlacedAt: time.Date(2026, 3, 2, 10, 11, 12, 0, time.UTC), Status: "delivered",
				Items: []shop.Item{{ProductID: trailID, Quantity: 1}}, Total: euros(24900)},
			{ID: "o-2", PlacedAt: time.Date(2025, 11, 14, 19, 40, 3, 0, time.UTC), Status: "delivered",
				Items: []shop.Item{{ProductID: mugID, Quantity: 1}}, Total: euros(2990)},
		},
	}
}

// faithful is u-51, who still wishes for what the shop has ceased to sell.
func faithful() shop.User {
	return shop.User{
		ID: "u-51", Name: "Wim", Locale: "nl-NL", Postcode: "3511AB",
		Wishlist: []string{"p-0999", trailID, mugID},
		Cart:     []shop.Item{}, Orders: []shop.Order{},
	}
}
