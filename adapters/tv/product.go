package tv

import (
	"cmp"
	"slices"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/stream"
)

type productQuery struct {
	ID       string `query:"productid" check:"id,required"`
	Postcode string `query:"postcode" check:"postcode"`
}

// productDetails is six services at once, but shipping, which needs the weight
// that the catalog knows.
func (p pages) productDetails(r *adapter.Request, q productQuery) stream.Assembly[productPage] {
	s, screen := p.services, view{r.Device}
	product := s.Catalog.Product(q.ID)
	shipping := stream.Then(product, func(found services.Product) stream.Stream[[]services.Option] {
		return s.Shipping.Options(found.ID, found.WeightGrams, q.Postcode)
	})
	return stream.Assemble(
		stream.Required("catalog", product, screen.setProduct),
		stream.Optional("cart", s.Cart.Of(r.User), setCart),
		stream.Optional("reviews", s.Reviews.Top(q.ID, r.Device.Reviews), screen.setReviews),
		stream.Optional("inventory", s.Inventory.Stock(q.ID), setStock),
		stream.Optional("shipping", shipping, setShipping),
		stream.Optional("recommendations", s.Recommendations.For(q.ID, r.User, r.Device.Recommendations), screen.setShelf),
	)
}

// setProduct shows the first image as large as the screen, the others small.
func (v view) setProduct(page *productPage, p services.Product) {
	page.ID, page.Title, page.Brand, page.Price = p.ID, p.Name, p.Brand, p.Price
	page.Tagline = firstSentence(p.Description)
	page.Availability = services.Unknown // until the inventory says more
	page.Offers = services.Take(v.Offers, p.Offers, newOffer)
	if len(p.Images) > 0 {
		page.Hero = p.Images[0].At(v.HeroWidth, v.ImageFormat)
		page.Gallery = services.Take(v.Images-1, p.Images[1:], v.thumb)
	}
}

func setCart(page *productPage, c services.Cart) { page.CartCount = &c.ItemCount }

func (v view) setReviews(page *productPage, top services.TopReviews) {
	page.Rating = &rating{top.Summary.Average, top.Summary.Count}
	page.Quotes = services.Take(v.Reviews, top.Reviews, newQuote)
}

func setStock(page *productPage, s services.Stock) { page.Availability = s.Availability() }

// setShipping shows one way of delivery: the soonest, of those the cheapest.
func setShipping(page *productPage, options []services.Option) {
	if len(options) == 0 {
		return
	}
	soonest := slices.MinFunc(options, func(a, b services.Option) int {
		return cmp.Or(cmp.Compare(a.Arrives, b.Arrives), cmp.Compare(a.Cost.Amount, b.Cost.Amount))
	})
	page.Delivery = &delivery{soonest.Cost, soonest.Arrives}
}

func (v view) setShelf(page *productPage, related services.Related) {
	page.Shelf = services.Take(v.Recommendations, related.AlsoViewed, v.card)
}
