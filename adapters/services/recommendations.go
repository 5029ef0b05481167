package services

import (
	"context"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/stream"
)

// Card is a product in a list.
type Card struct {
	ProductID string `json:"product_id"`
	Name      string `json:"name"`
	Price     Money  `json:"price"`
	Image     string `json:"image"` // the address of an [Image]
}

// ImageAt returns the address of the card's image, as [Image.At] does.
func (c Card) ImageAt(width int, format string) string { return Image{URL: c.Image}.At(width, format) }

// Related are the products that go with one.
type Related struct {
	BoughtTogether []Card `json:"bought_together"`
	AlsoBought     []Card `json:"also_bought"`
	AlsoViewed     []Card `json:"also_viewed"`
}

// Row is a titled list of products.
type Row struct {
	ID         string   `json:"id"`
	Title      string   `json:"title"`
	ProductIDs []string `json:"product_ids"`
}

type rows struct {
	Rows []Row `json:"rows"`
}

type relatedQuery struct {
	product, user string
	limit         int
}

type rowsQuery struct {
	user  string
	limit int
}

// Recommendations knows what a user may like. A hardwired top ten stands in.
type Recommendations struct {
	service
	related *command.Command[relatedQuery, Related]
	rows    *command.Command[rowsQuery, []Row]
}

func declareRecommendations() *Recommendations {
	r := &Recommendations{service: service{name: "recommendations"}}
	r.related = command.New("recommendations.recommendations", r.fetch).Safe().Default(popularCards)
	r.rows = command.New("recommendations.rows", r.fetchRows).Safe().Default(popularRows)
	r.controls = []*command.Control{r.related.Control, r.rows.Control}
	return r
}

// For returns the products that go with a product, at most limit in each list.
// Without a user ("") they are those for anybody.
func (r *Recommendations) For(product, user string, limit int) stream.Stream[Related] {
	return r.related.Observe(relatedQuery{product, user, atLeastOne(limit)})
}

// Rows returns at most limit rows of products for a user, or for anybody ("").
func (r *Recommendations) Rows(user string, limit int) stream.Stream[[]Row] {
	return r.rows.Observe(rowsQuery{user, atLeastOne(limit)})
}

func (r *Recommendations) fetch(ctx context.Context, q relatedQuery) (Related, error) {
	target := forUser(http.Path("/recommendations").Query("product", q.product), q.user)
	related, err := get[Related](ctx, &r.service, target.Query("limit", decimal(q.limit)))
	if err == nil && !related.sound() {
		err = invalid("a list of products is missing, or one of them lacks its id or its name or has a price that cannot be")
	}
	return related, err
}

// sound reports whether all lists are there, of products that can be shown.
func (r *Related) sound() bool {
	return every(r.BoughtTogether, (*Card).sound) && every(r.AlsoBought, (*Card).sound) && every(r.AlsoViewed, (*Card).sound)
}

func (c *Card) sound() bool { return c.ProductID != "" && c.Name != "" && c.Price.priced() }

func (r *Recommendations) fetchRows(ctx context.Context, q rowsQuery) ([]Row, error) {
	target := forUser(http.Path("/rows"), q.user)
	answer, err := get[rows](ctx, &r.service, target.Query("limit", decimal(q.limit)))
	if err == nil && !every(answer.Rows, (*Row).sound) {
		err = invalid("the rows are missing, or one of them lacks its title or its products")
	}
	return answer.Rows[:min(len(answer.Rows), q.limit)], err
}

func (r *Row) sound() bool { return r.Title != "" && r.ProductIDs != nil }

func forUser(target http.Target, user string) http.Target {
	if user == "" {
		return target
	}
	return target.Query("user", user)
}
