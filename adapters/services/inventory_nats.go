package services

import (
	"context"
	"errors"

	"github.com/facet-gateway/facet/adapters/wire"
	"github.com/facet-gateway/facet/core/backend/nats"
	"github.com/facet-gateway/facet/core/backend/payload"
	"github.com/facet-gateway/facet/core/fault"
)

// inventoryNATS is the service over NATS.
type inventoryNATS struct{ client *nats.Client }

func (i inventoryNATS) one(ctx context.Context, product string) (told, error) {
	return nats.Request[told](ctx, i.client, wire.InventoryStock, wire.StockQuery{Product: product})
}

func (i inventoryNATS) of(ctx context.Context, products []string, room stocks) (stocks, error) {
	return nats.RequestList(ctx, i.client, wire.InventoryStocks, wire.StocksQuery{Products: products}, room)
}

var errNoProduct = errors.New("it cannot be the identifier of a product")

// changes is a [Changes]. What is lost because it came too fast is no loss: the stock that
// follows stands for it.
func (i inventoryNATS) changes(ctx context.Context, product string, subscribed func() error, tell func(Stock)) error {
	subject, ok := wire.InventoryChanges(product)
	if !ok {
		return fault.Because(fault.ReasonNotFound, errNoProduct)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	return nats.Subscribe(ctx, i.client, subject, subscribed, func(body []byte, _ uint64) {
		var change told
		err := payload.DecodeApart(string(body), &change)
		s, sound := change.stock()
		if err != nil || !sound {
			cancel(invalid("a change of stock is none"))
			return
		}
		tell(s)
	})
}
