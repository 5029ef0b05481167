package services

import (
	"context"
	"errors"

	"github.com/facet-gateway/facet/core/backend/payload"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

// Changes is how the changes of a product's stock come: it subscribes, calls subscribed
// once nothing can be missed any more, and then tells the changes one after the other,
// those first that came meanwhile. It returns when ctx ends, with the error of subscribed,
// or when changes may have been missed.
type Changes func(ctx context.Context, product string, subscribed func() error, told func(Stock)) error

// BindChanges says how changes come; nil, as at first: they do not. Call it once, before
// serving.
func (i *Inventory) BindChanges(how Changes) { i.changes = how }

// Changes returns the stock of a product, now and whenever it changes. All who follow it
// share one subscription. That there is no such product is its error, or that changes do
// not come over the service's protocol.
func (i *Inventory) Changes(product string) stream.Feed[Stock] {
	if i.changes == nil {
		return stream.NoFeed[Stock](fault.New(fault.Unavailable, "inventory publishes no changes over "+i.over))
	}
	return i.hub.Feed(product)
}

// stockBytes is what a stock takes with its forms in JSON, beside the product's id.
const stockBytes = 768

func (i *Inventory) newHub() *stream.Hub[string, Stock] {
	return stream.NewHub(stream.HubOptions[Stock]{
		State: true,
		Bytes: func(s Stock) int { return stockBytes + len(s.ProductID) },
	}, i.watch)
}

// watch is the upstream of a product: the stock as it is once changes come, then those.
func (i *Inventory) watch(ctx context.Context, product string, told func(Stock)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	begin := func() error {
		now, err := i.now(ctx, product)
		if err == nil {
			told(now)
		}
		return err
	}
	err := i.changes(ctx, product, begin, func(s Stock) {
		if s.ProductID != product || s.Available < 0 {
			cancel(invalid("a change of stock is not of the product that was subscribed to, or is less than nothing"))
			return
		}
		told(s)
	})
	if cause := context.Cause(ctx); cause != nil {
		return cause //nolint:wrapcheck // it is the fault
	}
	return err
}

// readChanges returns what tells the changes that messages are, and refuses what is none.
// What is lost because it came too fast is no loss: the stock that follows stands for it.
func readChanges(tell func(Stock), refuse func(error)) func(body []byte, lost uint64) {
	return func(body []byte, _ uint64) {
		var change told
		err := payload.DecodeApart(string(body), &change)
		s, sound := change.stock()
		if err != nil || !sound {
			refuse(invalid("a change of stock is none"))
			return
		}
		tell(s)
	}
}

func errNoProduct() error {
	return fault.Because(fault.ReasonNotFound, errors.New("it cannot be the identifier of a product"))
}

// now asks for the stock as a page does, but for no page. What was remembered may be older
// than the subscription: then the service itself is asked, and what stands in for its
// answer is none.
func (i *Inventory) now(ctx context.Context, product string) (Stock, error) {
	r := report.New("", report.NewTrace())
	inside, scope := stream.Open(ctx, r)
	defer scope.Close()
	s, err := stream.Assemble(stream.Required("stock", i.Stock(product), func(all *Stock, s Stock) { *all = s })).Run(inside)
	switch {
	case err != nil:
		return s, err //nolint:wrapcheck // it is the fault
	case r.Parts[0].Mark.Rung == report.Live:
		return s, nil
	case r.Parts[0].Mark.Rung == report.Stale:
		return s, fault.New(fault.Unavailable, "inventory does not say how the stock is")
	}
	ctx, cancel := context.WithTimeout(ctx, i.stock.Policy().Timeout)
	defer cancel()
	return i.fetch(ctx, product)
}
