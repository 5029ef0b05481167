package tv

import "github.com/facet-gateway/facet/adapters/services"

// homePage is what a television opens with: long rows of posters.
type homePage struct {
	Greeting  string  `json:"greeting,omitempty"`
	Focus     string  `json:"focus,omitempty"` // the product that the remote control starts on
	Rows      []shelf `json:"rows"`
	CartCount *int    `json:"cart_count,omitempty"`
}

type shelf struct {
	Title   string   `json:"title"`
	Posters []poster `json:"posters"`
}

// poster is a product among others.
type poster struct {
	ID      string         `json:"id"`
	Title   string         `json:"title"`
	Brand   string         `json:"brand"`
	Image   string         `json:"image,omitempty"`
	Price   services.Money `json:"price"`
	Stars   float64        `json:"stars,omitempty"` // 0.5 to 5, in halves; absent: nobody has said
	SoldOut bool           `json:"sold_out,omitempty"`
}
