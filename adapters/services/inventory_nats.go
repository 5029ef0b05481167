package services

import (
	"context"

	"github.com/facet-gateway/facet/adapters/wire"
	"github.com/facet-gateway/facet/core/backend/nats"
)

// inventoryNATS is the service over NATS.
type inventoryNATS struct{ client *nats.Client }

func (i inventoryNATS) one(ctx context.Context, product string) (told, error) {
	return nats.Request[told](ctx, i.client, wire.InventoryStock, wire.StockQuery{Product: product})
}

func (i inventoryNATS) of(ctx context.Context, products []string, room stocks) (stocks, error) {
	return nats.RequestList(ctx, i.client, wire.InventoryStocks, wire.StocksQuery{Products: products}, room)
}

func (i inventoryNATS) changes(ctx context.Context, product string, subscribed func() error, tell func(Stock)) error {
	subject, ok := wire.InventoryChanges(product)
	if !ok {
		return errNoProduct()
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	return nats.Subscribe(ctx, i.client, subject, subscribed, readChanges(tell, cancel))
}
