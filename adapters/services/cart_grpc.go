package services

import (
	"context"

	wire "github.com/facet-gateway/facet/adapters/wire/cart"
	"github.com/facet-gateway/facet/core/backend/grpc"
)

// connect binds the service over gRPC, or over what every service can be reached by.
func (c *Carts) connect(to Client) bool {
	client, ok := to.(*grpc.Client)
	if !ok {
		return c.service.connect(to)
	}
	carts := wire.NewCartsClient(client)
	c.ask = func(ctx context.Context, user string) (Cart, error) {
		answer, err := carts.Get(ctx, &wire.GetRequest{User: user})
		if err != nil {
			return Cart{}, err //nolint:wrapcheck // the client's errors are faults
		}
		return cartOf(answer)
	}
	return true
}

// cartOf refuses an answer that lacks something: what is left out is not a zero.
func cartOf(m *wire.Cart) (Cart, error) {
	subtotal := m.GetSubtotal()
	if m.User == nil || m.ItemCount == nil || subtotal == nil || subtotal.Amount == nil || subtotal.Currency == nil {
		return Cart{}, invalid("the cart lacks its user, its count or its subtotal")
	}
	c := Cart{
		User: m.GetUser(), ItemCount: int(m.GetItemCount()), Items: make([]Item, len(m.GetItems())),
		Subtotal: Money{Amount: subtotal.GetAmount(), Currency: subtotal.GetCurrency()},
	}
	for i, item := range m.GetItems() {
		if item.ProductId == nil || item.Quantity == nil {
			return Cart{}, invalid("an item of the cart lacks its product or its quantity")
		}
		c.Items[i] = Item{ProductID: item.GetProductId(), Quantity: int(item.GetQuantity())}
	}
	return c, nil
}
