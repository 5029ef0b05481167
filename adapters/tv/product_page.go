package tv

import (
	"strings"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/devices"
)

// productPage is what a television shows of a product. What is missing is
// absent; a list that is there and empty is [].
type productPage struct {
	ID           string                `json:"id"`
	Title        string                `json:"title"`
	Brand        string                `json:"brand"`
	Tagline      string                `json:"tagline,omitempty"`
	Hero         string                `json:"hero,omitempty"`
	Gallery      []string              `json:"gallery,omitempty"`
	Price        services.Money        `json:"price"`
	Availability services.Availability `json:"availability"`
	Offers       []offer               `json:"offers"`
	Delivery     *delivery             `json:"delivery,omitempty"`
	Rating       *rating               `json:"rating,omitempty"`
	Quotes       []quote               `json:"quotes,omitzero"`
	CartCount    *int                  `json:"cart_count,omitempty"`
	Shelf        []card                `json:"shelf,omitzero"` // what others looked at
}

type offer struct {
	Condition string         `json:"condition"`
	Price     services.Money `json:"price"`
}

type delivery struct {
	Cost    services.Money `json:"cost"`
	Arrives string         `json:"arrives"`
}

type rating struct {
	Average float64 `json:"average"`
	Count   int     `json:"count"`
}

type quote struct {
	Author string `json:"author"`
	Rating int    `json:"rating"`
	Title  string `json:"title"`
}

type card struct {
	ID    string         `json:"id"`
	Name  string         `json:"name"`
	Price services.Money `json:"price"`
	Image string         `json:"image"`
}

// view makes the parts of a page that depend on the screen.
type view struct{ *devices.Profile }

func (v view) thumb(i services.Image) string { return i.At(v.ThumbWidth, v.ImageFormat) }

func (v view) card(c services.Card) card {
	return card{c.ProductID, c.Name, c.Price, c.ImageAt(v.ThumbWidth, v.ImageFormat)}
}

func newOffer(o services.Offer) offer { return offer{o.Condition, o.Price} }

func newQuote(r services.Review) quote { return quote{r.Author, r.Rating, r.Title} }

// firstSentence returns a text up to the first full stop that a space follows.
func firstSentence(text string) string {
	first, _, more := strings.Cut(text, ". ")
	if more {
		first += "."
	}
	return first
}
