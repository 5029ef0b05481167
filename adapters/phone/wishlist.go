package phone

import (
	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/stream"
)

// wishesShown is how many wishes a phone has room for.
const wishesShown = 20

// wishlistPage is what a user of a phone wishes for, in one column.
type wishlistPage struct {
	Products []tile `json:"products"`
}

// wishlist is a chain: the profile, then all that it wishes for.
func (p pages) wishlist(r *adapter.Request, _ struct{}) stream.Assembly[wishlistPage] {
	wishes := stream.Then(p.services.Profiles.Profile(r.User), func(found services.Profile) stream.Stream[[]tile] {
		return p.tiles(view{r.Device}, wishesShown, found.Wishlist)
	})
	return stream.Assemble(
		stream.Required("wishlist", wishes, func(page *wishlistPage, tiles []tile) { page.Products = tiles }),
	)
}
