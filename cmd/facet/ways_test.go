package main_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/facet-gateway/facet/core/backend/amqp/amqptest"
)

// transportsOf is the transport of each service that is not reached over HTTP.
func transportsOf(t *testing.T, admin string) map[string]string {
	t.Helper()
	var told map[string]struct{ Transport string }
	if err := json.Unmarshal([]byte(get(t, admin+"/instances").body), &told); err != nil {
		t.Fatal(err)
	}
	over := map[string]string{}
	for service, one := range told {
		if one.Transport != "http" {
			over[service] = one.Transport
		}
	}
	return over
}

// TestPagesAreTheSame over HTTP alone, and over every transport that the demonstration
// has: byte for byte, for each device. A broker that is killed costs its part.
func TestPagesAreTheSame(t *testing.T) {
	t.Parallel()
	broker := amqptest.Start(t)
	plain, plainly, _ := demo(t, "--plain")
	mixed, mixedly, _ := demo(t, "--amqp", broker.URL)
	if got := transportsOf(t, plain.announced("admin")); len(got) > 0 {
		t.Errorf("plainly, some are reached over %v", got)
	}
	if got := transportsOf(t, mixed.announced("admin")); len(got) != 4 || got["cart"] != "grpc" || got["orders"] != "thrift" ||
		got["inventory"] != "nats" || got["shipping"] != "amqp" {
		t.Errorf("reached over %v", got)
	}
	for _, device := range []string{"tv", "phone", "tablet"} {
		for _, id := range []string{"p-1042", "p-1001", "p-1077"} {
			if one, other := whole(t, plainly, device, id), whole(t, mixedly, device, id); one.body != other.body {
				t.Errorf("%s for a %s:\n%s\n%s", id, device, one.body, other.body)
			}
		}
	}
	broker.Kill()
	eventually(t, "a page without shipping", func() bool {
		a := page(t, mixedly, "phone", "p-1042")
		return strings.Contains(a.header.Get("Facet-Parts"), "shipping=missing;reason=")
	})
	broker.Start()
	whole(t, mixedly, "phone", "p-1042")
}

func TestDemoRefusesABrokerThatIsNone(t *testing.T) {
	t.Parallel()
	p := start(t, "demo", "--listen", ":0", "--admin", ":0", "--amqp", "guest:hunter2@nowhere")
	if status, said := p.status(), p.stderr.String(); status != 2 || !strings.Contains(said, "--amqp") || strings.Contains(said, "hunter2") {
		t.Errorf("status %d: %s", status, said)
	}
}
