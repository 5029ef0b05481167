// Package services is the service layer: the shop's nine backend services as a
// page sees them. Each service has a file with the shapes of its answers and
// its calls, each call a command that returns a stream.
//
// This is the only package that knows what the services look like on the wire.
// A query, which is comparable, is all that a call is made from: one user's
// answer cannot reach another. An answer that names another thing than the one
// asked for is refused as invalid, and so is one that lacks what a page shows
// and cannot show as nothing, or says what cannot be, whichever transport
// brought it: a price of nothing, a list that is missing, a date of no day.
//
// Answers are shared between all that observe them, in this request and, where
// they are remembered, in later ones: nobody may change them.
//
// A call that needs a user and has none ("") is not made: its stream fails for
// the reason "anonymous".
package services

import (
	"context"
	"errors"
	"fmt"

	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/stream"
)

// Services are the nine. They are made by [Declare] and serve once [Services.Connect]
// has bound their clients; from then on they are safe for concurrent use.
type Services struct {
	Catalog         *Catalog
	Cart            *Carts
	Orders          *Orders
	Reviews         *Reviews
	Inventory       *Inventory
	Shipping        *Shipping
	Recommendations *Recommendations
	Profiles        *Profiles
	Auth            *Auth
}

// Declare makes every command, each with a circuit that lives as long as the
// process does: call it once, at start.
func Declare() *Services {
	return &Services{
		Catalog:         declareCatalog(),
		Cart:            declareCarts(),
		Orders:          declareOrders(),
		Reviews:         declareReviews(),
		Inventory:       declareInventory(),
		Shipping:        declareShipping(),
		Recommendations: declareRecommendations(),
		Profiles:        declareProfiles(),
		Auth:            declareAuth(),
	}
}

// Names returns the names of the services, as the configuration spells them.
func Names() []string {
	return []string{"catalog", "cart", "orders", "reviews", "inventory", "shipping", "recommendations", "profiles", "auth"}
}

// Transports returns the transports by which each service can be reached, by its name,
// as the configuration spells them. All are reached over HTTP, some by one more.
func Transports() map[string][]string {
	all := make(map[string][]string, len(Names()))
	for _, name := range Names() {
		all[name] = []string{"http"}
	}
	all["cart"] = append(all["cart"], "grpc")
	all["orders"] = append(all["orders"], "thrift")
	all["inventory"] = append(all["inventory"], "nats", "zmq")
	all["shipping"] = append(all["shipping"], "amqp")
	return all
}

// Client is what reaches a service over one transport, such as an [*http.Client]. Which
// one it is says which of the service's bindings serves.
type Client interface {
	// Close ends it; calls in flight end by themselves.
	Close()
}

// Connect binds the client of each service, by name, and compiles the decoders
// of their answers, which takes some 150 ms. It returns an error that names
// every service without a client, or with one that it has no binding for. Call it
// once, before serving.
func (s *Services) Connect(clients map[string]Client) error {
	var errs []error
	for _, one := range s.list() {
		name := one.base().name
		switch client := clients[name]; {
		case client == nil:
			errs = append(errs, fmt.Errorf("services: %s has no client", name))
		case !one.connect(client):
			errs = append(errs, fmt.Errorf("services: %s has no binding for %T", name, client))
		}
	}
	return errors.Join(append(errs, prepare())...)
}

// Publishers returns the names of the services whose changes can be followed.
func Publishers() []string { return []string{"inventory"} }

// Upstreams tells what is subscribed to, of each of [Publishers].
func (s *Services) Upstreams() map[string]stream.HubStats {
	return map[string]stream.HubStats{"inventory": s.Inventory.hub.Stats()}
}

// Close ends what is subscribed to, when nothing is served any more.
func (s *Services) Close() { s.Inventory.hub.Close() }

// Controls returns what operates the commands, in the order of [Names].
func (s *Services) Controls() []*command.Control {
	var all []*command.Control
	for _, one := range s.list() {
		all = append(all, one.base().controls...)
	}
	return all
}

func (s *Services) list() []binder {
	return []binder{
		s.Catalog, s.Cart, s.Orders, s.Reviews, s.Inventory, s.Shipping, s.Recommendations, s.Profiles, s.Auth,
	}
}

// binder is a service that a client can be bound to.
type binder interface {
	base() *service
	connect(c Client) bool // false: there is no binding for such a client
}

// service is what the nine have in common.
type service struct {
	name     string
	client   *http.Client // nil until Connect, and where another transport serves
	controls []*command.Control
}

func (s *service) base() *service { return s }

// connect binds the service over HTTP; services with other bindings have a connect of
// their own before it.
func (s *service) connect(c Client) (ok bool) {
	s.client, ok = c.(*http.Client)
	return ok
}

// get asks a service for an answer of type T.
func get[T any](ctx context.Context, s *service, target http.Target) (T, error) {
	if s.client == nil {
		var none T
		return none, fault.New(fault.Internal, s.name+" is not connected")
	}
	return http.GetJSON[T](ctx, s.client, target.String())
}

// prepare compiles the decoder of every answer before the first one comes.
func prepare() error {
	return errors.Join(
		http.Prepare[Product](), http.Prepare[products](),
		http.Prepare[toldCart](),
		http.Prepare[orders](),
		http.Prepare[TopReviews](), http.Prepare[summaries](),
		http.Prepare[told](), http.Prepare[stocks](),
		http.Prepare[options](),
		http.Prepare[Related](), http.Prepare[rows](),
		http.Prepare[Profile](),
		http.Prepare[Introspection](),
	)
}

// ofProduct are the tags of answers about one product.
func ofProduct(id string) []string { return []string{"product:" + id} }

// anonymous is the stream of a call that needs a user and has none.
func anonymous[T any](call string) stream.Stream[T] {
	return stream.Fail[T](fault.Because(fault.ReasonAnonymous, errors.New(call+" needs a user")))
}

// invalid is the fault of an answer that is worse than none.
func invalid(what string) error {
	return fault.Because(fault.ReasonInvalid, errors.New(what))
}
