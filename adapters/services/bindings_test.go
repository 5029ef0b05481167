package services_test

import (
	"errors"
	"maps"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/adapters/simulator"
	"github.com/facet-gateway/facet/adapters/wire/wiretest"
	"github.com/facet-gateway/facet/core/backend/grpc"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// further is what reaches services that have more bindings than the one over HTTP, by
// that one more.
func further() map[string]string { return map[string]string{"cart": "grpc", "orders": "thrift"} }

// eachBinding runs a test with services that are reached over HTTP, and with services of
// which each is reached over what else it can be, if there is something.
func eachBinding(t *testing.T, test func(t *testing.T, b *backend, s *services.Services)) {
	t.Run("http", func(t *testing.T) {
		b, s := play(t)
		test(t, b, s)
	})
	t.Run("further", func(t *testing.T) {
		b := &backend{status: 200}
		server := httptest.NewServer(b)
		t.Cleanup(server.Close)
		test(t, b, connect(t, over(played(t, b), func(string) string { return server.URL })))
	})
}

// played returns where a backend plays the services over their further transports.
func played(t *testing.T, b *backend) map[string]string {
	t.Helper()
	return map[string]string{"cart": wiretest.Cart(t, b), "orders": wiretest.Orders(t, b)}
}

// over returns the further address of a service, and of others that over HTTP.
func over(further map[string]string, plain func(service string) string) func(service string) string {
	return func(service string) string {
		if address := further[service]; address != "" {
			return address
		}
		return plain(service)
	}
}

// simulated returns a simulator, and where its services speak their further transports.
func simulated(t *testing.T) (sim *simulator.Simulator, addresses map[string]string) {
	t.Helper()
	sim, err := simulator.New(simulator.Options{Transports: slices.Collect(maps.Values(further()))})
	if err != nil {
		t.Fatal(err)
	}
	if err := sim.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	addresses = map[string]string{}
	for service, transport := range further() {
		addresses[service] = sim.Address(service, transport)
	}
	return sim, addresses
}

func TestTransports(t *testing.T) {
	all := services.Transports()
	for _, name := range services.Names() {
		want := []string{"http"}
		for _, transport := range []string{"nats", "zmq", "amqp"} {
			if servedBy[transport] == name {
				want = append(want, transport)
			}
		}
		if one := further()[name]; one != "" {
			want = append(want, one)
		}
		if diff := cmp.Diff(want, all[name]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestConnectRefusesWhatHasNoBinding: a client of one protocol is none of another's service.
func TestConnectRefusesWhatHasNoBinding(t *testing.T) {
	over, err := grpc.New(grpc.Options{Service: "any"})
	if err != nil {
		t.Fatal(err)
	}
	defer over.Close()
	clients := map[string]services.Client{}
	for _, name := range services.Names() {
		clients[name] = over
	}
	err = services.Declare().Connect(clients)
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) || len(joined.Unwrap()) != len(services.Names())-1 {
		t.Errorf("the error is %v", err)
	}
}

// TestFaultsOfEachBinding: a service that fails looks the same, however it is reached.
func TestFaultsOfEachBinding(t *testing.T) {
	sim, addresses := simulated(t)
	cases := []struct {
		fault string
		codes []fault.Code
	}{
		{"latency=10ms", []fault.Code{fault.OK}},
		{"hang", []fault.Code{fault.Timeout}},
		{"reset", []fault.Code{fault.Unavailable, fault.BadAnswer}}, // whether a part of the answer came is chance
		{"garbage", []fault.Code{fault.BadAnswer}},
		{"truncated", []fault.Code{fault.BadAnswer}},
		{"wrongtype", []fault.Code{fault.BadAnswer}},
		{"oversize", []fault.Code{fault.BadAnswer}},
		{"status=500", []fault.Code{fault.Unavailable}},
		{"status=429", []fault.Code{fault.Unavailable}},
		{"status=403", []fault.Code{fault.BadAnswer}},
		{"status=404", []fault.Code{fault.NotFound}},
		{"down", []fault.Code{fault.Unavailable}},
	}
	for transport, addresses := range map[string]map[string]string{"http": nil, "further": addresses} {
		t.Run(transport, func(t *testing.T) {
			s := connect(t, over(addresses, sim.URL))
			for _, c := range cases {
				patient(t, s, timeOf(c.fault))
				for name := range further() {
					f, err := simulator.ParseFault(c.fault)
					if err != nil {
						t.Fatal(err)
					}
					checkFault(t, sim, s, name, f, c.codes)
				}
			}
		})
	}
}

// timeOf is the time of a call that meets a fault: short only if its answer may never come.
func timeOf(fault string) time.Duration {
	switch fault {
	case "hang", "reset", "down":
		return 500 * time.Millisecond
	}
	return 10 * time.Second
}

// patient gives each call its time, and none a circuit that opens.
func patient(t *testing.T, s *services.Services, timeout time.Duration) {
	t.Helper()
	for _, c := range s.Controls() {
		p := c.Policy()
		p.Timeout, p.Circuit.Consecutive, p.Circuit.Volume = timeout, 1000, 100000
		if err := c.Configure(p); err != nil {
			t.Fatal(err)
		}
	}
}

func checkFault(t *testing.T, sim *simulator.Simulator, s *services.Services, name string, f simulator.Fault, codes []fault.Code) {
	t.Helper()
	ask := map[string]func() (any, *report.Report, error){
		"cart":   asking(s.Cart.Of("u-7")),
		"orders": asking(s.Orders.ForProduct("u-7", "p-1042", 5)),
	}
	if err := sim.SetFault(name, f); err != nil {
		t.Fatal(err)
	}
	_, r, err := ask[name]()
	if code := fault.CodeOf(err); !slices.Contains(codes, code) {
		t.Errorf("%s: %v ends with %v, want %v", name, f, err, codes)
	}
	if f.Status >= 400 && f.Status < 429 && r.Calls()[0].Outcome != report.CallerFault {
		t.Errorf("%s: %v counts as %v", name, f, r.Calls()[0].Outcome)
	}
	sim.ClearFaults()
}

// TestAnswersOfEachBinding: an answer is the same value, whatever brought it.
func TestAnswersOfEachBinding(t *testing.T) {
	sim, addresses := simulated(t)
	plain := connect(t, sim.URL)
	other := connect(t, over(addresses, sim.URL))
	for _, user := range []string{"u-7", "u-1", "u-2", "u-8", "u-99", "a b", "x/../y"} {
		same(t, user+"'s cart", asking(plain.Cart.Of(user)), asking(other.Cart.Of(user)))
		for _, product := range []string{"p-1042", "p-9", "p-none"} {
			same(t, user+"'s orders", asking(plain.Orders.ForProduct(user, product, 5)), asking(other.Orders.ForProduct(user, product, 5)))
		}
	}
}

func same(t *testing.T, what string, plain, other func() (any, *report.Report, error)) {
	t.Helper()
	want, _, wantErr := plain()
	got, _, err := other()
	if fault.CodeOf(err) != fault.CodeOf(wantErr) || fault.ReasonOf(err) != fault.ReasonOf(wantErr) {
		t.Errorf("%s: %v, and over HTTP %v", what, err, wantErr)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-http +further):\n%s", what, diff)
	}
}
