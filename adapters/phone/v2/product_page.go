package v2

import "github.com/facet-gateway/facet/adapters/services"

// productPage is what a phone shows of a product, reviews first, in the order of
// its one column. What is missing is absent; a list that is there and empty is [].
type productPage struct {
	ID           string                `json:"id"`
	Title        string                `json:"title"`
	Brand        string                `json:"brand"`
	Price        services.Money        `json:"price"`
	Availability services.Availability `json:"availability"`
	Rating       *rating               `json:"rating,omitempty"`
	Reviews      []review              `json:"reviews,omitzero"`
	Images       []image               `json:"images"`
	Description  string                `json:"description"`
	Shipping     []delivery            `json:"shipping,omitzero"`
	Bought       bool                  `json:"bought,omitempty"` // by who asks, before
	CartCount    *int                  `json:"cart_count,omitempty"`
	Similar      []card                `json:"similar,omitzero"`
}

type rating struct {
	Average   float64 `json:"average"`
	Count     int     `json:"count"`
	Histogram []int   `json:"histogram"` // how many gave 1 to 5 stars
}

type review struct {
	Author  string `json:"author"`
	Rating  int    `json:"rating"`
	Title   string `json:"title"`
	Body    string `json:"body"`
	Helpful int    `json:"helpful"`
}

type image struct {
	URL string `json:"url"`
	Alt string `json:"alt"`
}

type delivery struct {
	Name    string         `json:"name"`
	Cost    services.Money `json:"cost"`
	Arrives string         `json:"arrives"`
}

type card struct {
	ID    string         `json:"id"`
	Name  string         `json:"name"`
	Price services.Money `json:"price"`
	Image string         `json:"image"`
}
