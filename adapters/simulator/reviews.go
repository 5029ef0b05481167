package simulator

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/facet-gateway/facet/testdata/shop"
)

const reviewsLimit = 10 // when none is asked for

// reviews is the answer of the reviews service about one product.
type reviews struct {
	Summary summary       `json:"summary"`
	Reviews []shop.Review `json:"reviews"`
}

// summary is what all reviews of a product come to.
type summary struct {
	ProductID string  `json:"product_id"`
	Average   float64 `json:"average"` // of 1 to 5, to one decimal
	Count     int     `json:"count"`
	Histogram [5]int  `json:"histogram"` // how many gave 1 to 5
}

func bindReviews(s *store) answerer {
	return only(http.MethodGet, func(r *http.Request) *answer {
		switch r.URL.Path {
		case "/reviews":
			return s.reviewsOf(query(r.URL.RawQuery))
		case "/summaries":
			return s.batch(query(r.URL.RawQuery), "products", "summaries", appendSummary).keep(reviewsAge)
		}
		return nothing
	})
}

func appendSummary(to []byte, p *product) []byte { return append(to, p.summary...) }

func (s *store) reviewsOf(q query) *answer {
	p, refusal := s.find(q.get("product"), "product")
	if refusal != nil {
		return refusal
	}
	limit, sound := q.limit(reviewsLimit)
	if !sound {
		return badField("limit")
	}
	key := memoKey{service: "reviews", about: p.Product.ID, limit: limit}
	if a := s.memo.get(key); a != nil {
		return a
	}
	all := reviews{Summary: summarise(p.Listing), Reviews: s.writeReviews(p, limit)}
	return s.memo.put(key, encode(all).keep(reviewsAge))
}

func summarise(l shop.Listing) summary {
	one := summary{ProductID: l.Product.ID, Histogram: l.Histogram}
	stars := 0
	for i, n := range l.Histogram {
		one.Count += n
		stars += n * (i + 1)
	}
	if one.Count > 0 {
		one.Average = math.Round(10*float64(stars)/float64(one.Count)) / 10
	}
	return one
}

// writeReviews returns a product's most helpful reviews, best first: those that
// the data fixes, then invented ones. A lower limit gives the first of the same.
func (s *store) writeReviews(p *product, limit int) []shop.Review {
	limit = min(limit, summarise(p.Listing).Count)
	list := append(make([]shop.Review, 0, limit), p.Reviews[:min(limit, len(p.Reviews))]...)
	r := s.random(p.at, "reviews")
	helpful := 8 + r.IntN(60)
	if len(list) > 0 {
		helpful = list[len(list)-1].Helpful
	}
	for len(list) < limit {
		helpful = max(0, helpful-r.IntN(4))
		one := writeReview(r, rating(r, p.Histogram))
		one.ID = fmt.Sprintf("r-%s-%d", strings.TrimPrefix(p.Product.ID, "p-"), len(list)+1)
		one.Helpful = helpful
		list = append(list, one)
	}
	return list
}

func writeReview(r *rand.Rand, rating int) shop.Review {
	words := &opinions[rating-1]
	return shop.Review{
		Author: authors[r.IntN(len(authors))],
		Rating: rating,
		Title:  words.titles[r.IntN(len(words.titles))],
		Body:   words.begin[r.IntN(len(words.begin))] + " " + words.end[r.IntN(len(words.end))],
		CreatedAt: time.Date(2026, 10, 31, 20, 0, 0, 0, time.UTC).
			Add(-time.Duration(r.IntN(2*365*24*60)) * time.Minute),
	}
}

// rating draws from a histogram, which holds at least one review.
func rating(r *rand.Rand, histogram [5]int) int {
	total := 0
	for _, n := range histogram {
		total += n
	}
	at := r.IntN(total)
	for i, n := range histogram {
		if at < n {
			return i + 1
		}
		at -= n
	}
	return len(histogram)
}
