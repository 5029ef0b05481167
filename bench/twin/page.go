package main

import (
	"strconv"
	"time"
)

// What a phone has room for, as the gateway's profile of a phone says.
const (
	ordersShown   = 2
	reviewsShown  = 2
	similarShown  = 4
	offersShown   = 2
	imagesShown   = 3
	pictureFormat = "webp"
	pictureWidth  = 720
	thumbWidth    = 160
)

// page is what a phone shows of a product: the gateway's phone page, field by field.
type page struct {
	ID           string         `json:"id"`
	Title        string         `json:"title"`
	Brand        string         `json:"brand"`
	Description  string         `json:"description"`
	Price        money          `json:"price"`
	Availability string         `json:"availability"`
	Images       []image        `json:"images"`
	Offers       []offer        `json:"offers"`
	Rating       ratingView     `json:"rating"`
	Reviews      []reviewView   `json:"reviews"`
	Shipping     []deliveryView `json:"shipping"`
	Orders       []orderView    `json:"orders"`
	CartCount    int            `json:"cart_count"`
	Similar      []cardView     `json:"similar"`
}

type ratingView struct {
	Average float64 `json:"average"`
	Count   int     `json:"count"`
}

type reviewView struct {
	Author string `json:"author"`
	Rating int    `json:"rating"`
	Title  string `json:"title"`
	Body   string `json:"body"`
}

type deliveryView struct {
	Name    string `json:"name"`
	Cost    money  `json:"cost"`
	Arrives string `json:"arrives"`
}

type orderView struct {
	ID       string    `json:"id"`
	PlacedAt time.Time `json:"placed_at"`
	Status   string    `json:"status"`
}

type cardView struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Price money  `json:"price"`
	Image string `json:"image"`
}

// answers are those of the seven calls, from which a page is made.
type answers struct {
	product  product
	cart     cart
	orders   orders
	reviews  reviews
	stock    stock
	shipping shipping
	related  recommendations
}

func (a *answers) page() page {
	p := &a.product
	return page{
		ID: p.ID, Title: p.Name, Brand: p.Brand, Description: p.Description, Price: p.Price,
		Availability: a.stock.word(),
		Images:       first(imagesShown, p.Images, newImage),
		Offers:       p.Offers[:min(offersShown, len(p.Offers))],
		Rating:       ratingView{a.reviews.Summary.Average, a.reviews.Summary.Count},
		Reviews:      first(reviewsShown, a.reviews.Reviews, newReview),
		Shipping:     first(len(a.shipping.Options), a.shipping.Options, newDelivery),
		Orders:       first(ordersShown, a.orders.Orders, newOrder),
		CartCount:    a.cart.ItemCount,
		Similar:      first(similarShown, a.related.AlsoViewed, newCard),
	}
}

func (s *stock) word() string {
	switch {
	case s.Available <= 0:
		return "sold_out"
	case s.Low:
		return "low"
	}
	return "in_stock"
}

// first turns the first n elements of a list into what the page shows of them.
func first[T, V any](n int, list []T, view func(*T) V) []V {
	views := make([]V, min(n, len(list)))
	for i := range views {
		views[i] = view(&list[i])
	}
	return views
}

func newImage(i *image) image { return image{picture(i.URL, pictureWidth), i.Alt} }

func newReview(r *review) reviewView { return reviewView{r.Author, r.Rating, r.Title, r.Body} }

func newDelivery(o *option) deliveryView { return deliveryView{o.Name, o.Cost, o.Arrives} }

func newOrder(o *order) orderView { return orderView{o.ID, o.PlacedAt, o.Status} }

func newCard(c *card) cardView {
	return cardView{c.ProductID, c.Name, c.Price, picture(c.Image, thumbWidth)}
}

func picture(address string, width int) string {
	if address == "" {
		return ""
	}
	return address + "?w=" + strconv.Itoa(width) + "&fmt=" + pictureFormat
}
