package services

import (
	"context"

	"github.com/facet-gateway/facet/adapters/wire"
	"github.com/facet-gateway/facet/core/backend/amqp"
)

// shippingAMQP is the service over a broker.
type shippingAMQP struct{ client *amqp.Client }

func (s shippingAMQP) ways(ctx context.Context, q optionsQuery) (options, error) {
	return amqp.Request[options](ctx, s.client, wire.ShippingOptions,
		wire.OptionsQuery{Product: q.product, WeightGrams: q.grams, Postcode: q.postcode})
}
