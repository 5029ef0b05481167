package tablet

import (
	"time"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/devices"
)

// productPage is what a tablet shows of a product: two columns, and grids below
// them. What is missing is absent; a list that is there and empty is [].
type productPage struct {
	ID         string   `json:"id"`
	Title      string   `json:"title"`
	Brand      string   `json:"brand"`
	Left       left     `json:"left"`
	Right      right    `json:"right"`
	AlsoBought [][]card `json:"also_bought,omitzero"` // rows of cards
	AlsoViewed [][]card `json:"also_viewed,omitzero"` // rows of cards
}

// left is what the product is.
type left struct {
	Images      []image           `json:"images"`
	Description string            `json:"description"`
	Attributes  map[string]string `json:"attributes,omitempty"`
	Rating      *rating           `json:"rating,omitempty"`
	Reviews     []review          `json:"reviews,omitzero"`
}

// right is how to get it.
type right struct {
	Price        services.Money        `json:"price"`
	Availability services.Availability `json:"availability"`
	RestockAt    *time.Time            `json:"restock_at,omitempty"`
	Offers       []offer               `json:"offers"`
	Shipping     []delivery            `json:"shipping,omitzero"`
	Orders       []order               `json:"orders,omitzero"`
	Cart         *cart                 `json:"cart,omitempty"`
}

type image struct {
	URL string `json:"url"`
	Alt string `json:"alt"`
}

type rating struct {
	Average   float64 `json:"average"`
	Count     int     `json:"count"`
	Histogram []int   `json:"histogram"`
}

type review struct {
	Author    string    `json:"author"`
	Rating    int       `json:"rating"`
	Title     string    `json:"title"`
	Body      string    `json:"body"`
	CreatedAt time.Time `json:"created_at"`
}

type offer struct {
	Seller    string         `json:"seller"`
	Condition string         `json:"condition"`
	Price     services.Money `json:"price"`
}

type delivery struct {
	Carrier string         `json:"carrier"`
	Name    string         `json:"name"`
	Cost    services.Money `json:"cost"`
	OrderBy time.Time      `json:"order_by"`
	Arrives string         `json:"arrives"`
}

type order struct {
	ID       string         `json:"id"`
	PlacedAt time.Time      `json:"placed_at"`
	Status   string         `json:"status"`
	Total    services.Money `json:"total"`
}

type cart struct {
	Count    int            `json:"count"`
	Subtotal services.Money `json:"subtotal"`
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

func newReview(r services.Review) review {
	return review{r.Author, r.Rating, r.Title, r.Body, r.CreatedAt}
}

func newOffer(o services.Offer) offer { return offer{o.Seller, o.Condition, o.Price} }

func newDelivery(o services.Option) delivery {
	return delivery{o.Carrier, o.Name, o.Cost, o.OrderBy, o.Arrives}
}

func newOrder(o services.Order) order { return order{o.ID, o.PlacedAt, o.Status, o.Total} }
