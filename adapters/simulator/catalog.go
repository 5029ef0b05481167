package simulator

import (
	"net/http"
	"strings"
	"time"
)

const (
	catalogAge   = 5 * time.Minute
	reviewsAge   = 10 * time.Minute
	averageBytes = 1 << 10 // of a product
)

func bindCatalog(s *store) answerer {
	return only(http.MethodGet, func(r *http.Request) *answer {
		id, single := strings.CutPrefix(r.URL.Path, "/products/")
		switch {
		case single:
			return s.catalogProduct(id)
		case r.URL.Path == "/products":
			batch := s.batch(query(r.URL.RawQuery), "ids", "products", appendProduct)
			return batch.keep(catalogAge)
		}
		return nothing
	})
}

func (s *store) catalogProduct(id string) *answer {
	p, refusal := s.find(id, "id")
	if refusal != nil {
		return refusal
	}
	return p.catalog
}

func appendProduct(to []byte, p *product) []byte { return append(to, p.catalog.body...) }

// batch answers with what each known product of a list appends, under a name.
// The list is the parameter: 1 to 200 identifiers with commas between them.
func (s *store) batch(q query, parameter, name string, element func([]byte, *product) []byte) *answer {
	list := q.get(parameter)
	keys := strings.Count(list, ",") + 1
	if keys > maxKeys {
		return badField(parameter)
	}
	body := append(make([]byte, 0, keys*averageBytes), `{"`+name+`":[`...)
	empty := len(body)
	for id := range strings.SplitSeq(list, ",") {
		if !validID(id) {
			return badField(parameter)
		}
		p, known := s.products[id]
		if !known {
			continue
		}
		if len(body) > empty {
			body = append(body, ',')
		}
		body = element(body, p)
	}
	return newAnswer(http.StatusOK, append(body, "]}"...))
}
