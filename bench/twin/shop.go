package main

import "time"

// The shapes of the shop's services, as this program reads them.

type money struct {
	Amount   int64  `json:"amount"`
	Currency string `json:"currency"`
}

type product struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	Brand       string            `json:"brand"`
	Description string            `json:"description"`
	Price       money             `json:"price"`
	WeightGrams int               `json:"weight_grams"`
	Categories  []string          `json:"categories"`
	Attributes  map[string]string `json:"attributes"`
	Offers      []offer           `json:"offers"`
	Images      []image           `json:"images"`
}

type offer struct {
	Seller    string `json:"seller"`
	Condition string `json:"condition"`
	Price     money  `json:"price"`
}

type image struct {
	URL string `json:"url"`
	Alt string `json:"alt"`
}

type item struct {
	ProductID string `json:"product_id"`
	Quantity  int    `json:"quantity"`
}

type cart struct {
	User      string `json:"user"`
	Items     []item `json:"items"`
	ItemCount int    `json:"item_count"`
	Subtotal  money  `json:"subtotal"`
}

type orders struct {
	Orders []order `json:"orders"`
}

type order struct {
	ID       string    `json:"id"`
	PlacedAt time.Time `json:"placed_at"`
	Status   string    `json:"status"`
	Items    []item    `json:"items"`
	Total    money     `json:"total"`
}

type reviews struct {
	Summary summary  `json:"summary"`
	Reviews []review `json:"reviews"`
}

type summary struct {
	ProductID string  `json:"product_id"`
	Average   float64 `json:"average"`
	Count     int     `json:"count"`
	Histogram []int   `json:"histogram"`
}

type review struct {
	ID        string    `json:"id"`
	Author    string    `json:"author"`
	Rating    int       `json:"rating"`
	Title     string    `json:"title"`
	Body      string    `json:"body"`
	CreatedAt time.Time `json:"created_at"`
	Helpful   int       `json:"helpful"`
}

type stock struct {
	ProductID string     `json:"product_id"`
	Available int        `json:"available"`
	Low       bool       `json:"low"`
	RestockAt *time.Time `json:"restock_at"`
}

type shipping struct {
	Options []option `json:"options"`
}

type option struct {
	ID      string    `json:"id"`
	Carrier string    `json:"carrier"`
	Name    string    `json:"name"`
	Cost    money     `json:"cost"`
	OrderBy time.Time `json:"order_by"`
	Arrives string    `json:"arrives"` // a day
}

type recommendations struct {
	BoughtTogether []card `json:"bought_together"`
	AlsoBought     []card `json:"also_bought"`
	AlsoViewed     []card `json:"also_viewed"`
}

type card struct {
	ProductID string `json:"product_id"`
	Name      string `json:"name"`
	Price     money  `json:"price"`
	Image     string `json:"image"`
}
