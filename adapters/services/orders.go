package services

import (
	"context"
	"time"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/stream"
)

// Order is something that a user has bought.
type Order struct {
	ID       string    `json:"id"`
	PlacedAt time.Time `json:"placed_at"`
	Status   string    `json:"status"`
	Items    []Item    `json:"items"`
	Total    Money     `json:"total"`
}

type orders struct {
	Orders []Order `json:"orders"`
}

type ordersQuery struct {
	user, product string
	limit         int
}

// Orders knows what users have bought. Nothing stands in for it.
type Orders struct {
	service
	ask    func(ctx context.Context, q ordersQuery) ([]Order, error) // over the transport that is bound
	orders *command.Command[ordersQuery, []Order]
}

func declareOrders() *Orders {
	o := &Orders{service: service{name: "orders"}}
	o.ask = o.overHTTP
	o.orders = command.New("orders.orders", o.fetch).Safe()
	o.controls = []*command.Control{o.orders.Control}
	return o
}

// ForProduct returns the latest orders, at most limit, in which a user bought a
// product. It needs a user.
func (o *Orders) ForProduct(user, product string, limit int) stream.Stream[[]Order] {
	if user == "" {
		return anonymous[[]Order](o.orders.Name())
	}
	return o.orders.Observe(ordersQuery{user, product, atLeastOne(limit)})
}

func (o *Orders) fetch(ctx context.Context, q ordersQuery) ([]Order, error) {
	all, err := o.ask(ctx, q)
	if err == nil && !allSound(all, func(o *Order) Money { return o.Total }) {
		err = invalid("an order has a total that cannot be")
	}
	return all, err
}

func (o *Orders) overHTTP(ctx context.Context, q ordersQuery) ([]Order, error) {
	target := http.Path("/orders").Query("user", q.user).Query("product", q.product).Query("limit", decimal(q.limit))
	answer, err := get[orders](ctx, &o.service, target)
	return answer.Orders, err
}
