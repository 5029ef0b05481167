package services

import (
	"context"
	"time"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/stream"
)

// Stock is how much of a product is there.
type Stock struct {
	ProductID string     `json:"product_id"`
	Available int        `json:"available"` // pieces
	Low       bool       `json:"low"`
	RestockAt *time.Time `json:"restock_at"` // nil: not known
}

// Availability is a stock in one word, for pages.
type Availability string

// The words for a stock. Unknown is for pages that have none.
const (
	Unknown Availability = "unknown"
	InStock Availability = "in_stock"
	LowOn   Availability = "low"
	SoldOut Availability = "sold_out"
)

// Enum returns all of them, for documents.
func (Availability) Enum() []string {
	return []string{string(Unknown), string(InStock), string(LowOn), string(SoldOut)}
}

// Availability returns the word for the stock.
func (s Stock) Availability() Availability {
	switch {
	case s.Available <= 0:
		return SoldOut
	case s.Low:
		return LowOn
	}
	return InStock
}

type stocks struct {
	Stock []Stock `json:"stock"`
}

// Inventory knows the stock. Nothing stands in for it: a page says that the
// availability is unknown.
type Inventory struct {
	service
	stock   *command.Command[string, Stock]
	changes Changes // nil: the service publishes none
	hub     *stream.Hub[string, Stock]
}

func declareInventory() *Inventory {
	i := &Inventory{service: service{name: "inventory"}}
	i.stock = command.New("inventory.stock", i.fetch).Batch(i.fetchAll).Safe().
		Tags(func(id string, _ Stock) []string { return ofProduct(id) })
	i.hub = i.newHub()
	i.controls = []*command.Control{i.stock.Control}
	return i
}

// Stock returns the stock of a product. All that a request observes together are
// one call.
func (i *Inventory) Stock(product string) stream.Stream[Stock] { return i.stock.Observe(product) }

func (i *Inventory) fetch(ctx context.Context, product string) (Stock, error) {
	s, err := get[Stock](ctx, &i.service, http.Path("/stock/", product))
	if err == nil && s.ProductID != product {
		err = invalid("the stock is not of the product asked for")
	}
	return s, err
}

func (i *Inventory) fetchAll(ctx context.Context, products []string) (map[string]Stock, error) {
	answer, err := getAll(ctx, &i.service, "/stock", "products", products, stocks{make([]Stock, 0, len(products))})
	if err != nil {
		return nil, err
	}
	return byID(answer.Stock, func(s *Stock) string { return s.ProductID }, func(*Stock) bool { return true })
}
