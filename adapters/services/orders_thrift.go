package services

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"
	"unicode/utf8"

	wire "github.com/facet-gateway/facet/adapters/wire/orders"
	"github.com/facet-gateway/facet/core/backend/thrift"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// connect binds the service over Thrift, or over what every service can be reached by.
func (o *Orders) connect(to Client) bool {
	client, ok := to.(*thrift.Client)
	if !ok {
		return o.service.connect(to)
	}
	o.ask = func(ctx context.Context, q ordersQuery) ([]Order, error) {
		limit := int32(min(q.limit, math.MaxInt32)) //nolint:gosec // it is at least 1
		args := wire.OrdersQueryArgs{Context: requestContext(ctx), User: q.user, Product: q.product, Limit: limit}
		var result wire.OrdersQueryResult
		if _, err := client.Call(ctx, "query", &args, &result); err != nil {
			return nil, err //nolint:wrapcheck // the client's errors are faults
		}
		return ordersOf(&result)
	}
	return true
}

// requestContext is what HTTP has headers for.
func requestContext(ctx context.Context) *wire.RequestContext {
	trace, id := report.CallFrom(ctx).Identity()
	told := &wire.RequestContext{Traceparent: string(trace.AppendTraceparent(nil))}
	if id != "" {
		told.RequestID = &id
	}
	if deadline, limited := ctx.Deadline(); limited {
		left := max(time.Until(deadline), time.Millisecond).Milliseconds()
		told.TimeoutMs = &left
	}
	return told
}

var errNoOrders = errors.New("orders: the service knows no such thing")

// ordersOf reads a result: orders, or one of the exceptions that are declared.
func ordersOf(result *wire.OrdersQueryResult) ([]Order, error) {
	switch {
	case result.IsSetNotFound():
		return nil, fault.Because(fault.ReasonNotFound, errNoOrders)
	case result.IsSetRefused():
		refused := fault.Because(fault.ReasonError, fmt.Errorf("orders: %w, for its field %.64q", fault.ErrRefused, result.Refused.Field))
		refused.Code = fault.BadAnswer
		return nil, refused
	case !result.IsSetSuccess():
		return nil, invalid("the result is neither orders nor an exception")
	}
	all := make([]Order, len(result.Success))
	for i, order := range result.Success {
		if all[i] = orderOf(order); !readable(&all[i]) {
			return nil, invalid("an order has a date that cannot be, or holds what is not UTF-8")
		}
	}
	return all, nil
}

func orderOf(w *wire.Order) Order {
	o := Order{
		ID: w.ID, PlacedAt: time.UnixMilli(w.PlacedAt).UTC(), Status: w.Status, Items: make([]Item, len(w.Items)),
		Total: Money{Amount: w.Total.Amount, Currency: w.Total.Currency},
	}
	for i, item := range w.Items {
		o.Items[i] = Item{ProductID: item.ProductID, Quantity: int(item.Quantity)}
	}
	return o
}

// readable reports whether an order can be shown: Thrift promises neither that a text is
// UTF-8, nor that a time has a year of four digits, as JSON and RFC 3339 do.
func readable(o *Order) bool {
	for _, item := range o.Items {
		if !utf8.ValidString(item.ProductID) {
			return false
		}
	}
	year := o.PlacedAt.Year()
	return year >= 0 && year <= 9999 && utf8.ValidString(o.ID) && utf8.ValidString(o.Status)
}
