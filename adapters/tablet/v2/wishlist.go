package v2

import (
	"slices"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/stream"
)

// wishesShown is how many wishes a tablet has room for, sold out or not.
const wishesShown = 40

// wishlist is a chain: the profile, then all that it wishes for.
func (p pages) wishlist(r *adapter.Request, _ struct{}) stream.Assembly[wishlistPage] {
	screen, profile := view{r.Device}, p.services.Profiles.Profile(r.User)
	wishes := stream.Then(profile, func(found services.Profile) stream.Stream[[]tile] {
		return p.tiles(screen, found.Wishlist)
	})
	return stream.Assemble(
		stream.Required("profile", profile, func(page *wishlistPage, who services.Profile) { page.Name = who.Name }),
		stream.Required("wishlist", wishes, screen.setWishes),
	)
}

// setWishes lays out what can be had, and what of which nobody knows, in the grid.
func (v view) setWishes(page *wishlistPage, wishes []tile) {
	soldOut := func(t tile) bool { return t.Availability == services.SoldOut }
	page.Grid = v.rowsOf(services.Keep(wishes, func(t tile) bool { return !soldOut(t) }))
	page.Later = v.rowsOf(services.Keep(wishes, soldOut))
}

// rowsOf lays tiles out in rows as long as the screen has columns.
func (v view) rowsOf(tiles []tile) [][]tile {
	return slices.AppendSeq([][]tile{}, slices.Chunk(tiles, max(v.Columns, 1)))
}

// tiles are the first products of a list; one that the catalog does not know is
// left out.
func (p pages) tiles(screen view, ids []string) stream.Stream[[]tile] {
	shown := ids[:min(len(ids), wishesShown)]
	return stream.Some(stream.Of(shown), len(shown), func(id string) stream.Stream[tile] {
		return stream.Assemble(
			stream.Required("catalog", p.services.Catalog.Product(id), screen.setTile),
			stream.Optional("reviews", p.services.Reviews.Summary(id), setRating),
			stream.Optional("inventory", p.services.Inventory.Stock(id), setStock),
		).Stream()
	})
}

func (v view) setTile(t *tile, p services.Product) {
	t.ID, t.Name, t.Brand, t.Price, t.Availability = p.ID, p.Name, p.Brand, p.Price, services.Unknown
	if len(p.Images) > 0 {
		t.Image = &image{p.Images[0].At(v.ThumbWidth, v.ImageFormat), p.Images[0].Alt}
	}
}

func setRating(t *tile, s services.Summary) { t.Rating = &rating{s.Average, s.Count} }

func setStock(t *tile, s services.Stock) {
	t.Availability = s.Availability()
	if t.Availability == services.SoldOut {
		t.RestockAt = s.RestockAt
	}
}
