package simulator

import (
	"net/http"

	"github.com/facet-gateway/facet/testdata/shop"
)

const ordersLimit = 20 // when none is asked for

// orders is the answer of the orders service.
type orders struct {
	Orders []shop.Order `json:"orders"`
}

func bindOrders(s *store) answerer {
	return only(http.MethodGet, func(r *http.Request) *answer {
		if r.URL.Path != "/orders" {
			return nothing
		}
		return s.ordersOf(query(r.URL.RawQuery))
	})
}

// ordersOf answers with a user's orders, of one product if it is named. An
// unknown user has none.
func (s *store) ordersOf(q query) *answer {
	userID, productID := q.get("user"), q.get("product")
	limit, sound := q.limit(ordersLimit)
	switch {
	case !validID(userID):
		return badField("user")
	case productID != "" && !validID(productID):
		return badField("product")
	case !sound:
		return badField("limit")
	}
	found := orders{Orders: []shop.Order{}}
	if u, known := s.users[userID]; known {
		found.Orders = filter(u.Orders, productID, limit)
	}
	return encode(found)
}

func filter(all []shop.Order, productID string, limit int) []shop.Order {
	some := make([]shop.Order, 0, min(limit, len(all)))
	for _, order := range all {
		if len(some) < limit && (productID == "" || holds(order, productID)) {
			some = append(some, order)
		}
	}
	return some
}

func holds(order shop.Order, productID string) bool {
	for _, item := range order.Items {
		if item.ProductID == productID {
			return true
		}
	}
	return false
}
