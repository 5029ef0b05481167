package simulator

import (
	"encoding/json"
	"io"
	"net/http"
	"sync"

	"github.com/facet-gateway/facet/core/fault"
)

const maxStock = 1_000_000 // pieces

// levels are the stocks that were changed, by product. The zero value is ready.
type levels struct {
	mu sync.RWMutex
	of map[string]int
}

// get returns how much of a product is there.
func (l *levels) get(p *product) int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if n, changed := l.of[p.Product.ID]; changed {
		return n
	}
	return p.Available
}

func (l *levels) set(p *product, available int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil {
		l.of = map[string]int{}
	}
	l.of[p.Product.ID] = available
}

// publisher is a transport that tells changes of stock.
type publisher interface {
	publish(product string, stock []byte)
}

// SetStock changes how much of a product there is, 0 to 1,000,000 pieces, and publishes
// it over the transports that tell changes. It fails with the field.
func (s *Simulator) SetStock(product string, available int) error {
	_, err := s.setStock(product, available)
	return err
}

func (s *Simulator) setStock(id string, available int) (*answer, error) {
	p, refusal := s.backend.find(id, "product")
	switch {
	case refusal != nil:
		return nil, fault.InvalidField("product", "there is no such product")
	case available < 0 || available > maxStock:
		return nil, fault.InvalidField("available", "it must lie between 0 and 1000000")
	}
	s.changing.Lock() // so that the last one published is the one that holds
	defer s.changing.Unlock()
	s.backend.levels.set(p, available)
	a := s.backend.stockOf(p)
	for _, way := range s.byName["inventory"].further {
		if to, ok := way.(publisher); ok {
			to.publish(id, a.body)
		}
	}
	return a, nil
}

func (s *Simulator) putStock(w http.ResponseWriter, r *http.Request) {
	var change struct {
		Available *int `json:"available"`
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxFaultBytes))
	if err != nil || json.Unmarshal(body, &change) != nil || change.Available == nil {
		refuse(w, http.StatusBadRequest, fault.InvalidField("available", `the body must be {"available": N}`))
		return
	}
	product := r.PathValue("product")
	if _, refusal := s.backend.find(product, "product"); refusal != nil {
		refusal.write(w)
		return
	}
	a, err := s.setStock(product, *change.Available)
	if err != nil {
		refuse(w, http.StatusBadRequest, err)
		return
	}
	a.write(w)
}
