package tablet

import (
	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/stream"
)

// wishesShown is how many wishes a tablet has room for.
const wishesShown = 40

// wishlistPage is what a user wishes for, in two columns.
type wishlistPage struct {
	Name string   `json:"name"`
	Grid [][]tile `json:"grid"` // rows of tiles
}

// wishlist is a chain: the profile, then all that it wishes for.
func (p pages) wishlist(r *adapter.Request, _ struct{}) stream.Assembly[wishlistPage] {
	screen, profile := view{r.Device}, p.services.Profiles.Profile(r.User)
	wishes := stream.Then(profile, func(found services.Profile) stream.Stream[[]tile] {
		return p.tiles(screen, wishesShown, found.Wishlist)
	})
	return stream.Assemble(
		stream.Required("profile", profile, func(page *wishlistPage, who services.Profile) { page.Name = who.Name }),
		stream.Required("wishlist", wishes, func(page *wishlistPage, tiles []tile) { page.Grid = screen.rowsOf(tiles) }),
	)
}
