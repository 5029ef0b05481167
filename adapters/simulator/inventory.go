package simulator

import (
	"net/http"
	"strings"
	"time"
)

const lowStock = 5 // pieces, and fewer

// stock is what the inventory knows of a product.
type stock struct {
	ProductID string     `json:"product_id"`
	Available int        `json:"available"`
	Low       bool       `json:"low"`
	RestockAt *time.Time `json:"restock_at,omitempty"` // of what is low
}

func bindInventory(s *store) answerer {
	return only(http.MethodGet, func(r *http.Request) *answer {
		id, single := strings.CutPrefix(r.URL.Path, "/stock/")
		switch {
		case single:
			return s.stockProduct(id)
		case r.URL.Path == "/stock":
			return s.batch(query(r.URL.RawQuery), "products", "stock", s.appendStock)
		}
		return nothing
	})
}

func (s *store) stockProduct(id string) *answer {
	p, refusal := s.find(id, "product")
	if refusal != nil {
		return refusal
	}
	return s.stockOf(p)
}

func (s *store) appendStock(to []byte, p *product) []byte { return append(to, s.stockOf(p).body...) }

// stockOf is remembered for a month: what is low comes on the first of the next.
func (s *store) stockOf(p *product) *answer {
	now, available := s.now().UTC(), s.levels.get(p)
	key := memoKey{service: "inventory", about: p.Product.ID, variant: now.Year()*12 + int(now.Month()), limit: available}
	if a := s.memo.get(key); a != nil {
		return a
	}
	one := stock{ProductID: p.Product.ID, Available: available, Low: available <= lowStock}
	if one.Low {
		first := time.Date(now.Year(), now.Month()+1, 1, 0, 0, 0, 0, time.UTC)
		one.RestockAt = &first
	}
	return s.memo.put(key, encode(one))
}
