package services

import (
	"context"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/stream"
)

// Profile is what the shop knows about a user.
type Profile struct {
	User     string   `json:"user"`
	Name     string   `json:"name"`
	Locale   string   `json:"locale"`   // such as en-GB
	Postcode string   `json:"postcode"` // "": not known
	Wishlist []string `json:"wishlist"` // ids of products
}

// Profiles knows the users. Nothing stands in for one.
type Profiles struct {
	service
	profile *command.Command[string, Profile]
}

func declareProfiles() *Profiles {
	p := &Profiles{service: service{name: "profiles"}}
	p.profile = command.New("profiles.profile", p.fetch).Safe()
	p.controls = []*command.Control{p.profile.Control}
	return p
}

// Profile returns the profile of a user. It needs one.
func (p *Profiles) Profile(user string) stream.Stream[Profile] {
	if user == "" {
		return anonymous[Profile](p.profile.Name())
	}
	return p.profile.Observe(user)
}

func (p *Profiles) fetch(ctx context.Context, user string) (Profile, error) {
	profile, err := get[Profile](ctx, &p.service, http.Path("/profiles/", user))
	if err == nil && (profile.User != user || profile.Wishlist == nil) {
		err = invalid("the answer is not the profile of the user asked for, or lacks the wish list")
	}
	return profile, err
}
