package simulator

import (
	"net/http"
	"strings"

	"github.com/facet-gateway/facet/testdata/shop"
)

// cart is the answer of the cart service.
type cart struct {
	User      string      `json:"user"`
	Items     []shop.Item `json:"items"`
	ItemCount int         `json:"item_count"`
	Subtotal  shop.Money  `json:"subtotal"`
}

func bindCart(s *store) answerer {
	return only(http.MethodGet, func(r *http.Request) *answer {
		id, found := strings.CutPrefix(r.URL.Path, "/carts/")
		if !found {
			return nothing
		}
		u, refusal := s.findUser(id, "user")
		if refusal != nil {
			return refusal
		}
		return u.cart
	})
}

func (s *store) cartOf(u shop.User) cart {
	c := cart{User: u.ID, Items: u.Cart, Subtotal: shop.Money{Currency: "EUR"}}
	for _, item := range u.Cart {
		c.ItemCount += item.Quantity
		if p, known := s.products[item.ProductID]; known {
			c.Subtotal.Amount += p.Product.Price.Amount * int64(item.Quantity)
		}
	}
	return c
}
