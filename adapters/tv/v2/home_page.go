package v2

import (
	"strings"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/devices"
)

// homePage is what a television opens with: one product as large as the screen,
// and below it short rows of posters. An app that was made for version 1 shows it
// without the billboard.
type homePage struct {
	Greeting  string     `json:"greeting,omitempty"`
	Focus     string     `json:"focus,omitempty"` // the product that the remote control starts on
	Billboard *billboard `json:"billboard,omitempty"`
	Rows      []shelf    `json:"rows"`
	CartCount *int       `json:"cart_count,omitempty"`
}

// billboard is the one product that fills the screen.
type billboard struct {
	ID      string         `json:"id"`
	Title   string         `json:"title"`
	Brand   string         `json:"brand"`
	Tagline string         `json:"tagline,omitempty"`
	Image   string         `json:"image,omitempty"`
	Price   services.Money `json:"price"`
	Stars   float64        `json:"stars,omitempty"` // as of a poster
	SoldOut bool           `json:"sold_out,omitempty"`
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

// view makes the parts of a page that depend on the screen.
type view struct{ *devices.Profile }

// image is the address of a product's first picture, "" if it has none.
func (v view) image(p services.Product, width int) string {
	if len(p.Images) == 0 {
		return ""
	}
	return p.Images[0].At(width, v.ImageFormat)
}

// stars rounds to what can be seen from a sofa: half a star.
func stars(s services.Summary) float64 {
	const halves = 2
	return float64(int(s.Average*halves+1.0/halves)) / halves
}

// firstSentence returns a text up to the first full stop that a space follows.
func firstSentence(text string) string {
	first, _, more := strings.Cut(text, ". ")
	if more {
		first += "."
	}
	return first
}
