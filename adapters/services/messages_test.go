package services_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/adapters/simulator"
	"github.com/facet-gateway/facet/adapters/wire/wiretest"
	"github.com/facet-gateway/facet/core/backend/amqp/amqptest"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/report"
)

// overMessages are the ways in which services are reached over messages, those at once
// that do not exclude each other.
func overMessages() map[string][]string {
	return map[string][]string{"brokers": {"nats", "amqp"}, "zmq": {"zmq"}}
}

var servedBy = map[string]string{"nats": "inventory", "zmq": "inventory", "amqp": "shipping"}

// TestEachBindingOfMessages holds what is reached over messages to the tables that hold
// for HTTP. There is one broker of AMQP for all.
func TestEachBindingOfMessages(t *testing.T) {
	broker := amqptest.Start(t).URL
	for name, transports := range overMessages() {
		t.Run(name, func(t *testing.T) {
			for table, hold := range map[string]func(*testing.T, *backend, *services.Services){
				"calls": holdCalls, "escapes": holdEscapes, "not found": holdNotFound, "stale copies": holdStaleCopies,
				"worse than none": refuseAnswersWorseThanNone, "left out": missWhatIsLeftOut, "nothing": holdNothing,
			} {
				t.Run(table, func(t *testing.T) {
					b, s := playMessages(t, broker, transports)
					hold(t, b, s)
				})
			}
			t.Run("faults", func(t *testing.T) { failOverMessages(t, broker, transports) })
			t.Run("answers", func(t *testing.T) { answerOverMessages(t, broker, transports) })
		})
	}
}

// playMessages returns a backend, and services of which some ask it over messages.
func playMessages(t *testing.T, broker string, transports []string) (*backend, *services.Services) {
	t.Helper()
	b := &backend{status: 200}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	at := map[string]string{}
	for _, transport := range transports {
		switch transport {
		case "nats":
			at["inventory"], _ = wiretest.InventoryNATS(t, b)
		case "zmq":
			at["inventory"], _, _ = wiretest.InventoryZMQ(t, b)
		case "amqp":
			wiretest.ShippingAMQP(t, broker, b)
			at["shipping"] = broker
		}
	}
	return b, connect(t, over(at, func(string) string { return server.URL }))
}

// simulatedOver returns a simulator, and services that reach some of it over messages.
func simulatedOver(t *testing.T, broker string, transports []string) (*simulator.Simulator, *services.Services) {
	t.Helper()
	sim, err := simulator.New(simulator.Options{Transports: transports, Brokers: map[string]string{"amqp": broker}})
	if err == nil {
		err = sim.Start(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	at := map[string]string{}
	for _, transport := range transports {
		service := servedBy[transport]
		at[service] = strings.Replace(sim.Address(service, transport), "amqp://", "amqp://guest:guest@", 1)
		if live := sim.LiveAddress(service, transport); live != "" {
			at[service] += "," + live
		}
	}
	return sim, connect(t, over(at, sim.URL))
}

// failOverMessages: a service that fails looks the same as over HTTP, but that nobody
// learns from a broker that a connection to it was broken off.
func failOverMessages(t *testing.T, broker string, transports []string) {
	sim, s := simulatedOver(t, broker, transports)
	asks := map[string]func() (any, *report.Report, error){
		"inventory": func() (any, *report.Report, error) { return asking(s.Inventory.Stock("p-1042"))() },
		"shipping":  func() (any, *report.Report, error) { return asking(s.Shipping.Options("p-1042", 1900, ""))() },
	}
	for _, transport := range transports {
		service := servedBy[transport]
		for text, codes := range map[string][]fault.Code{
			"latency=10ms": {fault.OK},
			"hang":         {fault.Timeout},
			"reset":        {fault.Unavailable, fault.Timeout},
			"garbage":      {fault.BadAnswer},
			"truncated":    {fault.BadAnswer},
			"wrongtype":    {fault.BadAnswer},
			"oversize":     {fault.BadAnswer},
			"status=500":   {fault.Unavailable},
			"status=429":   {fault.Unavailable},
			"status=403":   {fault.BadAnswer},
			"status=404":   {fault.NotFound},
			"down":         {fault.Unavailable, fault.Timeout},
		} {
			f, err := simulator.ParseFault(text)
			if err == nil {
				err = sim.SetFault(service, f)
			}
			if err != nil {
				t.Fatal(err)
			}
			patient(t, s, timeOf(text))
			_, r, err := asks[service]()
			if code := fault.CodeOf(err); !slices.Contains(codes, code) {
				t.Errorf("%s: %s ends with %v, want %v", service, text, err, codes)
			}
			if text == "status=403" && r.Calls()[0].Outcome != report.CallerFault {
				t.Errorf("%s: %s counts as %v", service, text, r.Calls()[0].Outcome)
			}
			sim.ClearFaults()
			eventually(t, "healed of "+text, func() bool { _, _, err := asks[service](); return err == nil })
		}
	}
}

// answerOverMessages: an answer is the same value, whatever brought it.
func answerOverMessages(t *testing.T, broker string, transports []string) {
	sim, other := simulatedOver(t, broker, transports)
	plain := connect(t, sim.URL)
	for _, product := range []string{"p-1042", "p-9", "p-none", "a b", "x/../y", "a,b", "p.*"} {
		same(t, product+"'s stock", asking(plain.Inventory.Stock(product)), asking(other.Inventory.Stock(product)))
		same(t, "stocks with "+product, asking(together(plain.Inventory.Stock, "p-1042", product, "p-9")),
			asking(together(other.Inventory.Stock, "p-1042", product, "p-9")))
		for _, postcode := range []string{"", "1011AB", "9999 ZZ", "SW1A 1AA", "no, none"} {
			same(t, product+" to "+postcode, asking(plain.Shipping.Options(product, 1900, postcode)),
				asking(other.Shipping.Options(product, 1900, postcode)))
		}
	}
}

// eventually polls until ok holds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}

// TestChangesOverNATS and TestChangesOverZMQ: the stock as it is, then its changes; what
// is no change of the product ends the subscription, not who follows.
func TestChangesOverNATS(t *testing.T) {
	b := &backend{status: 200}
	url, publish := wiretest.InventoryNATS(t, b)
	changesOver(t, b, url, publish)
}

func TestChangesOverZMQ(t *testing.T) {
	b := &backend{status: 200}
	url, live, publish := wiretest.InventoryZMQ(t, b)
	changesOver(t, b, url+","+live, publish)
}

// TestNoChangesWithoutAPublisher: who asks for them is told over which protocol they do
// not come.
func TestNoChangesWithoutAPublisher(t *testing.T) {
	url, _, _ := wiretest.InventoryZMQ(t, &backend{status: 200})
	s := connect(t, over(map[string]string{"inventory": url}, func(string) string { return "http://127.0.0.1:9" }))
	if _, err := s.Inventory.Changes("p-1").Follow(""); fault.CodeOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "zeromq") {
		t.Errorf("got %v", err)
	}
}

func changesOver(t *testing.T, b *backend, address string, publish func(product, body string)) {
	t.Helper()
	b.say(200, `{"product_id":"p-1","available":3,"low":true}`)
	s := connect(t, over(map[string]string{"inventory": address}, func(string) string { return "http://127.0.0.1:9" }))
	t.Cleanup(s.Close)
	f := followStock(t, s, "p-1")
	wantStock(t, f, 3)
	publish("p-2", `{"product_id":"p-2","available":9,"low":false}`)
	publish("p-10", `{"product_id":"p-10","available":9,"low":false}`)
	publish("p-1", `{"product_id":"p-1","available":2,"low":true}`)
	wantStock(t, f, 2)
	for n, bad := range []string{
		`{"product_id":"p-1"}`, `{"product_id":"p-1","available":9}`, `{"product_id":"p-1","available":-1,"low":true}`,
		`s3cret`, `{"product_id":"p-2","available":9,"low":false}`,
	} {
		b.say(200, `{"product_id":"p-1","available":`+string(rune('4'+n))+`,"low":true}`)
		publish("p-1", bad)
		wantStock(t, f, 4+n) // it was asked for anew
	}
	for _, none := range []string{"p.*", ">", ""} {
		if _, err := nextStock(t, followStock(t, s, none)); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("%q: %v", none, err)
		}
	}
}

// TestChangesOfTheSimulatedStock reach who follows.
func TestChangesOfTheSimulatedStock(t *testing.T) {
	for _, transport := range []string{"nats", "zmq"} {
		t.Run(transport, func(t *testing.T) {
			sim, s := simulatedOver(t, "", []string{transport})
			t.Cleanup(s.Close)
			f := followStock(t, s, "p-1042")
			other := followStock(t, s, "p-1043")
			wantStock(t, f, 3)
			if _, err := nextStock(t, other); err != nil {
				t.Fatal(err)
			}
			for _, n := range []int{0, 12} {
				if err := sim.SetStock("p-1042", n); err != nil {
					t.Fatal(err)
				}
				wantStock(t, f, n)
			}
			if _, ok, err := other.Next(); ok || err != nil {
				t.Errorf("of another product: %v, %v", ok, err)
			}
		})
	}
}

// TestChangesWhileThePublisherIsAway are told when it is back.
func TestChangesWhileThePublisherIsAway(t *testing.T) {
	sim, s := simulatedOver(t, "", []string{"zmq"})
	t.Cleanup(s.Close)
	f := followStock(t, s, "p-1042")
	wantStock(t, f, 3)
	for _, n := range []int{7, 8} {
		if err := sim.SetFault("inventory", simulator.Fault{Down: true}); err != nil {
			t.Fatal(err)
		}
		if err := sim.SetStock("p-1042", n); err != nil {
			t.Fatal(err)
		}
		sim.ClearFaults()
		wantStock(t, f, n)
	}
}
