package v2

import (
	"slices"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/stream"
)

// screens is how many times a row of posters is as wide as the screen. Nobody
// scrolls further with a remote control, and an old set takes long to lay out more.
const screens = 2

// home is a billboard and a wall: for every product three calls, which leave as one
// batch for each service. The rows are asked for once.
func (p pages) home(r *adapter.Request, _ struct{}) stream.Assembly[homePage] {
	s, screen := p.services, view{r.Device}
	rows := s.Recommendations.Rows(r.User, screen.Rows)
	top := stream.Some(stream.Map(rows, leading), 1, func(id string) stream.Stream[billboard] { return p.billboard(screen, id) })
	shelves := stream.Some(stream.Map(rows, following), screen.Rows, func(row services.Row) stream.Stream[shelf] {
		return stream.Map(p.posters(screen, row.ProductIDs), func(posters []poster) shelf { return shelf{row.Title, posters} })
	})
	return stream.Assemble(
		stream.Optional("billboard", top, setBillboard),
		stream.Required("rows", shelves, setRows),
		stream.Optional("profile", s.Profiles.Profile(r.User), setGreeting),
		stream.Optional("cart", s.Cart.Of(r.User), func(page *homePage, c services.Cart) { page.CartCount = &c.ItemCount }),
	)
}

// leading is the product of the billboard, if there is one: the first of all.
func leading(rows []services.Row) []string {
	for _, row := range rows {
		if len(row.ProductIDs) > 0 {
			return row.ProductIDs[:1:1]
		}
	}
	return nil
}

// following are the rows without the product of the billboard.
func following(rows []services.Row) []services.Row {
	first := leading(rows)
	return services.Take(len(rows), rows, func(row services.Row) services.Row {
		row.ProductIDs = services.Keep(row.ProductIDs, func(id string) bool { return !slices.Contains(first, id) })
		return row
	})
}

// setBillboard shows none of a product that the catalog does not know.
func setBillboard(page *homePage, top []billboard) {
	if len(top) > 0 {
		page.Billboard, page.Focus = &top[0], top[0].ID
	}
}

func setGreeting(page *homePage, who services.Profile) { page.Greeting = "Hello, " + who.Name }

// setRows shows no row that has nothing left; without a billboard the remote
// control starts on the first product of the first row.
func setRows(page *homePage, rows []shelf) {
	page.Rows = services.Keep(rows, func(row shelf) bool { return len(row.Posters) > 0 })
	if page.Focus == "" && len(page.Rows) > 0 {
		page.Focus = page.Rows[0].Posters[0].ID
	}
}

func (p pages) billboard(screen view, id string) stream.Stream[billboard] {
	return stream.Assemble(
		stream.Required("catalog", p.services.Catalog.Product(id), screen.setProduct),
		stream.Optional("reviews", p.services.Reviews.Summary(id), func(b *billboard, s services.Summary) { b.Stars = stars(s) }),
		stream.Optional("inventory", p.services.Inventory.Stock(id), func(b *billboard, s services.Stock) { b.SoldOut = isSoldOut(s) }),
	).Stream()
}

// posters are the first products of a list; one that the catalog does not know is
// left out.
func (p pages) posters(screen view, ids []string) stream.Stream[[]poster] {
	shown := ids[:min(len(ids), screen.RowLength, screens*screen.Columns)]
	return stream.Some(stream.Of(shown), len(shown), func(id string) stream.Stream[poster] {
		return stream.Assemble(
			stream.Required("catalog", p.services.Catalog.Product(id), screen.setPoster),
			stream.Optional("reviews", p.services.Reviews.Summary(id), func(t *poster, s services.Summary) { t.Stars = stars(s) }),
			stream.Optional("inventory", p.services.Inventory.Stock(id), func(t *poster, s services.Stock) { t.SoldOut = isSoldOut(s) }),
		).Stream()
	})
}

func (v view) setProduct(b *billboard, p services.Product) {
	b.ID, b.Title, b.Brand, b.Price = p.ID, p.Name, p.Brand, p.Price
	b.Tagline, b.Image = firstSentence(p.Description), v.image(p, v.HeroWidth)
}

func (v view) setPoster(t *poster, p services.Product) {
	t.ID, t.Title, t.Brand, t.Price = p.ID, p.Name, p.Brand, p.Price
	t.Image = v.image(p, v.ThumbWidth)
}

func isSoldOut(s services.Stock) bool { return s.Availability() == services.SoldOut }
