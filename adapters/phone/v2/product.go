package v2

import (
	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

type productQuery struct {
	ID       string `query:"productid" check:"id,required"`
	Postcode string `query:"postcode" check:"postcode"`
}

const (
	ordersShown = 2
	// quotes is how many more reviews than usual this page has room for.
	quotes = 3
)

// productDetails is all seven services at once, but shipping, which needs the
// weight that the catalog knows.
func (p pages) productDetails(r *adapter.Request, q productQuery) stream.Assembly[productPage] {
	s, screen := p.services, view{r.Device}
	product := s.Catalog.Product(q.ID)
	shipping := stream.Then(product, func(found services.Product) stream.Stream[[]services.Option] {
		return s.Shipping.Options(found.ID, found.WeightGrams, q.Postcode)
	})
	return stream.Assemble(
		stream.Optional("reviews", s.Reviews.Top(q.ID, r.Device.Reviews+quotes), screen.setReviews),
		stream.Required("catalog", product, screen.setProduct),
		stream.Optional("inventory", s.Inventory.Stock(q.ID), setStock),
		stream.Optional("shipping", shipping, setShipping),
		stream.Optional("cart", s.Cart.Of(r.User), setCart),
		stream.Optional("orders", s.Orders.ForProduct(r.User, q.ID, ordersShown), setOrders),
		stream.Optional("recommendations", s.Recommendations.For(q.ID, r.User, r.Device.Recommendations), screen.setSimilar),
	)
}

// view makes the parts of a page that depend on the screen.
type view struct{ *devices.Profile }

func (v view) setReviews(page *productPage, top services.TopReviews) {
	page.Rating = &rating{top.Summary.Average, top.Summary.Count, top.Summary.Histogram}
	page.Reviews = services.Take(v.Reviews+quotes, top.Reviews, newReview)
}

func (v view) setProduct(page *productPage, p services.Product) {
	page.ID, page.Title, page.Brand, page.Description, page.Price = p.ID, p.Name, p.Brand, p.Description, p.Price
	page.Availability = services.Unknown // until the inventory says more
	page.Images = services.Take(v.Images, p.Images, func(i services.Image) image { return image{i.At(v.HeroWidth, v.ImageFormat), i.Alt} })
}

func setStock(page *productPage, s services.Stock) { page.Availability = s.Availability() }

func setShipping(page *productPage, options []services.Option) {
	page.Shipping = services.Take(len(options), options, func(o services.Option) delivery { return delivery{o.Name, o.Cost, o.Arrives} })
}

func setCart(page *productPage, c services.Cart) { page.CartCount = &c.ItemCount }

// setOrders only says whether the user has bought this before.
func setOrders(page *productPage, orders []services.Order) {
	page.Bought = len(orders) > 0
}

func (v view) setSimilar(page *productPage, related services.Related) {
	page.Similar = services.Take(v.Recommendations, related.AlsoViewed, func(c services.Card) card {
		return card{c.ProductID, c.Name, c.Price, c.ImageAt(v.ThumbWidth, v.ImageFormat)}
	})
}

func newReview(r services.Review) review {
	return review{r.Author, r.Rating, r.Title, r.Body, r.Helpful}
}
