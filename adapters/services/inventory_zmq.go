package services

import (
	"context"

	"github.com/facet-gateway/facet/adapters/wire"
	"github.com/facet-gateway/facet/core/backend/zmq"
)

// inventoryZMQ is the service over ZeroMQ.
type inventoryZMQ struct{ client *zmq.Client }

func (i inventoryZMQ) one(ctx context.Context, product string) (told, error) {
	return zmq.Request[told](ctx, i.client, wire.InventoryStock, wire.StockQuery{Product: product})
}

func (i inventoryZMQ) of(ctx context.Context, products []string, room stocks) (stocks, error) {
	return zmq.RequestList(ctx, i.client, wire.InventoryStocks, wire.StocksQuery{Products: products}, room)
}

func (i inventoryZMQ) changes(ctx context.Context, product string, subscribed func() error, tell func(Stock)) error {
	topic, ok := wire.StockTopic(product)
	if !ok {
		return errNoProduct()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	return zmq.Subscribe(ctx, i.client, topic, subscribed, readChanges(tell, cancel))
}
