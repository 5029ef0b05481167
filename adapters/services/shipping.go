package services

import (
	"context"
	"time"

	"github.com/facet-gateway/facet/core/backend/amqp"
	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/stream"
)

// Option is a way to have a product delivered.
type Option struct {
	ID      string    `json:"id"`
	Carrier string    `json:"carrier"`
	Name    string    `json:"name"`
	Cost    Money     `json:"cost"`
	OrderBy time.Time `json:"order_by"`
	Arrives string    `json:"arrives"` // a day: 2026-11-25
}

// toldOption is an option as the service says it. Delivery may cost nothing: one that does
// not say what it costs is none.
type toldOption struct {
	Option
	Cost sum `json:"cost"`
}

// option returns what was told, and whether it has what a page shows of it.
func (t *toldOption) option() (Option, bool) {
	cost, sound := t.Cost.money()
	o := t.Option
	o.Cost = cost
	return o, sound && o.ID != "" && o.Name != "" && !o.OrderBy.IsZero() && o.Arrives != ""
}

type options struct {
	Options []toldOption `json:"options"`
}

type optionsQuery struct {
	product  string
	grams    int
	postcode string
}

// shipping is the service over one transport.
type shipping interface {
	ways(ctx context.Context, q optionsQuery) (options, error)
}

// Shipping knows the ways of delivery. Nothing stands in for it.
type Shipping struct {
	service
	remote  shipping
	options *command.Command[optionsQuery, []Option]
}

func declareShipping() *Shipping {
	s := &Shipping{service: service{name: "shipping"}}
	s.remote = shippingHTTP{&s.service}
	s.options = command.New("shipping.options", s.fetch).Safe()
	s.controls = []*command.Control{s.options.Control}
	return s
}

// Options returns the ways to deliver a product of a weight in grams. Without a
// postcode ("") they are those of the shop's own region.
func (s *Shipping) Options(product string, weightGrams int, postcode string) stream.Stream[[]Option] {
	return s.options.Observe(optionsQuery{product, weightGrams, postcode})
}

// connect binds the service over the transport of a client.
func (s *Shipping) connect(c Client) bool {
	broker, ok := c.(*amqp.Client)
	if !ok {
		return s.service.connect(c)
	}
	s.remote = shippingAMQP{broker}
	return true
}

func (s *Shipping) fetch(ctx context.Context, q optionsQuery) ([]Option, error) {
	answer, err := s.remote.ways(ctx, q)
	switch {
	case err != nil:
		return nil, err
	case answer.Options == nil:
		return nil, invalid("the answer has no list of ways of delivery")
	}
	all := make([]Option, len(answer.Options))
	for i := range all {
		one, sound := answer.Options[i].option()
		if !sound {
			return nil, invalid("a way of delivery lacks its id, its name or its dates, or has a cost that cannot be")
		}
		all[i] = one
	}
	return all, nil
}

// shippingHTTP is the service over HTTP.
type shippingHTTP struct{ service *service }

func (s shippingHTTP) ways(ctx context.Context, q optionsQuery) (options, error) {
	target := http.Path("/options").Query("product", q.product).Query("weight", decimal(q.grams))
	if q.postcode != "" {
		target = target.Query("postcode", q.postcode)
	}
	return get[options](ctx, s.service, target)
}
