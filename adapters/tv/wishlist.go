package tv

import (
	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/stream"
)

// wishesShown is how many wishes fit on a wall of posters.
const wishesShown = 24

// wishlistPage is what a user wishes for, to look at: a television edits nothing.
type wishlistPage struct {
	Title   string   `json:"title"`
	Posters []poster `json:"posters"`
}

// wishlist is a chain: the profile, then all that it wishes for.
func (p pages) wishlist(r *adapter.Request, _ struct{}) stream.Assembly[wishlistPage] {
	profile := p.services.Profiles.Profile(r.User)
	wishes := stream.Then(profile, func(found services.Profile) stream.Stream[[]poster] {
		return p.posters(view{r.Device}, wishesShown, found.Wishlist)
	})
	return stream.Assemble(
		stream.Required("profile", profile, func(page *wishlistPage, who services.Profile) { page.Title = who.Name + "'s wishes" }),
		stream.Required("wishlist", wishes, func(page *wishlistPage, posters []poster) { page.Posters = posters }),
	)
}
