package tv

import (
	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/stream"
)

type liveQuery struct {
	ID string `query:"productid" check:"id,required"`
}

// stockEvent is what a television shows of a stock that changes: a word to be read from
// a sofa.
type stockEvent struct {
	Availability services.Availability `json:"availability"`
}

func (p pages) liveStock(_ *adapter.Request, q liveQuery) stream.Feed[services.Stock] {
	return p.services.Inventory.Changes(q.ID)
}

func newStockEvent(s services.Stock) stockEvent { return stockEvent{s.Availability()} }
