package tv

import (
	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/stream"
)

// home is a wall: for every product of every row three calls, which leave as one
// batch for each service.
func (p pages) home(r *adapter.Request, _ struct{}) stream.Assembly[homePage] {
	s, screen := p.services, view{r.Device}
	rows := stream.Some(s.Recommendations.Rows(r.User, screen.Rows), screen.Rows, func(row services.Row) stream.Stream[shelf] {
		return stream.Map(p.posters(screen, screen.RowLength, row.ProductIDs), func(posters []poster) shelf { return shelf{row.Title, posters} })
	})
	return stream.Assemble(
		stream.Required("rows", rows, setRows),
		stream.Optional("profile", s.Profiles.Profile(r.User), setGreeting),
		stream.Optional("cart", s.Cart.Of(r.User), func(page *homePage, c services.Cart) { page.CartCount = &c.ItemCount }),
	)
}

func setGreeting(page *homePage, who services.Profile) { page.Greeting = "Hello, " + who.Name }

// setRows shows no row that has nothing left; the remote control starts on the
// first product of the first one.
func setRows(page *homePage, rows []shelf) {
	page.Rows = services.Keep(rows, func(row shelf) bool { return len(row.Posters) > 0 })
	if len(page.Rows) > 0 {
		page.Focus = page.Rows[0].Posters[0].ID
	}
}

// posters are at most length products of a list; one that the catalog does not know
// is left out.
func (p pages) posters(screen view, length int, ids []string) stream.Stream[[]poster] {
	shown := ids[:min(len(ids), length)]
	return stream.Some(stream.Of(shown), len(shown), func(id string) stream.Stream[poster] {
		return stream.Assemble(
			stream.Required("catalog", p.services.Catalog.Product(id), screen.setPoster),
			stream.Optional("reviews", p.services.Reviews.Summary(id), setStars),
			stream.Optional("inventory", p.services.Inventory.Stock(id), setSoldOut),
		).Stream()
	})
}

func (v view) setPoster(t *poster, p services.Product) {
	t.ID, t.Title, t.Brand, t.Price = p.ID, p.Name, p.Brand, p.Price
	if len(p.Images) > 0 {
		t.Image = p.Images[0].At(v.ThumbWidth, v.ImageFormat)
	}
}

// setStars rounds to what can be seen from a sofa: half a star.
func setStars(t *poster, s services.Summary) {
	const halves = 2
	t.Stars = float64(int(s.Average*halves+1.0/halves)) / halves
}

func setSoldOut(t *poster, s services.Stock) { t.SoldOut = s.Availability() == services.SoldOut }
