package tablet

import (
	"slices"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/stream"
)

// home is grids, one below the other: for every product of each three calls, which
// leave as one batch for each service.
func (p pages) home(r *adapter.Request, _ struct{}) stream.Assembly[homePage] {
	s, screen := p.services, view{r.Device}
	rows := stream.Some(s.Recommendations.Rows(r.User, screen.Rows), screen.Rows, func(row services.Row) stream.Stream[section] {
		return stream.Map(p.tiles(screen, screen.RowLength, row.ProductIDs), func(tiles []tile) section {
			return section{row.ID, row.Title, screen.rowsOf(tiles)}
		})
	})
	return stream.Assemble(
		stream.Required("rows", rows, setSections),
		stream.Optional("profile", s.Profiles.Profile(r.User), func(page *homePage, who services.Profile) { page.Name = who.Name }),
		stream.Optional("cart", s.Cart.Of(r.User), func(page *homePage, c services.Cart) { page.Cart = &cart{c.ItemCount, c.Subtotal} }),
	)
}

// setSections shows no section that has nothing left.
func setSections(page *homePage, sections []section) {
	page.Sections = services.Keep(sections, func(s section) bool { return len(s.Grid) > 0 })
}

// rowsOf lays tiles out in rows as long as the screen has columns.
func (v view) rowsOf(tiles []tile) [][]tile {
	return slices.AppendSeq([][]tile{}, slices.Chunk(tiles, max(v.Columns, 1)))
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
	t.ID, t.Name, t.Brand, t.Price, t.Availability = p.ID, p.Name, p.Brand, p.Price, services.Unknown
	if len(p.Images) > 0 {
		t.Image = &image{p.Images[0].At(v.ThumbWidth, v.ImageFormat), p.Images[0].Alt}
	}
}

func setTileRating(t *tile, s services.Summary) { t.Rating = &tileRating{s.Average, s.Count} }

func setTileStock(t *tile, s services.Stock) { t.Availability = s.Availability() }
