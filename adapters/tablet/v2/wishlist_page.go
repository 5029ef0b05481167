package v2

import (
	"time"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/devices"
)

// wishlistPage is what a user wishes for, in two columns: what can be had now, and
// apart from it what is sold out. An app that was made for version 1 shows it
// without the latter.
type wishlistPage struct {
	Name  string   `json:"name"`
	Grid  [][]tile `json:"grid"`  // rows of tiles
	Later [][]tile `json:"later"` // likewise, of what is sold out
}

// tile is a product among others.
type tile struct {
	ID           string                `json:"id"`
	Name         string                `json:"name"`
	Brand        string                `json:"brand"`
	Price        services.Money        `json:"price"`
	Image        *image                `json:"image,omitempty"`
	Rating       *rating               `json:"rating,omitempty"`
	Availability services.Availability `json:"availability"`
	RestockAt    *time.Time            `json:"restock_at,omitempty"` // absent: not known
}

type image struct {
	URL string `json:"url"`
	Alt string `json:"alt"`
}

type rating struct {
	Average float64 `json:"average"`
	Count   int     `json:"count"`
}

// view makes the parts of a page that depend on the screen.
type view struct{ *devices.Profile }
