package tablet

import (
	"time"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/stream"
)

type liveQuery struct {
	ID string `query:"productid" check:"id,required"`
}

// stockEvent is what a tablet shows of a stock that changes, in the column of how to get
// a thing: a word, how many are left, and when there will be more.
type stockEvent struct {
	Availability services.Availability `json:"availability"`
	Left         int                   `json:"left"` // pieces
	RestockAt    *time.Time            `json:"restock_at,omitempty"`
}

func (p pages) liveStock(_ *adapter.Request, q liveQuery) stream.Feed[services.Stock] {
	return p.services.Inventory.Changes(q.ID)
}

func newStockEvent(s services.Stock) stockEvent {
	return stockEvent{s.Availability(), s.Available, s.RestockAt}
}
