package phone

import "github.com/facet-gateway/facet/adapters/services"

// homePage is what a phone opens with: short rows, one above the other.
type homePage struct {
	Rows      []shelf `json:"rows"`
	CartCount *int    `json:"cart_count,omitempty"`
}

type shelf struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Products []tile `json:"products"`
}

// tile is a product among others.
type tile struct {
	ID           string                `json:"id"`
	Name         string                `json:"name"`
	Price        services.Money        `json:"price"`
	Image        string                `json:"image,omitempty"`
	Rating       *float64              `json:"rating,omitempty"` // the average, 1 to 5; 0: nobody has said
	Availability services.Availability `json:"availability"`
}
