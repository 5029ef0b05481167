package phone

import (
	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/stream"
)

// home is a grid: for every product of every row three calls, which leave as one
// batch for each service.
func (p pages) home(r *adapter.Request, _ struct{}) stream.Assembly[homePage] {
	s, screen := p.services, view{r.Device}
	rows := stream.Some(s.Recommendations.Rows(r.User, screen.Rows), screen.Rows, func(row services.Row) stream.Stream[shelf] {
		return stream.Map(p.tiles(screen, screen.RowLength, row.ProductIDs), func(tiles []tile) shelf { return shelf{row.ID, row.Title, tiles} })
	})
	return stream.Assemble(
		stream.Required("rows", rows, setRows),
		stream.Optional("cart", s.Cart.Of(r.User), func(page *homePage, c services.Cart) { page.CartCount = &c.ItemCount }),
	)
}

// setRows shows no row that has nothing left.
func setRows(page *homePage, rows []shelf) {
	page.Rows = services.Keep(rows, func(row shelf) bool { return len(row.Products) > 0 })
}

// tiles are at most length products of a list; one that the catalog does not know
// is left out.
func (p pages) tiles(screen view, length int, ids []string) stream.Stream[[]tile] {
	shown := ids[:min(len(ids), length)]
	return stream.Some(stream.Of(shown), len(shown), func(id string) stream.Stream[tile] {
		return stream.Assemble(
			stream.Required("catalog", p.services.Catalog.Product(id), screen.setTile),
			stream.Optional("reviews", p.services.Reviews.Summary(id), setTileRating),
			stream.Optional("inventory", p.services.Inventory.Stock(id), setTileStock),
		).Stream()
	})
}

func (v view) setTile(t *tile, p services.Product) {
	t.ID, t.Name, t.Price, t.Availability = p.ID, p.Name, p.Price, services.Unknown
	if len(p.Images) > 0 {
		t.Image = p.Images[0].At(v.ThumbWidth, v.ImageFormat)
	}
}

func setTileRating(t *tile, s services.Summary) { t.Rating = &s.Average }

func setTileStock(t *tile, s services.Stock) { t.Availability = s.Availability() }
