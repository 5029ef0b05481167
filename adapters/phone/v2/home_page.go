package v2

import "github.com/facet-gateway/facet/adapters/services"

// homePage is what a phone opens with: one grid to scroll down, two tiles wide.
type homePage struct {
	Grid      [][]tile `json:"grid"` // rows of tiles
	CartCount *int     `json:"cart_count,omitempty"`
}

// tile is a product among others.
type tile struct {
	ID     string         `json:"id"`
	Name   string         `json:"name"`
	Price  services.Money `json:"price"`
	Image  string         `json:"image,omitempty"`
	Rating *float64       `json:"rating,omitempty"` // the average, 1 to 5; 0: nobody has said
	Why    string         `json:"why"`              // it is shown: "Because you looked at tents"
}
