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

// toldCart is a cart as the service says it. Nothing may be the right number of pieces, and
// what they come to: one that does not say them is none.
type toldCart struct {
	Cart
	ItemCount *int `json:"item_count"`
	Subtotal  sum  `json:"subtotal"`
}

// Carts knows the cart of each user. Nothing stands in for it.
type Carts struct {
	service
	ask  func(ctx context.Context, user string) (Cart, error) // over the transport that is bound
	cart *command.Command[string, Cart]
}

func declareCarts() *Carts {
	c := &Carts{service: service{name: "cart"}}
	c.ask = c.overHTTP
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
	switch {
	case err != nil:
		return Cart{}, err
	case cart.User != user || !cart.Subtotal.sound():
		err = invalid("the answer is not the cart of the user asked for, or has a subtotal that cannot be")
	case !cart.counted():
		err = invalid("the cart does not say what is in it, or counts what is not")
	}
	return cart, err
}

// counted reports whether a cart says what is in it, and counts pieces only of that.
func (c *Cart) counted() bool {
	return every(c.Items, (*Item).sound) && c.ItemCount >= 0 && (c.ItemCount > 0) == (len(c.Items) > 0)
}

// sound reports whether it says how many pieces there are, and of what.
func (i *Item) sound() bool { return i.ProductID != "" && i.Quantity > 0 }

func (c *Carts) overHTTP(ctx context.Context, user string) (Cart, error) {
	answer, err := get[toldCart](ctx, &c.service, http.Path("/carts/", user))
	if err != nil {
		return Cart{}, err
	}
	subtotal, sound := answer.Subtotal.money()
	if answer.ItemCount == nil || !sound {
		return Cart{}, invalid("the cart lacks its count, or has a subtotal that cannot be")
	}
	cart := answer.Cart
	cart.ItemCount, cart.Subtotal = *answer.ItemCount, subtotal
	return cart, nil
}
