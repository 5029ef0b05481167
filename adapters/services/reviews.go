package services

import (
	"context"
	"time"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/stream"
)

// Review is one customer's opinion of a product.
type Review struct {
	ID        string    `json:"id"`
	Author    string    `json:"author"`
	Rating    int       `json:"rating"` // 1 to 5
	Title     string    `json:"title"`
	Body      string    `json:"body"`
	CreatedAt time.Time `json:"created_at"`
	Helpful   int       `json:"helpful"` // how many readers said so
}

// Summary is what all reviews of a product come to.
type Summary struct {
	ProductID string  `json:"product_id"`
	Average   float64 `json:"average"` // 1 to 5; 0 if there are none
	Count     int     `json:"count"`
	Histogram []int   `json:"histogram"` // how many gave 1 to 5 stars
}

// TopReviews are the most helpful reviews of a product, and the sum of all.
type TopReviews struct {
	Summary Summary  `json:"summary"`
	Reviews []Review `json:"reviews"`
}

type summaries struct {
	Summaries []Summary `json:"summaries"`
}

type reviewsQuery struct {
	product string
	limit   int
}

// Reviews knows what customers say. A stale copy stands in for 10 minutes.
type Reviews struct {
	service
	reviews   *command.Command[reviewsQuery, TopReviews]
	summaries *command.Command[string, Summary]
}

func declareReviews() *Reviews {
	r := &Reviews{service: service{name: "reviews"}}
	r.reviews = command.New("reviews.reviews", r.fetch).Safe().Stale(staleLimit).
		Tags(func(q reviewsQuery, _ TopReviews) []string { return ofProduct(q.product) })
	r.summaries = command.New("reviews.summaries", r.fetchSummary).Batch(r.fetchSummaries).Safe().Stale(staleLimit).
		Tags(func(id string, _ Summary) []string { return ofProduct(id) })
	r.controls = []*command.Control{r.reviews.Control, r.summaries.Control}
	return r
}

// Top returns at most limit reviews of a product, and the sum of all.
func (r *Reviews) Top(product string, limit int) stream.Stream[TopReviews] {
	return r.reviews.Observe(reviewsQuery{product, atLeastOne(limit)})
}

// Summary returns the sum of all reviews of a product. All that a request observes
// together are one call.
func (r *Reviews) Summary(product string) stream.Stream[Summary] { return r.summaries.Observe(product) }

func (r *Reviews) fetch(ctx context.Context, q reviewsQuery) (TopReviews, error) {
	target := http.Path("/reviews").Query("product", q.product).Query("limit", decimal(q.limit))
	top, err := get[TopReviews](ctx, &r.service, target)
	switch {
	case err != nil:
	case top.Summary.ProductID != q.product:
		err = invalid("the reviews are not of the product asked for")
	case !top.Summary.sound():
		err = invalid("the sum of the reviews lacks something, or cannot be")
	case !every(top.Reviews, (*Review).sound):
		err = invalid("the reviews are missing, or one of them has a rating that cannot be, or no date")
	}
	return top, err
}

const leastStars, mostStars = 1, 5

// sound reports whether it can be, and has what a page shows of it.
func (s *Summary) sound() bool {
	if len(s.Histogram) != mostStars || s.Count < 0 {
		return false
	}
	if s.Count == 0 {
		return s.Average == 0
	}
	return s.Average >= leastStars && s.Average <= mostStars
}

func (r *Review) sound() bool {
	return r.Rating >= leastStars && r.Rating <= mostStars && !r.CreatedAt.IsZero()
}

func (r *Reviews) fetchSummaries(ctx context.Context, products []string) (map[string]Summary, error) {
	return inBatch(products, func(products []string, room []Summary) ([]Summary, error) {
		answer, err := getAll(ctx, &r.service, "/summaries", "products", products, summaries{room})
		return answer.Summaries, err
	}, func(s *Summary) string { return s.ProductID }, (*Summary).sound)
}

// fetchSummary is the batch of one: the service has no other form.
func (r *Reviews) fetchSummary(ctx context.Context, product string) (Summary, error) {
	found, err := r.fetchSummaries(ctx, []string{product})
	if err != nil {
		return Summary{}, err
	}
	summary, known := found[product]
	if !known {
		return Summary{}, fault.New(fault.NotFound, "the product has no reviews")
	}
	return summary, nil
}
