package services

import (
	"context"
	"time"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/backend/nats"
	"github.com/facet-gateway/facet/core/backend/zmq"
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

// told is a stock as the service says it. One that does not say how much there is, and
// whether that is little, says nothing.
type told struct {
	Stock
	Available *int  `json:"available"`
	Low       *bool `json:"low"`
}

// says reports whether it says how much there is, and that can be.
func (t *told) says() bool { return t.Available != nil && *t.Available >= 0 && t.Low != nil }

// stock returns what was told, and whether it is of a product and says how much there is.
func (t *told) stock() (Stock, bool) {
	if !t.says() {
		return Stock{}, false
	}
	s := t.Stock
	s.Available, s.Low = *t.Available, *t.Low
	return s, s.ProductID != ""
}

type stocks struct {
	Stock []told `json:"stock"`
}

// inventory is the service over one transport. of asks for several products, and decodes
// into a value with room for them.
type inventory interface {
	one(ctx context.Context, product string) (told, error)
	of(ctx context.Context, products []string, room stocks) (stocks, error)
}

// Inventory knows the stock. Nothing stands in for it: a page says that the
// availability is unknown.
type Inventory struct {
	service
	remote  inventory
	stock   *command.Command[string, Stock]
	over    string  // the protocol, for those who ask for changes that it has not
	changes Changes // nil: the service publishes none
	hub     *stream.Hub[string, Stock]
}

func declareInventory() *Inventory {
	i := &Inventory{service: service{name: "inventory"}}
	i.remote, i.over = inventoryHTTP{&i.service}, "http"
	i.stock = command.New("inventory.stock", i.fetch).Batch(i.fetchAll).Safe().
		Tags(func(id string, _ Stock) []string { return ofProduct(id) })
	i.hub = i.newHub()
	i.controls = []*command.Control{i.stock.Control}
	return i
}

// Stock returns the stock of a product. All that a request observes together are
// one call.
func (i *Inventory) Stock(product string) stream.Stream[Stock] { return i.stock.Observe(product) }

// connect binds the service over the transport of a client.
func (i *Inventory) connect(c Client) bool {
	switch c := c.(type) {
	case *nats.Client:
		i.remote = inventoryNATS{c}
		i.BindChanges(inventoryNATS{c}.changes)
	case *zmq.Client:
		i.remote, i.over = inventoryZMQ{c}, "zeromq"
		if c.Listens() {
			i.BindChanges(inventoryZMQ{c}.changes)
		}
	default:
		return i.service.connect(c)
	}
	return true
}

func (i *Inventory) fetch(ctx context.Context, product string) (Stock, error) {
	answer, err := i.remote.one(ctx, product)
	if err != nil {
		return Stock{}, err
	}
	s, sound := answer.stock()
	switch {
	case !sound:
		err = invalid("the stock lacks its product, how much there is or whether that is little, or is less than nothing")
	case s.ProductID != product:
		err = invalid("the stock is not of the product asked for")
	}
	return s, err
}

func (i *Inventory) fetchAll(ctx context.Context, products []string) (map[string]Stock, error) {
	found, err := inBatch(products, func(products []string, room []told) ([]told, error) {
		answer, err := i.remote.of(ctx, products, stocks{room})
		return answer.Stock, err
	}, func(t *told) string { return t.ProductID }, (*told).says)
	all := make(map[string]Stock, len(found))
	for id, t := range found {
		all[id], _ = t.stock()
	}
	return all, err
}

// inventoryHTTP is the service over HTTP.
type inventoryHTTP struct{ service *service }

func (i inventoryHTTP) one(ctx context.Context, product string) (told, error) {
	return get[told](ctx, i.service, http.Path("/stock/", product))
}

func (i inventoryHTTP) of(ctx context.Context, products []string, room stocks) (stocks, error) {
	return getAll(ctx, i.service, "/stock", "products", products, room)
}
