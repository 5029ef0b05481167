package phone

import (
	"time"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/devices"
)

// productPage is what a phone shows of a product, in the order of its one
// column. What is missing is absent; a list that is there and empty is [].
type productPage struct {
	ID           string                `json:"id"`
	Title        string                `json:"title"`
	Brand        string                `json:"brand"`
	Description  string                `json:"description"`
	Price        services.Money        `json:"price"`
	Availability services.Availability `json:"availability"`
	Images       []image               `json:"images"`
	Offers       []offer               `json:"offers"`
	Rating       *rating               `json:"rating,omitempty"`
	Reviews      []review              `json:"reviews,omitzero"`
	Shipping     []delivery            `json:"shipping,omitzero"`
	Orders       []order               `json:"orders,omitzero"`
	CartCount    *int                  `json:"cart_count,omitempty"`
	Similar      []card                `json:"similar,omitzero"`
}

type image struct {
	URL string `json:"url"`
	Alt string `json:"alt"`
}

type offer struct {
	Seller    string         `json:"seller"`
	Condition string         `json:"condition"`
	Price     services.Money `json:"price"`
}

type rating struct {
	Average float64 `json:"average"`
	Count   int     `json:"count"`
}

type review struct {
	Author string `json:"author"`
	Rating int    `json:"rating"`
	Title  string `json:"title"`
	Body   string `json:"body"`
}

type delivery struct {
	Name    string         `json:"name"`
	Cost    services.Money `json:"cost"`
	Arrives string         `json:"arrives"`
}

type order struct {
	ID       string    `json:"id"`
	PlacedAt time.Time `json:"placed_at"`
	Status   string    `json:"status"`
}

type card struct {
	ID    string         `json:"id"`
	Name  string         `json:"name"`
	Price services.Money `json:"price"`
	Image string         `json:"image"`
}

// view makes the parts of a page that depend on the screen.
type view struct{ *devices.Profile }

func (v view) image(i services.Image) image {
	return image{i.At(v.HeroWidth, v.ImageFormat), i.Alt}
}

func (v view) card(c services.Card) card {
	return card{c.ProductID, c.Name, c.Price, c.ImageAt(v.ThumbWidth, v.ImageFormat)}
}

func newOffer(o services.Offer) offer { return offer{o.Seller, o.Condition, o.Price} }

func newReview(r services.Review) review { return review{r.Author, r.Rating, r.Title, r.Body} }

func newDelivery(o services.Option) delivery { return delivery{o.Name, o.Cost, o.Arrives} }

func newOrder(o services.Order) order { return order{o.ID, o.PlacedAt, o.Status} }
