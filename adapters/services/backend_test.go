package services_test

import (
	"context"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/facet-gateway/facet/adapters/services"
	"github.com/facet-gateway/facet/core/backend/amqp"
	"github.com/facet-gateway/facet/core/backend/grpc"
	"github.com/facet-gateway/facet/core/backend/http"
	"github.com/facet-gateway/facet/core/backend/nats"
	"github.com/facet-gateway/facet/core/backend/thrift"
	"github.com/facet-gateway/facet/core/backend/zmq"
	"github.com/facet-gateway/facet/core/balance"
	"github.com/facet-gateway/facet/core/fault"
	"github.com/facet-gateway/facet/core/leaktest"
	"github.com/facet-gateway/facet/core/report"
	"github.com/facet-gateway/facet/core/stream"
)

func TestMain(m *testing.M) { leaktest.Main(m, leaktest.Circuits()...) }

// backend plays all nine services: it answers what it is told to, and notes
// what it is asked.
type backend struct {
	mu     sync.Mutex
	status int
	body   string
	asked  []string
}

func (b *backend) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	line := r.Method + " " + r.RequestURI
	if form, err := io.ReadAll(r.Body); err == nil && len(form) > 0 {
		line += " " + string(form)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked = append(b.asked, line)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(b.status)
	_, _ = io.WriteString(w, b.body) // the client may be gone
}

// say sets the answer to come, and forgets what was asked.
func (b *backend) say(status int, body string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.status, b.body, b.asked = status, body, nil
}

func (b *backend) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.asked
}

// play returns a backend and the services that ask it.
func play(t testing.TB) (*backend, *services.Services) {
	t.Helper()
	b := &backend{status: nethttp.StatusOK}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	return b, connect(t, func(string) string { return server.URL })
}

// connect returns services whose clients ask the address of each.
func connect(t testing.TB, address func(service string) string) *services.Services {
	t.Helper()
	clients := map[string]services.Client{}
	for _, name := range services.Names() {
		c, err := dial(name, address(name))
		if err != nil {
			t.Fatal(err)
		}
		if broker, ok := c.(interface{ Status() []balance.Status }); ok {
			eventually(t, "it is connected", func() bool { return broker.Status()[0].State != balance.Out })
		}
		t.Cleanup(c.Close)
		clients[name] = c
	}
	s := services.Declare()
	if err := s.Connect(clients); err != nil {
		t.Fatal(err)
	}
	for _, c := range s.Controls() { // the machine may be busy
		p := c.Policy()
		p.Timeout = 10 * time.Second
		if err := c.Configure(p); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// dial returns the client that the scheme of an address asks for. Behind a comma is where
// the service publishes, if that is elsewhere.
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
		address, live, publishes := strings.Cut(address, ",")
		o := zmq.Options{Service: name, Instances: []string{address}}
		if publishes {
			o.Publishers = []string{live}
		}
		return zmq.New(o)
	}
	return http.New(http.Options{Service: name, Instances: []string{address}})
}

// observe runs a stream in a request of its own.
func observe[T any](s stream.Stream[T]) (T, *report.Report, error) {
	r := report.New("test", report.NewTrace())
	ctx, scope := stream.Open(context.Background(), r)
	defer scope.Close()
	value, err := stream.Assemble(stream.Required("value", s, func(v *T, got T) { *v = got })).Run(ctx)
	return value, r, err
}

// together is the stream of the answers to many queries that a page asks at once.
func together[V any](one func(string) stream.Stream[V], ids ...string) stream.Stream[[]V] {
	return stream.Some(stream.Of(ids), len(ids), one)
}

// unknown reports whether a request learned that what it asked for is not known: by
// an error, or by a list without it.
func unknown(r *report.Report, err error) bool {
	if err == nil {
		holes := r.Parts[0].Holes
		return holes.Count > 0 && holes.Reason == fault.ReasonNotFound
	}
	return fault.CodeOf(err) == fault.NotFound && fault.ReasonOf(err) == fault.ReasonNotFound
}

// asking is observe, with the type of the value forgotten.
func asking[T any](s stream.Stream[T]) func() (any, *report.Report, error) {
	return func() (any, *report.Report, error) {
		v, r, err := observe(s)
		return v, r, err
	}
}

// rung returns where the value of observe stood.
func rung(r *report.Report) report.Rung { return r.Parts[0].Mark.Rung }
