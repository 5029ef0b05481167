package services

import (
	"context"
	"time"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/stream"
)

// Product is what the catalog tells about one product.
type Product struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	Brand       string            `json:"brand"`
	Description string            `json:"description"`
	Price       Money             `json:"price"`
	WeightGrams int               `json:"weight_grams"`
	Categories  []string          `json:"categories"` // from the widest to the narrowest
	Attributes  map[string]string `json:"attributes"`
	Offers      []Offer           `json:"offers"`
	Images      []Image           `json:"images"`
}

// Offer is another way to buy a product.
type Offer struct {
	Seller    string `json:"seller"`
	Condition string `json:"condition"`
	Price     Money  `json:"price"`
}

type products struct {
	Products []Product `json:"products"`
}

// Catalog knows the products. A name or a price that is minutes old is better
// than no page, so a stale copy stands in for 10 minutes.
type Catalog struct {
	service
	product *command.Command[string, Product]
}

// staleLimit is how old an answer may be that stands in for the live one, of
// services whose answers change rarely.
const staleLimit = 10 * time.Minute

func declareCatalog() *Catalog {
	c := &Catalog{service: service{name: "catalog"}}
	c.product = command.New("catalog.product", c.fetch).Batch(c.fetchAll).Safe().Stale(staleLimit).
		Tags(func(id string, _ Product) []string { return ofProduct(id) })
	c.controls = []*command.Control{c.product.Control}
	return c
}

// Product returns the product of an id. All that a request observes together are
// one call.
func (c *Catalog) Product(id string) stream.Stream[Product] { return c.product.Observe(id) }

func (c *Catalog) fetch(ctx context.Context, id string) (Product, error) {
	p, err := get[Product](ctx, &c.service, http.Path("/products/", id))
	if err == nil && (p.ID != id || !p.sellable()) {
		err = invalid("the answer is not the product asked for, or has no name or a price that cannot be")
	}
	p.Images = usable(p.Images)
	return p, err
}

func (c *Catalog) fetchAll(ctx context.Context, ids []string) (map[string]Product, error) {
	return inBatch(ids, func(ids []string, room []Product) ([]Product, error) {
		answer, err := getAll(ctx, &c.service, "/products", "ids", ids, products{room})
		for i := range answer.Products {
			answer.Products[i].Images = usable(answer.Products[i].Images)
		}
		return answer.Products, err
	}, func(p *Product) string { return p.ID }, (*Product).sellable)
}

// sellable reports whether a product has what every page of it shows.
func (p *Product) sellable() bool {
	return p.Name != "" && p.Price.priced() && (p.Offers == nil || every(p.Offers, (*Offer).priced))
}

func (o *Offer) priced() bool { return o.Price.priced() }
