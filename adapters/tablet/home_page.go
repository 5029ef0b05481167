package tablet

import "github.com/facet-gateway/facet/adapters/services"

// homePage is what a tablet opens with: sections, each a grid of two columns.
type homePage struct {
	Name     string    `json:"name,omitempty"` // of who asks
	Sections []section `json:"sections"`
	Cart     *cart     `json:"cart,omitempty"`
}

type section struct {
	ID    string   `json:"id"`
	Title string   `json:"title"`
	Grid  [][]tile `json:"grid"` // rows of tiles
}

// tile is a product among others.
type tile struct {
	ID           string                `json:"id"`
	Name         string                `json:"name"`
	Brand        string                `json:"brand"`
	Price        services.Money        `json:"price"`
	Image        *image                `json:"image,omitempty"`
	Rating       *tileRating           `json:"rating,omitempty"`
	Availability services.Availability `json:"availability"`
}

type tileRating struct {
	Average float64 `json:"average"`
	Count   int     `json:"count"`
}
