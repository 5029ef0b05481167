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

// toldOrder is an order as the service says it over HTTP. Nothing may be the right total:
// one that does not say it is none.
type toldOrder struct {
	Order
	Total sum `json:"total"`
}

type orders struct {
	Orders []toldOrder `json:"orders"`
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
	if err == nil && !every(all, (*Order).sound) {
		err = invalid("an order lacks its id, its date, its status or what was bought, or has a total that cannot be")
	}
	return all, err
}

// sound reports whether an order has what a page shows of it.
func (o *Order) sound() bool {
	return o.ID != "" && !o.PlacedAt.IsZero() && o.Status != "" && every(o.Items, (*Item).sound) && o.Total.sound()
}

func (o *Orders) overHTTP(ctx context.Context, q ordersQuery) ([]Order, error) {
	target := http.Path("/orders").Query("user", q.user).Query("product", q.product).Query("limit", decimal(q.limit))
	answer, err := get[orders](ctx, &o.service, target)
	switch {
	case err != nil:
		return nil, err
	case answer.Orders == nil:
		return nil, invalid("the answer has no list of orders")
	}
	all := make([]Order, len(answer.Orders))
	for i := range all {
		total, sound := answer.Orders[i].Total.money()
		if !sound {
			return nil, invalid("an order has a total that cannot be")
		}
		all[i] = answer.Orders[i].Order
		all[i].Total = total
	}
	return all, nil
}
