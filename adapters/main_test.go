package adapters_test

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/adapters"
	"github.com/facet-gateway/facet/adapters/adaptertest"
	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/adapters/simulator"
	"github.com/facet-gateway/facet/core/adapter"
	"github.com/facet-gateway/facet/core/backend/amqp"
	"github.com/facet-gateway/facet/core/backend/amqp/amqptest"
	"github.com/facet-gateway/facet/core/backend/grpc"
	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/backend/nats"
	"github.com/facet-gateway/facet/core/backend/thrift"
	"github.com/facet-gateway/facet/core/backend/zmq"
	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/command"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
	"github.com/facet-gateway/facet/devices"
)

func TestMain(m *testing.M) { adaptertest.Main(m) }

// shop is the simulator, the services that ask it, and the versions that ask them.
type shop struct {
	*simulator.Simulator
	services *services.Services
	versions map[devices.Class]*adapter.Version
}

// noon is the clock of the shop: the day of the examples.
func noon() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

func open(t testing.TB) *shop {
	t.Helper()
	return openWith(t, nil)
}

// openWith opens a shop in which somebody else plays some of the services.
func openWith(t testing.TB, elsewhere map[string]string) *shop {
	t.Helper()
	return openOver(t, nil, elsewhere)
}

// openOver opens a shop in which some services are reached over a transport beside HTTP.
func openOver(t testing.TB, transports, elsewhere map[string]string) *shop {
	t.Helper()
	o := simulator.Options{Now: noon, Transports: slices.Collect(maps.Values(transports))}
	var broker string
	if slices.Contains(o.Transports, "amqp") {
		broker = amqptest.Start(t).URL
		o.Brokers = map[string]string{"amqp": broker}
	}
	sim, err := simulator.New(o)
	must(t, err)
	must(t, sim.Start(context.Background()))
	t.Cleanup(sim.Close)

	clients := map[string]services.Client{}
	for _, name := range services.Names() {
		address := sim.Address(name, cmp.Or(transports[name], "http"))
		if transports[name] == "amqp" {
			address = broker // with who the gateway is there
		}
		client, err := dial(name, cmp.Or(elsewhere[name], address))
		must(t, err)
		if c, ok := client.(interface{ Status() []balance.Status }); ok {
			soon(t, name+" is reached", func() bool { return c.Status()[0].State != balance.Out })
		}
		clients[name] = client
		t.Cleanup(clients[name].Close)
	}
	s := &shop{Simulator: sim, services: services.Declare(), versions: map[devices.Class]*adapter.Version{}}
	must(t, s.services.Connect(clients))
	versions, err := adapters.All(s.services)
	must(t, err)
	for class, names := range versions.Names() {
		s.versions[class] = versions.Find(class, names[0])
	}
	s.configure(t, func(p *command.Policy) { p.Timeout = 10 * time.Second }) // the machine may be busy
	return s
}

// dial returns the client that the scheme of an address asks for.
func dial(name, address string) (services.Client, error) {
	switch scheme, _, _ := strings.Cut(address, ":"); scheme {
	case "grpc":
		return grpc.New(grpc.Options{Service: name, Instances: []string{address}})
	case "thrift":
		return thrift.New(thrift.Options{Service: name, Instances: []string{address}})
	case "nats":
		return nats.New(nats.Options{Service: name, Servers: []string{address}})
	case "amqp":
		return amqp.New(amqp.Options{Service: name, Servers: []string{address}})
	case "tcp":
		return zmq.New(zmq.Options{Service: name, Instances: []string{address}})
	}
	return http.New(http.Options{Service: name, Instances: []string{address}})
}

// soon polls until ok holds.
func soon(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

// configure changes the policy of every command.
func (s *shop) configure(t testing.TB, change func(*command.Policy)) {
	t.Helper()
	for _, c := range s.services.Controls() {
		p := c.Policy()
		change(&p)
		must(t, c.Configure(p))
	}
}

// page asks a class's adapter for a page, as the server does.
func (s *shop) page(t testing.TB, class devices.Class, user, query string) (string, *report.Report, error) {
	t.Helper()
	return s.pageOn(t, class, profile(t, class), user, query)
}

func (s *shop) pageOn(
	t testing.TB, class devices.Class, screen *devices.Profile, user, query string,
) (string, *report.Report, error) {
	t.Helper()
	endpoint, ok := s.versions[class].Endpoint("/productdetails")
	if !ok {
		t.Fatalf("%s has no product page", class)
	}
	r := report.New("test", report.NewTrace())
	ctx, scope := stream.Open(context.Background(), r)
	defer scope.Close()
	answer, err := endpoint.Serve(ctx, &adapter.Request{Device: screen, User: user, RawQuery: query})
	return string(answer.Body), r, err
}

func profile(t testing.TB, class devices.Class) *devices.Profile {
	t.Helper()
	standard := devices.Standard()
	for i := range standard {
		if standard[i].Class == class {
			return &standard[i]
		}
	}
	other := standard[1] // a class of a team's own: any screen will do
	other.Class = class
	return &other
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
