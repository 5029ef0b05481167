package v2

import (
	"slices"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/stream"
)

// columns is how many tiles stand side by side.
const columns = 2

// home is one grid: for every product of it two calls, which leave as one batch for
// each service. The inventory is not asked, unlike by version 1: whether a product
// is there is told by its own page.
func (p pages) home(r *adapter.Request, _ struct{}) stream.Assembly[homePage] {
	s, screen := p.services, view{r.Device}
	picks := stream.Map(s.Recommendations.Rows(r.User, screen.Rows), screen.picks)
	tiles := stream.Some(picks, screen.Rows*screen.RowLength, func(one pick) stream.Stream[tile] {
		return stream.Assemble(
			stream.Required("catalog", s.Catalog.Product(one.id), func(t *tile, found services.Product) { screen.setTile(t, found, one.why) }),
			stream.Optional("reviews", s.Reviews.Summary(one.id), func(t *tile, sum services.Summary) { t.Rating = &sum.Average }),
		).Stream()
	})
	return stream.Assemble(
		stream.Required("grid", tiles, setGrid),
		stream.Optional("cart", s.Cart.Of(r.User), func(page *homePage, c services.Cart) { page.CartCount = &c.ItemCount }),
	)
}

// pick is a product for the grid, and why it is there.
type pick struct{ id, why string }

// picks are the products of all rows, the first of each before the second of any.
// One that is in several rows is shown once, for the row that has it further ahead.
func (v view) picks(rows []services.Row) []pick {
	var picks []pick
	seen := map[string]bool{}
	for i := range v.RowLength {
		for _, row := range rows {
			if i < len(row.ProductIDs) && !seen[row.ProductIDs[i]] {
				seen[row.ProductIDs[i]] = true
				picks = append(picks, pick{row.ProductIDs[i], row.Title})
			}
		}
	}
	return picks
}

func setGrid(page *homePage, tiles []tile) {
	page.Grid = slices.AppendSeq([][]tile{}, slices.Chunk(tiles, columns))
}

// setTile shows a picture as wide as its column.
func (v view) setTile(t *tile, p services.Product, why string) {
	t.ID, t.Name, t.Price, t.Why = p.ID, p.Name, p.Price, why
	if len(p.Images) > 0 {
		t.Image = p.Images[0].At(v.HeroWidth/columns, v.ImageFormat)
	}
}
