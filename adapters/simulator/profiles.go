package simulator

import (
	"net/http"
	"strings"

	"github.com/facet-gateway/facet/testdata/shop"
)

// profile is the answer of the profiles service.
type profile struct {
	User     string   `json:"user"`
	Name     string   `json:"name"`
	Locale   string   `json:"locale"`
	Postcode string   `json:"postcode"`
	Wishlist []string `json:"wishlist"`
}

func bindProfiles(s *store) answerer {
	return only(http.MethodGet, func(r *http.Request) *answer {
		id, found := strings.CutPrefix(r.URL.Path, "/profiles/")
		if !found {
			return nothing
		}
		u, refusal := s.findUser(id, "user")
		if refusal != nil {
			return refusal
		}
		return u.profile
	})
}

func profileOf(u shop.User) profile {
	return profile{User: u.ID, Name: u.Name, Locale: u.Locale, Postcode: u.Postcode, Wishlist: u.Wishlist}
}
