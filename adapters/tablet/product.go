package tablet

import (
	"slices"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/stream"
)

type productQuery struct {
	ID       string `query:"productid" check:"id,required"`
	Postcode string `query:"postcode" check:"postcode"`
}

// ordersShown is how many earlier orders of the product a tablet has room for.
const ordersShown = 5

// productDetails is all seven services at once, but shipping, which needs the
// weight that the catalog knows.
func (p pages) productDetails(r *adapter.Request, q productQuery) stream.Assembly[productPage] {
	s, screen := p.services, view{r.Device}
	product := s.Catalog.Product(q.ID)
	shipping := stream.Then(product, func(found services.Product) stream.Stream[[]services.Option] {
		return s.Shipping.Options(found.ID, found.WeightGrams, q.Postcode)
	})
	return stream.Assemble(
		stream.Required("catalog", product, screen.setProduct),
		stream.Optional("cart", s.Cart.Of(r.User), setCart),
		stream.Optional("orders", s.Orders.ForProduct(r.User, q.ID, ordersShown), setOrders),
		stream.Optional("reviews", s.Reviews.Top(q.ID, r.Device.Reviews), screen.setReviews),
		stream.Optional("inventory", s.Inventory.Stock(q.ID), setStock),
		stream.Optional("shipping", shipping, setShipping),
		stream.Optional("recommendations", s.Recommendations.For(q.ID, r.User, r.Device.Recommendations), screen.setGrids),
	)
}

func (v view) setProduct(page *productPage, p services.Product) {
	page.ID, page.Title, page.Brand = p.ID, p.Name, p.Brand
	page.Left.Images = services.Take(v.Images, p.Images, v.image)
	page.Left.Description, page.Left.Attributes = p.Description, p.Attributes
	page.Right.Price = p.Price
	page.Right.Availability = services.Unknown // until the inventory says more
	page.Right.Offers = services.Take(v.Offers, p.Offers, newOffer)
}

func setCart(page *productPage, c services.Cart) {
	page.Right.Cart = &cart{c.ItemCount, c.Subtotal}
}

func setOrders(page *productPage, orders []services.Order) {
	page.Right.Orders = services.Take(ordersShown, orders, newOrder)
}

func (v view) setReviews(page *productPage, top services.TopReviews) {
	page.Left.Rating = &rating{top.Summary.Average, top.Summary.Count, top.Summary.Histogram}
	page.Left.Reviews = services.Take(v.Reviews, top.Reviews, newReview)
}

func setStock(page *productPage, s services.Stock) {
	page.Right.Availability, page.Right.RestockAt = s.Availability(), s.RestockAt
}

func setShipping(page *productPage, options []services.Option) {
	page.Right.Shipping = services.Take(len(options), options, newDelivery)
}

func (v view) setGrids(page *productPage, related services.Related) {
	page.AlsoBought = v.grid(related.AlsoBought)
	page.AlsoViewed = v.grid(related.AlsoViewed)
}

// grid lays cards out in rows as long as the screen has columns.
func (v view) grid(cards []services.Card) [][]card {
	shown := services.Take(v.Recommendations, cards, v.card)
	return slices.AppendSeq([][]card{}, slices.Chunk(shown, max(v.Columns, 1)))
}
