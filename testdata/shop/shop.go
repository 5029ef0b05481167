// Package shop is the data of an invented shop: 360 products in 18 ranges and
// 51 users with their carts and orders. The data is made by the program in
// generate, which gives the same bytes each time; a test there says so. It
// weighs 300 kB, embedded in whatever imports this package.
package shop

import (
	"bytes"
	_ "embed" // the data is part of the program
	"encoding/json"
	"fmt"
	"time"
)

//go:generate go run ./generate

//go:embed products.json
var productsJSON []byte

//go:embed users.json
var usersJSON []byte

// Money is an amount in minor units (cents) of a currency of ISO 4217.
type Money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

// Product is what the catalog tells about one product.
type Product struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	Brand       string            `json:"brand"`
	Description string            `json:"description"`
	Price       Money             `json:"price"`
	WeightGrams int               `json:"weight_grams"`
	Categories  []string          `json:"categories"` // from the widest to the narrowest
	Attributes  map[string]string `json:"attributes"`
	Offers      []Offer           `json:"offers"` // other ways to buy it
	Images      []Image           `json:"images"`
}

// Offer is another way to buy a product.
type Offer struct {
	Seller    string `json:"seller"`
	Condition string `json:"condition"`
	Price     Money  `json:"price"`
}

// Image is a picture of a product; its address is a path on the image service.
type Image struct {
	URL string `json:"url"`
	Alt string `json:"alt"`
}

// Listing is a product with what the other services know about it.
type Listing struct {
	Product   Product  `json:"product"`
	Available int      `json:"available"`         // pieces in stock
	Histogram [5]int   `json:"histogram"`         // how many reviews gave 1 to 5 stars
	Reviews   []Review `json:"reviews,omitempty"` // reviews whose words are fixed; others are made up from a seed
}

// Review is one customer's opinion of a product.
type Review struct {
	ID        string    `json:"id"`
	Author    string    `json:"author"`
	Rating    int       `json:"rating"` // 1 to 5
	Title     string    `json:"title"`
	Body      string    `json:"body"`
	CreatedAt time.Time `json:"created_at"`
	Helpful   int       `json:"helpful"` // how many readers said so
}

// Item is a number of pieces of one product.
type Item struct {
	ProductID string `json:"product_id"`
	Quantity  int    `json:"quantity"`
}

// Order is something a user has bought.
type Order struct {
	ID       string    `json:"id"`
	PlacedAt time.Time `json:"placed_at"`
	Status   string    `json:"status"`
	Items    []Item    `json:"items"`
	Total    Money     `json:"total"`
}

// User is a customer, with what lies in the cart and the orders, newest first.
type User struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Locale   string   `json:"locale"`
	Postcode string   `json:"postcode"` // empty: not known
	Wishlist []string `json:"wishlist"`
	Cart     []Item   `json:"cart"`
	Orders   []Order  `json:"orders"`
}

// Data is the whole shop, products and users each in the order of their ids.
type Data struct {
	Products []Listing
	Users    []User
}

// Load returns a fresh copy of the shop; it takes some milliseconds. It fails
// only if the embedded files do not hold what the types above say.
func Load() (Data, error) {
	var d Data
	if err := decode(productsJSON, &d.Products); err != nil {
		return Data{}, fmt.Errorf("shop: products.json: %w", err)
	}
	if err := decode(usersJSON, &d.Users); err != nil {
		return Data{}, fmt.Errorf("shop: users.json: %w", err)
	}
	return d, nil
}

// Files returns copies of the two files by name, for who wants the bytes.
func Files() map[string][]byte {
	return map[string][]byte{
		"products.json": bytes.Clone(productsJSON),
		"users.json":    bytes.Clone(usersJSON),
	}
}

func decode(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}
