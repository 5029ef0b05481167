package services

import (
	"context"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/stream"
)

// Cart is what a user is about to buy.
type Cart struct {
	User      string `json:"user"`
	Items     []Item `json:"items"`
	ItemCount int    `json:"item_count"` // pieces of all items
	Subtotal  Money  `json:"subtotal"`
}

// Item is a number of pieces of one product.
type Item struct {
	ProductID string `json:"product_id"`
	Quantity  int    `json:"quantity"`
}

// Carts knows the cart of each user. Nothing stands in for it.
type Carts struct {
	service
	ask  func(ctx context.Context, user string) (Cart, error) // over the transport that is bound
	cart *command.Command[string, Cart]
}

func declareCarts() *Carts {
	c := &Carts{service: service{name: "cart"}}
	c.ask = func(ctx context.Context, user string) (Cart, error) {
		return get[Cart](ctx, &c.service, http.Path("/carts/", user))
	}
	c.cart = command.New("cart.cart", c.fetch).Safe()
	c.controls = []*command.Control{c.cart.Control}
	return c
}

// Of returns the cart of a user. It needs one.
func (c *Carts) Of(user string) stream.Stream[Cart] {
	if user == "" {
		return anonymous[Cart](c.cart.Name())
	}
	return c.cart.Observe(user)
}

func (c *Carts) fetch(ctx context.Context, user string) (Cart, error) {
	cart, err := c.ask(ctx, user)
	if err == nil && (cart.User != user || !cart.Subtotal.sound()) {
		err = invalid("the answer is not the cart of the user asked for, or has a subtotal that cannot be")
	}
	return cart, err
}
